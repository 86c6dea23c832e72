package dev.lamina.device.cpu;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Op;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Which kernel does an operation, and why there is none. */
final class CpuKernels {
  private final Workers workers;
  private final ExprCompiler compiler;
  private final ChannelSums channelSums;
  private final PoolLoops poolLoops;
  private final SoftmaxLoops softmaxLoops;
  private final int vectorBits;

  /** Kernels with vectors of {@code vectorBits} bits; 0 is scalar code. */
  CpuKernels(Workers workers, int vectorBits) {
    this.workers = workers;
    compiler = new ExprCompiler(vectorBits);
    channelSums = ChannelSums.of(vectorBits);
    poolLoops = PoolLoops.of(vectorBits);
    softmaxLoops = SoftmaxLoops.of(vectorBits);
    this.vectorBits = vectorBits;
  }

  /** A new kernel for an operation that is not {@link #unsupported}. */
  CpuKernel prepare(Op op, List<TensorType> in) {
    return switch (op) {
      case Op.Input _, Op.Read _, Op.Reshape _ ->
          throw new IllegalArgumentException(op.label() + " is no work for a device");
      case Op.Map map -> ExpressionKernel.of(map, in, compiler, workers);
      case Op.Reduce reduce -> ExpressionKernel.of(reduce, List.of(), in, compiler, workers);
      case Op.ReduceWithMap(var reduce, var map) -> ExpressionKernel.of(reduce, map.exprs(), in, compiler, workers);
      case Op.MatMul matMul -> product(matMul, in, null);
      case Op.Conv2d _, Op.Conv2dInputGradient _ -> product(op, in, null);
      case Op.Conv2dFilterGradient(var spec, var filter) ->
          WinogradKernel.suits(spec, in.get(0).shape(), in.get(1).shape(), filter, vectorBits)
              ? new WinogradFilterGradientKernel(
                  spec, filter.dim(1), in.get(0).shape(), in.get(1).shape(), vectorBits, workers)
              : new FilterGradientKernel(spec, in.get(0).shape(), filter, vectorBits, workers);
      case Op.Pool2d(var kind, var spec) ->
          new PoolKernel(kind, false, new PoolShape(in.getFirst().shape(), spec), poolLoops, null, workers);
      case Op.Pool2dGradient(var kind, var spec, var image) ->
          new PoolKernel(kind, true, new PoolShape(image, spec), poolLoops, null, workers);
      case Op.BatchNorm(double epsilon) -> new BatchNormKernel(epsilon, in, null, compiler, channelSums, workers);
      case Op.BatchNormGradient() -> new BatchNormGradientKernel(in, null, compiler, channelSums, workers);
      case Op.SoftmaxCrossEntropy(double smoothing) ->
          new CrossEntropyKernel(smoothing, true, false, in, compiler, softmaxLoops, workers);
      case Op.SoftmaxCrossEntropyGradient(double smoothing) ->
          new CrossEntropyKernel(smoothing, false, true, in, compiler, softmaxLoops, workers);
      case Op.SoftmaxCrossEntropyWithGradient(double smoothing) ->
          new CrossEntropyKernel(smoothing, true, true, in, compiler, softmaxLoops, workers);
      case Op.Permute(var axes) ->
          new PermuteKernel(axes, in.getFirst().shape(), in.getFirst().dtype().bytes(), workers);
      case Op.Slice slice -> CopyKernel.slice(slice, in.getFirst(), workers);
      case Op.Concat concat -> CopyKernel.concat(concat, in, workers);
      case Op.Pad pad -> CopyKernel.pad(pad, in.getFirst(), workers);
      case Op.ArgMax() -> new ArgMaxKernel(in.getFirst().shape(), workers);
      case Op.Histogram(int bins) -> new HistogramKernel(bins, in.getFirst().shape(), workers);
      case Op.Pack pack -> CopyKernel.pack(pack, in, workers);
      case Op.Fused fused -> fused(fused, in);
    };
  }

  /** A matrix product or a convolution. */
  private CpuKernel product(Op op, List<TensorType> in, MapKernel epilogue) {
    return switch (op) {
      case Op.MatMul matMul -> new MatMulKernel(matMul, in, epilogue, vectorBits, workers);
      case Op.Conv2d(var spec) -> {
        Shape image = in.get(0).shape();
        Shape filter = in.get(1).shape();
        Shape output = TypeInference.infer(op, in.subList(0, 2)).getFirst().shape();
        yield WinogradKernel.suits(spec, image, output, filter, vectorBits)
            ? WinogradKernel.forward(spec, filter.dim(1), image, output, epilogue, vectorBits, workers)
            : ConvolutionKernel.forward(spec, image, filter, epilogue, vectorBits, workers);
      }
      case Op.Conv2dInputGradient(var spec, var image) -> {
        Shape output = in.get(0).shape();
        Shape filter = in.get(1).shape();
        if (WinogradKernel.suitsGradient(spec, output, image, filter, vectorBits)) {
          yield WinogradKernel.inputGradient(spec, filter.dim(1), image, output, epilogue, vectorBits, workers);
        }
        yield Col2ImKernel.suits(spec, image, output, filter, vectorBits)
            ? new Col2ImKernel(spec, image, output, filter, epilogue, vectorBits, workers)
            : ConvolutionKernel.inputGradient(spec, image, filter, epilogue, vectorBits, workers);
      }
      default -> throw new IllegalArgumentException(op.label() + " is no product");
    };
  }

  private CpuKernel fused(Op.Fused op, List<TensorType> in) {
    return switch (op.anchor()) {
      case Op.MatMul _, Op.Conv2d _, Op.Conv2dInputGradient _ -> product(op.anchor(), in, epilogue(op, in));
      case Op.Pool2d(var kind, var spec) ->
          new PoolKernel(kind, false, new PoolShape(in.getFirst().shape(), spec), poolLoops, epilogue(op, in), workers);
      case Op.BatchNorm(double epsilon) ->
          new BatchNormKernel(epsilon, in, op.epilogue(), compiler, channelSums, workers);
      case Op.BatchNormGradient() -> new BatchNormGradientKernel(in, op.prologue(), compiler, channelSums, workers);
      default -> throw new IllegalArgumentException(op.label() + " is not run as one kernel");
    };
  }

  private MapKernel epilogue(Op.Fused op, List<TensorType> in) {
    return Epilogue.prepare(op, in, TypeInference.infer(op, in).getFirst(), compiler);
  }

  /** Why {@link #prepare} cannot be called, in words that follow the operation's name; empty if it can. */
  Optional<String> refusal(Op op, List<TensorType> in) {
    return switch (op) {
      case Op.Map map -> ExprCompiler.unsupported(dtypes(in), map.dtypes());
      case Op.Reduce reduce -> ExprCompiler.unsupported(dtypes(in), List.of(reduce.dtype()));
      default -> unsupported(op, in);
    };
  }

  /** Why an operation is not run as one fast kernel, in words that follow its name; empty if it is. */
  Optional<String> unsupported(Op op, List<TensorType> in) {
    return switch (op) {
      case Op.Input _, Op.Read _, Op.Reshape _ ->
          Optional.of("it is no work: a program answers it with memory that is there");
      case Op.Map map -> compiler.unsupported(map.exprs(), dtypes(in), map.dtypes());
      case Op.Reduce reduce -> compiler.unsupported(List.of(reduce.value()), dtypes(in), List.of(reduce.dtype()));
      case Op.ReduceWithMap(var reduce, var map) -> {
        List<DType> outputs = new ArrayList<>(List.of(reduce.dtype()));
        outputs.addAll(map.dtypes());
        List<Expr> exprs = new ArrayList<>(List.of(reduce.value()));
        exprs.addAll(map.exprs());
        boolean floats = Stream.concat(dtypes(in).stream(), outputs.stream()).allMatch(dtype -> dtype == DType.F32);
        yield floats
            ? compiler.unsupported(exprs, dtypes(in), outputs)
            : Optional.of("the CPU device reduces and maps in one pass in F32 only");
      }
      case Op.Permute _, Op.Slice _, Op.Concat _, Op.Pad _, Op.Pack _ -> Optional.empty();
      case Op.MatMul _,
          Op.Conv2d _,
          Op.Conv2dInputGradient _,
          Op.Conv2dFilterGradient _,
          Op.Pool2d _,
          Op.Pool2dGradient _,
          Op.BatchNorm _,
          Op.BatchNormGradient _,
          Op.SoftmaxCrossEntropy _,
          Op.SoftmaxCrossEntropyGradient _,
          Op.SoftmaxCrossEntropyWithGradient _,
          Op.ArgMax _,
          Op.Histogram _ ->
          floatsOnly(op, in);
      case Op.Fused fused -> unsupportedFused(fused, in);
    };
  }

  /** Labels are I32 and winners U8; all else that these operations work on is F32. */
  private static Optional<String> floatsOnly(Op op, List<TensorType> in) {
    return Stream.concat(in.stream(), TypeInference.infer(op, in).stream())
        .filter(type -> type.dtype().isFloating() && type.dtype() != DType.F32 || !in.getFirst().dtype().isFloating())
        .findFirst()
        .map(type -> "the CPU device runs it in F32, not in " + type.dtype());
  }

  private Optional<String> unsupportedFused(Op.Fused op, List<TensorType> in) {
    List<TensorType> own = in.subList(0, in.size() - op.extras());
    if (in.stream().anyMatch(type -> type.dtype() != DType.F32)) {
      return Optional.of("the CPU device fuses F32 only");
    }
    Optional<String> anchor = unsupported(op.anchor(), own);
    if (anchor.isPresent()) {
      return anchor;
    }
    return switch (op.anchor()) {
      case Op.BatchNorm _ ->
          op.prologue() != null
              ? Optional.of("batch norm takes no prologue on the CPU device: x would be computed twice")
              : expressions(in, 3, BatchNormKernel.value(in.size(), op.epilogue()));
      case Op.BatchNormGradient _ ->
          op.epilogue() != null || op.prologueInput() != BatchNormGradientKernel.GRADIENT
              ? Optional.of("the CPU device lets a prologue on dy ride on a batch norm gradient, nothing else")
              : expressions(in, 3, BatchNormGradientKernel.value(in.size(), op.prologue()));
      case Op.MatMul _, Op.Conv2d _, Op.Conv2dInputGradient _, Op.Pool2d _ ->
          Epilogue.unsupported(op, in, TypeInference.infer(op, in).getFirst(), compiler);
      default -> Optional.of("the CPU device runs the parts");
    };
  }

  /** Why an expression over F32 inputs, and {@code more} beside those given, cannot be compiled. */
  private Optional<String> expressions(List<TensorType> in, int more, Expr expr) {
    List<DType> floats = java.util.Collections.nCopies(in.size() + more, DType.F32);
    return compiler.unsupported(List.of(expr), floats, List.of(DType.F32));
  }

  private static List<DType> dtypes(List<TensorType> types) {
    return types.stream().map(TensorType::dtype).toList();
  }
}
