package dev.lamina.conformance;

import dev.lamina.conformance.Approximation.Precision;
import dev.lamina.device.Device;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprEvaluator;
import dev.lamina.graph.Op;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How far a correct device may be from the reference for one operation on given inputs, element by element.
 *
 * <p>A sum of k terms in whatever order is wrong by at most {@code min(k, 4·√k)·u·Σ|term|}: the first is the worst
 * case, the second holds with overwhelming probability where roundings are independent (Higham and Mary, "A new
 * approach to probabilistic rounding error analysis", 2019). The sums of magnitudes come from the oracle itself: the
 * operations that sum products are linear, so it is asked for the same operation on absolute values.
 */
final class ErrorBounds {
  private final Device oracle;
  private final Arena arena;

  ErrorBounds(Device oracle, Arena arena) {
    this.oracle = oracle;
    this.arena = arena;
  }

  /** Bounds for every output of {@code op}. */
  List<Bounded> of(Op op, List<Bounded> in) {
    return switch (op) {
      case Op.Map map -> map(map, in);
      case Op.Reduce reduce -> List.of(reduce(reduce, in));
      case Op.ReduceWithMap(var reduce, var map) -> {
        List<Bounded> outputs = new ArrayList<>(List.of(reduce(reduce, in)));
        outputs.addAll(map(map, in));
        yield outputs;
      }
      case Op.MatMul matMul -> linear(op, in, in.getFirst().shape().dim(matMul.transposeA() ? 0 : 1), 0, 1);
      case Op.Conv2d(var spec) -> {
        Shape filter = in.get(1).shape();
        yield tiled(spec, filter, tile(spec, filter) - 1, linear(op, in, filter.sliceSize(), 0, 1));
      }
      case Op.Conv2dInputGradient(var spec, var _) -> {
        Shape filter = in.get(1).shape();
        List<Bounded> results = linear(op, in, filter.size() / filter.dim(3) / spec.groups(), 0, 1);
        yield spec.stride().equals(Size.square(1)) ? tiled(spec, filter, tile(spec, filter) - 1, results) : results;
      }
      case Op.Conv2dFilterGradient(var spec, var filter) -> {
        Shape gradient = in.get(1).shape();
        yield tiled(spec, filter, filter.dim(1) - 1, linear(op, in, gradient.size() / gradient.dim(3), 0, 1));
      }
      case Op.Pool2d(var kind, var spec) ->
          kind == Op.PoolKind.MAX ? exact(op, in) : linear(op, in, spec.window().area() + 1, 0);
      case Op.Pool2dGradient(var _, var spec, var _) -> linear(op, in, spec.window().area() + 1, 0);
      case Op.BatchNorm(double epsilon) -> BatchNormBounds.forward(epsilon, in, values(op, in));
      case Op.BatchNormGradient() -> BatchNormBounds.gradient(in, values(op, in));
      case Op.SoftmaxCrossEntropy(double smoothing) ->
          List.of(CrossEntropyBounds.loss(smoothing, in, values(op, in).getFirst()));
      case Op.SoftmaxCrossEntropyGradient(double smoothing) ->
          List.of(CrossEntropyBounds.gradient(smoothing, in, values(op, in).getFirst()));
      case Op.SoftmaxCrossEntropyWithGradient(double smoothing) -> {
        List<Bounded> values = values(op, in);
        yield List.of(
            CrossEntropyBounds.loss(smoothing, in, values.get(0)),
            CrossEntropyBounds.gradient(smoothing, in, values.get(1)));
      }
      case Op.Permute _, Op.Slice _, Op.Concat _, Op.Pad _, Op.ArgMax _, Op.Histogram _, Op.Pack _ -> exact(op, in);
      case Op.Fused fused -> fused(fused, in);
      case Op.Input _, Op.Read _, Op.Reshape _ -> throw new IllegalArgumentException(op + " is no work");
    };
  }

  /** Factor of {@code u·Σ|term|} for a sum of {@code terms} terms. */
  static double sumUnits(double terms) {
    return Math.min(terms, 4 * Math.sqrt(terms)) + 1;
  }

  /** Taps of a filter along one dimension over cells of as many pixels as the stride. */
  private static int taps(ConvSpec spec, Shape filter) {
    return Math.ceilDiv(filter.dim(1), spec.stride().height());
  }

  /** Pixels of the largest tile along one dimension, where Winograd's algorithm takes up to six points. */
  private static int tile(ConvSpec spec, Shape filter) {
    return Math.min(4, 7 - taps(spec, filter));
  }

  /**
   * A device may compute convolutions with small filters by Winograd's algorithm, which is stable not by element but by
   * tile (as fast matrix products are: Higham, chapter 23): an element's error is that of the largest in its tile of up
   * to 4×4 pixels, or of a filter's taps.
   *
   * @param reach pixels or taps from one end of a tile to the other
   */
  private static List<Bounded> tiled(ConvSpec spec, Shape filter, int reach, List<Bounded> results) {
    boolean square = spec.stride().equals(Size.square(spec.stride().height())) && filter.dim(1) == filter.dim(2);
    int taps = taps(spec, filter);
    if (!square || !spec.dilation().equals(Size.square(1)) || spec.groups() != 1 || taps < 2 || taps > 5) {
      return results;
    }
    Bounded result = results.getFirst();
    double[] errors = result.errors();
    double[] largest = new double[errors.length];
    Shape shape = result.shape();
    int height = shape.dim(1);
    int width = shape.dim(2);
    int channels = shape.dim(3);
    for (int i = 0; i < errors.length; i++) {
      int x = i / channels % width;
      int y = i / channels / width % height;
      for (int dy = -Math.min(y, reach); dy <= Math.min(height - 1 - y, reach); dy++) {
        for (int dx = -Math.min(x, reach); dx <= Math.min(width - 1 - x, reach); dx++) {
          largest[i] = Math.max(largest[i], errors[i + (dy * width + dx) * channels]);
        }
      }
    }
    return List.of(new Bounded(shape, result.dtype(), result.values(), largest));
  }

  private List<Bounded> exact(Op op, List<Bounded> in) {
    if (!in.stream().allMatch(Bounded::isExact)) {
      throw new IllegalArgumentException(
          op + " chooses or moves elements: its inputs must be exact, or the choice itself is in doubt");
    }
    return values(op, in);
  }

  /** The outputs in double, without errors yet. */
  private List<Bounded> values(Op op, List<Bounded> in) {
    List<HostTensor> wide = new ArrayList<>();
    for (Bounded input : in) {
      HostTensor tensor =
          HostTensor.allocate(
              arena, new TensorType(input.shape(), input.dtype().isFloating() ? DType.F64 : input.dtype()));
      for (int i = 0; i < input.values().length; i++) {
        tensor.set(i, input.values()[i]);
      }
      wide.add(tensor);
    }
    List<TensorType> types = dev.lamina.graph.TypeInference.infer(op, in.stream().map(Bounded::type).toList());
    List<HostTensor> results = RunOp.run(oracle, arena, op, wide);
    List<Bounded> outputs = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      double[] values = results.get(i).toDoubles();
      outputs.add(new Bounded(types.get(i).shape(), types.get(i).dtype(), values, new double[values.length]));
    }
    return outputs;
  }

  /** An operation with one floating-point output that is linear in each of the inputs {@code factors}. */
  private List<Bounded> linear(Op op, List<Bounded> in, double terms, int... factors) {
    Bounded result = values(op, in).getFirst();
    Precision precision = Precision.of(result.dtype());
    List<Bounded> magnitudes = new ArrayList<>(in);
    for (int factor : factors) {
      magnitudes.set(factor, in.get(factor).with(in.get(factor).magnitudes()));
    }
    double[] errors = values(op, magnitudes).getFirst().values();
    for (int i = 0; i < errors.length; i++) {
      errors[i] = sumUnits(terms) * precision.unit * errors[i] + terms * precision.tiny;
    }
    for (int factor : factors) {
      if (!in.get(factor).isExact()) {
        List<Bounded> deviations = new ArrayList<>(magnitudes);
        deviations.set(factor, in.get(factor).with(in.get(factor).errors()));
        double[] propagated = values(op, deviations).getFirst().values();
        for (int i = 0; i < errors.length; i++) {
          errors[i] += propagated[i];
        }
      }
    }
    return List.of(new Bounded(result.shape(), result.dtype(), result.values(), errors));
  }

  private List<Bounded> map(Op.Map map, List<Bounded> in) {
    Precision precision = Precision.of(in.stream().map(Bounded::dtype).toList(), map.dtypes());
    List<Bounded> outputs = new ArrayList<>();
    for (int i = 0; i < map.exprs().size(); i++) {
      outputs.add(elementwise(map.exprs().get(i), map.dtypes().get(i), map.shape(), in, precision));
    }
    return outputs;
  }

  private static Bounded elementwise(Expr expr, DType dtype, Shape shape, List<Bounded> in, Precision precision) {
    int size = (int) shape.size();
    Bounded result = new Bounded(shape, dtype, new double[size], new double[size]);
    for (int i = 0; i < size; i++) {
      Approximation approximation = Approximation.of(expr, new Element(shape, in, i), precision);
      result.values()[i] = approximation.value();
      result.errors()[i] = approximation.error();
    }
    return result;
  }

  private Bounded reduce(Op.Reduce reduce, List<Bounded> in) {
    Precision precision = Precision.of(in.stream().map(Bounded::dtype).toList(), List.of(reduce.dtype()));
    Bounded elements = elementwise(reduce.value(), reduce.dtype(), reduce.shape(), in, precision);
    Bounded result = values(reduce, in).getFirst();
    double terms = (double) elements.values().length / Math.max(result.values().length, 1);
    double[] magnitudes = elements.magnitudes();
    int[] kept = new int[elements.values().length];
    Arrays.setAll(kept, i -> keptIndex(reduce, i));
    for (int i = 0; i < kept.length; i++) {
      double error = elements.errors()[i];
      double[] errors = result.errors();
      switch (reduce.kind()) {
        case SUM -> errors[kept[i]] += error + sumUnits(terms) * precision.unit * magnitudes[i];
        case MAX, MIN -> errors[kept[i]] = Math.max(errors[kept[i]], error);
      }
    }
    return result;
  }

  /** Where in the result element {@code flat} of the reduced shape goes. */
  private static int keptIndex(Op.Reduce reduce, int flat) {
    int rest = flat;
    int index = 0;
    int stride = 1;
    for (int axis = reduce.shape().rank() - 1; axis >= 0; axis--) {
      int dim = reduce.shape().dim(axis);
      if (!reduce.axes().contains(axis)) {
        index += rest % dim * stride;
        stride *= dim;
      }
      rest /= dim;
    }
    return index;
  }

  private List<Bounded> fused(Op.Fused fused, List<Bounded> in) {
    List<Bounded> anchorIn = new ArrayList<>(in.subList(0, in.size() - fused.extras()));
    if (fused.prologue() != null) {
      Bounded subject = in.get(fused.prologueInput());
      anchorIn.set(
          fused.prologueInput(),
          elementwise(
              fused.prologue(),
              subject.dtype(),
              subject.shape(),
              in,
              Precision.of(List.of(), List.of(subject.dtype()))));
    }
    List<Bounded> outputs = new ArrayList<>(of(fused.anchor(), anchorIn));
    if (fused.epilogue() != null) {
      Bounded subject = outputs.getFirst();
      List<Bounded> readable = new ArrayList<>(in);
      readable.add(subject);
      outputs.set(
          0,
          elementwise(
              fused.epilogue(),
              subject.dtype(),
              subject.shape(),
              readable,
              Precision.of(List.of(), List.of(subject.dtype()))));
    }
    return outputs;
  }

  /** One element of a shape, and the inputs there. */
  record Element(Shape shape, List<Bounded> in, int flat)
      implements ExprEvaluator.Element, java.util.function.IntFunction<Approximation> {

    @Override
    public Approximation apply(int index) {
      Bounded input = in.get(index);
      int at = 0;
      int rest = flat;
      int stride = 1;
      for (int axis = 1; axis <= input.shape().rank() && axis <= shape.rank(); axis++) {
        int dim = input.shape().dim(-axis);
        int coordinate = rest % shape.dim(-axis);
        rest /= shape.dim(-axis);
        at += dim == 1 ? 0 : coordinate * stride;
        stride *= dim;
      }
      return new Approximation(input.values()[at], input.errors()[at]);
    }

    @Override
    public double input(int index) {
      return apply(index).value();
    }

    @Override
    public long coordinate(int axis) {
      long rest = flat;
      for (int i = shape.rank() - 1; i > axis; i--) {
        rest /= shape.dim(i);
      }
      return rest % shape.dim(axis);
    }

    @Override
    public long flatIndex() {
      return flat;
    }
  }
}
