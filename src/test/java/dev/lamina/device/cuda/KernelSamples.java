package dev.lamina.device.cuda;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.PoolKind;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.RandomStream;
import dev.lamina.graph.Size;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Operations that together need every kernel, in each element type, with wide and with narrow accesses. */
final class KernelSamples {
  private static final int WIDE = 256;
  private static final int ODD = 4;

  private KernelSamples() {}

  private record Sample(Op op, List<TensorType> types) {
    static Sample of(Op op, TensorType... types) {
      return new Sample(op, List.of(types));
    }

    /** The launches for tensors at multiples of {@code alignment} bytes only. */
    List<Launch> launches(int alignment) {
      long[] inputs = addresses(types.size(), alignment);
      long[] outputs = addresses(TypeInference.infer(op, types).size(), alignment);
      return new CudaKernels().launches(op, types, inputs, outputs, WIDE);
    }

    private static long[] addresses(int count, int alignment) {
      long[] addresses = new long[count];
      Arrays.setAll(addresses, i -> (1L << 32) * (i + 1) + alignment);
      return addresses;
    }
  }

  /** One launch for each text and set of options. */
  static List<Launch> distinct() {
    List<Launch> all = new ArrayList<>();
    for (Sample sample : samples()) {
      all.addAll(sample.launches(WIDE));
    }
    for (DType real : List.of(DType.F32, DType.BF16)) {
      network(real).forEach(sample -> all.addAll(sample.launches(ODD)));
    }
    all.addAll(CopyLaunches.several(new long[] {WIDE}, new long[] {2 * WIDE}, new long[] {WIDE}));
    return List.copyOf(
        all.stream()
            .collect(
                Collectors.toMap(
                    launch -> List.of(launch.source(), launch.options()),
                    Function.identity(),
                    (first, _) -> first,
                    java.util.LinkedHashMap::new))
            .values());
  }

  private static List<Sample> samples() {
    List<Sample> samples = new ArrayList<>();
    for (DType real : List.of(DType.F32, DType.BF16, DType.F16)) {
      samples.addAll(network(real));
    }
    samples.addAll(expressions());
    samples.addAll(movement());
    return samples;
  }

  private static List<Sample> network(DType real) {
    TensorType x = TensorType.of(real, 4, 8, 8, 16);
    TensorType small = TensorType.of(real, 4, 4, 4, 16);
    TensorType channel = TensorType.f32(16);
    PoolSpec pool = PoolSpec.tiled(2);
    ConvSpec spec = new ConvSpec(Size.square(1), Padding.all(1), Size.square(1), 16);
    TensorType filter = TensorType.of(real, 16, 3, 3, 1);
    Expr relu = Exprs.max(Exprs.add(Exprs.input(3), Exprs.input(4)), Exprs.constant(0));
    Expr mask = Exprs.select(Relation.GT, Exprs.input(5), Exprs.constant(0), Exprs.input(4), Exprs.constant(0));
    Expr behind = Exprs.ifNotPositive(Exprs.input(2), Exprs.constant(0), Exprs.input(0));
    TensorType logits = TensorType.of(real, 32, 10);
    TensorType labels = TensorType.of(DType.I32, 32);
    return List.of(
        Sample.of(new Op.BatchNorm(1e-5), x, channel, channel),
        Sample.of(new Op.BatchNormGradient(), x, channel, channel, channel, x),
        Sample.of(new Op.Fused(new Op.BatchNorm(1e-5), -1, null, relu, 1), x, channel, channel, x),
        Sample.of(new Op.Fused(new Op.BatchNormGradient(), 4, mask, null, 1), x, channel, channel, channel, x, x),
        Sample.of(new Op.Pool2d(PoolKind.MAX, pool), x),
        Sample.of(new Op.Pool2d(PoolKind.AVERAGE, pool), x),
        Sample.of(new Op.Pool2dGradient(PoolKind.MAX, pool, x.shape()), small, new TensorType(small.shape(), DType.U8)),
        Sample.of(new Op.Fused(new Op.Pool2d(PoolKind.MAX, pool), -1, null, Exprs.tanh(Exprs.input(1)), 0), x),
        Sample.of(
            new Op.Fused(new Op.Pool2dGradient(PoolKind.MAX, pool, x.shape()), 0, behind, null, 1),
            small,
            new TensorType(small.shape(), DType.U8),
            small),
        Sample.of(new Op.Conv2d(spec), x, filter),
        Sample.of(new Op.Conv2dFilterGradient(spec, filter.shape()), x, x),
        Sample.of(new Op.SoftmaxCrossEntropy(0.1), logits, labels),
        Sample.of(new Op.SoftmaxCrossEntropyGradient(0), logits, logits, TensorType.of(real, 32)),
        Sample.of(new Op.ArgMax(), logits),
        Sample.of(new Op.Histogram(30), x, TensorType.of(real), TensorType.of(real)),
        Sample.of(new Op.Reduce(ReduceKind.SUM, Exprs.input(0), DType.F32, x.shape(), List.of(0, 1, 2)), x),
        Sample.of(new Op.Reduce(ReduceKind.MAX, Exprs.input(0), real, x.shape(), List.of(0, 2)), x),
        Sample.of(new Op.Map(Exprs.add(Exprs.input(0), Exprs.input(1)), real, x.shape()), x, channel));
  }

  private static List<Sample> expressions() {
    Shape shape = Shape.of(8, 64, 16);
    TensorType x = new TensorType(shape, DType.F32);
    TensorType wide = new TensorType(shape, DType.F64);
    List<Expr> functions = new ArrayList<>();
    for (UnaryOp op : UnaryOp.values()) {
      functions.add(new Expr.Unary(op, Exprs.input(0)));
    }
    for (BinaryOp op : BinaryOp.values()) {
      functions.add(new Expr.Binary(op, Exprs.input(0), Exprs.input(1)));
    }
    for (Relation relation : Relation.values()) {
      functions.add(
          new Expr.Select(relation, Exprs.input(0), Exprs.input(1), Exprs.constant(Double.NaN), Exprs.constant(-0.0)));
    }
    var stream = new RandomStream(3, 5, 1);
    List<Expr> places =
        List.of(
            new Expr.Index(0),
            new Expr.Index(2),
            new Expr.Uniform(stream),
            Exprs.mul(Exprs.input(0), new Expr.Bernoulli(stream, 1L << 31)));
    TensorType step = TensorType.of(DType.I32);
    List<Sample> samples = new ArrayList<>();
    samples.add(Sample.of(new Op.Map(functions, types(functions, DType.F32), shape), x, x));
    samples.add(Sample.of(new Op.Map(functions, types(functions, DType.F64), shape), wide, wide));
    TensorType half = new TensorType(shape, DType.F16);
    samples.add(Sample.of(new Op.Map(functions, types(functions, DType.F16), shape), half, half));
    TensorType many = TensorType.of(DType.BF16, 1 << 12, 1 << 13);
    samples.add(Sample.of(new Op.Map(Exprs.sigmoid(Exprs.input(0)), DType.BF16, many.shape()), many));
    samples.add(Sample.of(new Op.Map(places, types(places, DType.F32), shape), x, step));
    samples.add(Sample.of(new Op.Map(places, types(places, DType.F64), shape), wide, step));
    for (DType from : DType.values()) {
      List<Expr> copies = Arrays.stream(DType.values()).map(_ -> Exprs.input(0)).toList();
      samples.add(Sample.of(new Op.Map(copies, List.of(DType.values()), shape), new TensorType(shape, from)));
    }
    samples.add(
        Sample.of(
            new Op.Map(Exprs.mul(Exprs.input(0), Exprs.input(1)), DType.F32, shape), x, TensorType.f32(8, 1, 16)));
    samples.add(Sample.of(new Op.Reduce(ReduceKind.SUM, Exprs.input(0), DType.F64, shape, List.of(0, 1, 2)), x));
    return samples;
  }

  private static List<DType> types(List<Expr> exprs, DType dtype) {
    return exprs.stream().map(_ -> dtype).toList();
  }

  private static List<Sample> movement() {
    List<Sample> samples = new ArrayList<>();
    for (DType dtype : DType.values()) {
      TensorType odd = TensorType.of(dtype, 3, 5, 7);
      samples.add(Sample.of(new Op.Permute(List.of(2, 0, 1)), odd));
      samples.add(Sample.of(new Op.Pad(1, 1, 2), odd));
    }
    samples.add(Sample.of(new Op.Pad(1, 1, 2), TensorType.f32(3, 5, 8)));
    return samples;
  }
}
