package dev.lamina.device.reference;

import dev.lamina.graph.Op;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.Arrays;
import java.util.List;

/** What an operation computes, without types and memory: plain row-major arrays of doubles in and out. */
@FunctionalInterface
interface Computation {

  /**
   * Computes all outputs. Arrays may be longer than the tensors they hold.
   *
   * @param in the inputs, which are only read
   * @param out the outputs; their content is whatever was there before
   */
  void run(double[][] in, double[][] out);

  /** The computation of {@code op} for inputs and outputs of the given types. */
  static Computation of(Op op, List<TensorType> inputs, List<TensorType> outputs) {
    List<Shape> in = inputs.stream().map(TensorType::shape).toList();
    List<Shape> out = outputs.stream().map(TensorType::shape).toList();
    return switch (op) {
      case Op.Map map -> new Elementwise(map.exprs(), map.shape(), in);
      case Op.Reduce reduce -> new Reduction(reduce, in);
      case Op.ReduceWithMap(var reduce, var map) -> {
        Computation first = new Reduction(reduce, in);
        Computation second = new Elementwise(map.exprs(), map.shape(), in);
        yield (from, to) -> {
          first.run(from, to);
          second.run(from, Arrays.copyOfRange(to, 1, to.length));
        };
      }
      case Op.MatMul matMul -> MatrixProduct.of(matMul, in.getFirst(), out.getFirst());
      case Op.Conv2d(var spec) -> Convolution.of(Convolution.Direction.OUTPUT, spec, in.get(0), in.get(1));
      case Op.Conv2dInputGradient(var spec, var image) ->
          Convolution.of(Convolution.Direction.IMAGE, spec, image, in.get(1));
      case Op.Conv2dFilterGradient(var spec, var filter) ->
          Convolution.of(Convolution.Direction.FILTER, spec, in.get(0), filter);
      case Op.Pool2d(var kind, var spec) -> Pooling.forward(kind, spec, in.getFirst());
      case Op.Pool2dGradient(var kind, var spec, var image) -> Pooling.gradient(kind, spec, image);
      case Op.BatchNorm(double epsilon) -> BatchNormalisation.forward(in.getFirst(), epsilon);
      case Op.BatchNormGradient() -> BatchNormalisation.gradient(in.getFirst());
      case Op.SoftmaxCrossEntropy(double smoothing) -> CrossEntropy.loss(in.get(0), in.get(1), smoothing);
      case Op.SoftmaxCrossEntropyGradient(double smoothing) -> CrossEntropy.gradient(in.get(0), in.get(1), smoothing);
      case Op.SoftmaxCrossEntropyWithGradient(double smoothing) -> CrossEntropy.both(in.get(0), in.get(1), smoothing);
      case Op.Permute(var axes) -> Movement.permute(in.getFirst(), axes);
      case Op.Slice(int axis, int start, int _) -> Movement.slice(in.getFirst(), out.getFirst(), axis, start);
      case Op.Concat(int axis) -> Movement.concat(in, out.getFirst(), axis);
      case Op.Pad(int axis, int before, int _) -> Movement.pad(in.getFirst(), out.getFirst(), axis, before);
      case Op.Pack(var offsets, int size) -> Movement.pack(in, offsets, size);
      case Op.ArgMax() -> new ArgMaximum(Math.toIntExact(out.getFirst().size()), in.getFirst().last());
      case Op.Histogram(int bins) -> new Histogram(bins, Math.toIntExact(in.getFirst().size()));
      case Op.Fused fused -> Riding.on(fused, inputs, outputs);
      case Op.Input _, Op.Read _, Op.Reshape _ -> throw new IllegalArgumentException(op.label() + " is no work");
    };
  }
}
