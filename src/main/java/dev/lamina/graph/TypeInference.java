package dev.lamina.graph;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * The types that each operation returns, and the checks of what it accepts. A message says the operation, what was
 * expected, what came, and what to do.
 */
public final class TypeInference {
  private TypeInference() {}

  /**
   * The output types of {@code op}.
   *
   * @throws IllegalArgumentException if the inputs do not fit, in one line
   */
  public static List<TensorType> infer(Op op, List<TensorType> in) {
    return switch (op) {
      case Op.Input(String _, TensorType type) -> List.of(type);
      case Op.Read(Variable variable) -> List.of(variable.type());
      case Op.Map map -> map(map, in);
      case Op.Reduce reduce -> List.of(reduce(reduce, in));
      case Op.ReduceWithMap(Op.Reduce reduce, Op.Map map) -> {
        require(
            reduce.shape().equals(map.shape()),
            op,
            in,
            "expected one shape, got " + reduce.shape() + " and " + map.shape());
        List<TensorType> types = new ArrayList<>(List.of(reduce(reduce, in)));
        types.addAll(map(map, in));
        yield types;
      }
      case Op.Reshape(Shape shape, boolean _) -> {
        expectInputs(op, in, 1);
        require(
            shape.size() == in.getFirst().shape().size(),
            op,
            in,
            "expected " + in.getFirst().shape().size() + " elements, " + shape + " has " + shape.size());
        yield List.of(new TensorType(shape, in.getFirst().dtype()));
      }
      case Op.MatMul matMul -> List.of(matMul(matMul, in));
      case Op.Conv2d(ConvSpec spec) -> {
        expectInputs(op, in, 2);
        yield List.of(conv2d(op, spec, in, in.get(0).shape(), in.get(1).shape()));
      }
      case Op.Conv2dInputGradient(ConvSpec spec, Shape image) -> {
        expectInputs(op, in, 2);
        TensorType output = conv2d(op, spec, in, image, in.get(1).shape());
        expectShape(op, in, 0, output.shape());
        yield List.of(new TensorType(image, in.getFirst().dtype()));
      }
      case Op.Conv2dFilterGradient(ConvSpec spec, Shape filter) -> {
        expectInputs(op, in, 2);
        TensorType output = conv2d(op, spec, in, in.get(0).shape(), filter);
        expectShape(op, in, 1, output.shape());
        yield List.of(new TensorType(filter, in.getFirst().dtype()));
      }
      case Op.Pool2d(Op.PoolKind kind, PoolSpec spec) -> {
        expectInputs(op, in, 1);
        Shape output = pool(op, spec, in, in.getFirst().shape());
        TensorType pooled = new TensorType(output, in.getFirst().dtype());
        yield kind == Op.PoolKind.MAX ? List.of(pooled, new TensorType(output, DType.U8)) : List.of(pooled);
      }
      case Op.Pool2dGradient(Op.PoolKind kind, PoolSpec spec, Shape image) -> {
        expectInputs(op, in, kind == Op.PoolKind.MAX ? 2 : 1);
        Shape output = pool(op, spec, in, image);
        for (int i = 0; i < in.size(); i++) {
          expectShape(op, in, i, output);
        }
        require(
            kind != Op.PoolKind.MAX || in.get(1).dtype() == DType.U8,
            op,
            in,
            "expected the winners, bytes, as input 1");
        yield List.of(new TensorType(image, in.getFirst().dtype()));
      }
      case Op.BatchNorm _ -> {
        expectInputs(op, in, 3);
        require(in.getFirst().shape().rank() >= 2, op, in, "expected [batch, …, channels]");
        TensorType channel = channel(in.getFirst());
        expectChannel(op, in, 1, 2);
        yield List.of(in.getFirst(), channel, channel, channel);
      }
      case Op.BatchNormGradient() -> {
        expectInputs(op, in, 5);
        expectChannel(op, in, 1, 3);
        expectShape(op, in, 4, in.getFirst().shape());
        TensorType channel = channel(in.getFirst());
        yield List.of(in.getFirst(), channel, channel);
      }
      case Op.SoftmaxCrossEntropy _ -> List.of(crossEntropy(op, in, 2));
      case Op.SoftmaxCrossEntropyGradient _ -> {
        TensorType loss = crossEntropy(op, in, 3);
        expectShape(op, in, 2, loss.shape());
        yield List.of(in.getFirst());
      }
      case Op.SoftmaxCrossEntropyWithGradient _ -> {
        TensorType loss = crossEntropy(op, in, 3);
        expectShape(op, in, 2, loss.shape());
        yield List.of(loss, in.getFirst());
      }
      case Op.Permute(List<Integer> axes) -> {
        expectInputs(op, in, 1);
        Shape shape = in.getFirst().shape();
        require(
            axes.size() == shape.rank() && new TreeSet<>(axes).equals(new TreeSet<>(ascending(shape.rank()))),
            op,
            in,
            "expected each axis of " + shape + " once, got " + axes);
        yield List.of(new TensorType(Shape.of(axes.stream().mapToInt(shape::dim).toArray()), in.getFirst().dtype()));
      }
      case Op.Slice(int axis, int start, int stop) -> {
        expectInputs(op, in, 1);
        expectAxis(op, in, axis);
        Shape shape = in.getFirst().shape();
        require(
            0 <= start && start < stop && stop <= shape.dim(axis),
            op,
            in,
            "expected a range within " + shape.dim(axis) + " along axis " + axis + ", got " + start + " to " + stop);
        yield List.of(new TensorType(shape.with(axis, stop - start), in.getFirst().dtype()));
      }
      case Op.Concat(int axis) -> List.of(concat(op, axis, in));
      case Op.Pad(int axis, int before, int after) -> {
        expectInputs(op, in, 1);
        expectAxis(op, in, axis);
        require(before >= 0 && after >= 0, op, in, "expected no negative padding, got " + before + " and " + after);
        Shape shape = in.getFirst().shape();
        yield List.of(new TensorType(shape.with(axis, shape.dim(axis) + before + after), in.getFirst().dtype()));
      }
      case Op.ArgMax() -> {
        expectInputs(op, in, 1);
        Shape shape = in.getFirst().shape();
        require(
            shape.rank() >= 1 && shape.last() >= 1, op, in, "expected at least one element along the last dimension");
        int[] dims = java.util.Arrays.copyOf(shape.dims(), shape.rank() - 1);
        yield List.of(TensorType.of(DType.I32, dims));
      }
      case Op.Histogram(int bins) -> {
        expectInputs(op, in, 3);
        DType dtype = in.getFirst().dtype();
        TensorType end = TensorType.of(dtype);
        require(
            dtype.isFloating() && in.get(1).equals(end) && in.get(2).equals(end),
            op,
            in,
            "expected floating-point values and two scalars of their type");
        require(
            1 <= bins && bins <= Op.Histogram.MOST_BINS,
            op,
            in,
            "expected 1 to " + Op.Histogram.MOST_BINS + " bins, got " + bins);
        yield List.of(TensorType.f32(bins));
      }
      case Op.Pack(List<Long> offsets, int size) -> {
        require(
            !in.isEmpty() && offsets.size() == in.size(),
            op,
            in,
            "expected one offset for each input, got " + offsets.size());
        long end = 0;
        for (int i = 0; i < in.size(); i++) {
          require(
              offsets.get(i) >= end && in.get(i).dtype() == in.getFirst().dtype(),
              op,
              in,
              "expected inputs of one type that do not overlap");
          end = offsets.get(i) + in.get(i).shape().size();
        }
        require(end <= size, op, in, "expected at most " + size + " elements, got " + end);
        yield List.of(TensorType.of(in.getFirst().dtype(), size));
      }
      case Op.Fused fused -> {
        int own = in.size() - fused.extras();
        require(
            own >= 0, op, in, "expected " + fused.extras() + " inputs more than those of " + fused.anchor().label());
        List<TensorType> types = infer(fused.anchor(), new ArrayList<>(in.subList(0, own)));
        if (fused.prologue() != null) {
          require(
              0 <= fused.prologueInput() && fused.prologueInput() < own,
              op,
              in,
              "there is no input " + fused.prologueInput() + " for the prologue");
          expectReads(op, in, fused.prologue(), in.size());
        }
        if (fused.epilogue() != null) {
          expectReads(op, in, fused.epilogue(), in.size() + 1);
        }
        yield types;
      }
    };
  }

  private static List<TensorType> map(Op.Map map, List<TensorType> in) {
    require(
        !map.exprs().isEmpty() && map.exprs().size() == map.dtypes().size(),
        map,
        in,
        "expected one type for each expression");
    for (Expr expr : map.exprs()) {
      expectReads(map, in, expr, in.size());
    }
    expectBroadcast(map, in, map.shape());
    return map.dtypes().stream().map(dtype -> new TensorType(map.shape(), dtype)).toList();
  }

  private static TensorType reduce(Op.Reduce reduce, List<TensorType> in) {
    expectReads(reduce, in, reduce.value(), in.size());
    expectBroadcast(reduce, in, reduce.shape());
    List<Integer> kept = new ArrayList<>(ascending(reduce.shape().rank()));
    for (int axis : reduce.axes()) {
      require(kept.remove(Integer.valueOf(axis)), reduce, in, "axis " + axis + " is not an axis of " + reduce.shape());
    }
    return new TensorType(Shape.of(kept.stream().mapToInt(reduce.shape()::dim).toArray()), reduce.dtype());
  }

  private static void expectReads(Op op, List<TensorType> in, Expr expr, int readable) {
    require(expr.inputCount() <= readable, op, in, "the expression reads input " + (expr.inputCount() - 1));
  }

  private static void expectBroadcast(Op op, List<TensorType> in, Shape shape) {
    for (TensorType type : in) {
      require(
          type.shape().broadcastsTo(shape),
          op,
          in,
          type.shape() + " cannot be repeated to " + shape + "; dimensions are matched from the last one");
    }
  }

  private static TensorType matMul(Op.MatMul op, List<TensorType> in) {
    expectInputs(op, in, 2);
    Shape a = in.get(0).shape();
    Shape b = in.get(1).shape();
    require(a.rank() == 2 && b.rank() == 2, op, in, "expected two matrices; is a Flatten missing?");
    int inner = op.transposeA() ? a.dim(0) : a.dim(1);
    int innerB = op.transposeB() ? b.dim(1) : b.dim(0);
    require(inner == innerB, op, in, "the inner dimensions are " + inner + " and " + innerB);
    expectSameType(op, in);
    return TensorType.of(
        in.getFirst().dtype(), op.transposeA() ? a.dim(1) : a.dim(0), op.transposeB() ? b.dim(0) : b.dim(1));
  }

  private static TensorType conv2d(Op op, ConvSpec spec, List<TensorType> in, Shape image, Shape filter) {
    require(image.rank() == 4, op, in, "expected an image [n,h,w,c], got " + image);
    require(filter.rank() == 4, op, in, "expected a filter [out,kh,kw,in], got " + filter);
    expectSameType(op, in);
    int groups = spec.groups();
    require(
        groups > 0 && image.dim(3) % groups == 0 && filter.dim(0) % groups == 0,
        op,
        in,
        "expected channels in and out that divide into " + groups + " groups");
    if (image.dim(3) / groups != filter.dim(3)) {
      String hint = image.dim(1) / groups == filter.dim(3) ? "; is the input NCHW?" : "";
      throw failure(
          op,
          in,
          "the input has "
              + image.dim(3)
              + " channels but the filter expects "
              + filter.dim(3) * groups
              + " (input "
              + image
              + " NHWC, filter "
              + filter
              + " OHWI)"
              + hint);
    }
    int height = spec.outputHeight(image.dim(1), filter.dim(1));
    int width = spec.outputWidth(image.dim(2), filter.dim(2));
    require(
        height > 0 && width > 0,
        op,
        in,
        "the filter of "
            + filter.dim(1)
            + "x"
            + filter.dim(2)
            + " does not fit in an image of "
            + image.dim(1)
            + "x"
            + image.dim(2)
            + " with padding "
            + spec.padding());
    return TensorType.of(in.getFirst().dtype(), image.dim(0), height, width, filter.dim(0));
  }

  private static Shape pool(Op op, PoolSpec spec, List<TensorType> in, Shape image) {
    require(image.rank() == 4, op, in, "expected an image [n,h,w,c], got " + image);
    require(spec.window().area() <= 256, op, in, "a window has at most 256 positions, got " + spec.window());
    Padding padding = spec.padding();
    require(
        Math.max(padding.top(), padding.bottom()) < spec.window().height()
            && Math.max(padding.left(), padding.right()) < spec.window().width(),
        op,
        in,
        "padding must be smaller than the window of " + spec.window() + ", got " + padding);
    int height = spec.outputHeight(image.dim(1));
    int width = spec.outputWidth(image.dim(2));
    require(
        height > 0 && width > 0,
        op,
        in,
        "a window of " + spec.window() + " does not fit in an image of " + image.dim(1) + "x" + image.dim(2));
    return Shape.of(image.dim(0), height, width, image.dim(3));
  }

  private static TensorType crossEntropy(Op op, List<TensorType> in, int inputs) {
    expectInputs(op, in, inputs);
    Shape logits = in.get(0).shape();
    Shape target = in.get(1).shape();
    require(logits.rank() == 2, op, in, "expected logits [batch, classes]");
    boolean indices = in.get(1).dtype() == DType.I32 && target.equals(Shape.of(logits.dim(0)));
    require(
        indices || (in.get(1).dtype().isFloating() && target.equals(logits)),
        op,
        in,
        "expected class indices I32[" + logits.dim(0) + "] or distributions " + logits + " as target");
    return TensorType.of(in.getFirst().dtype(), logits.dim(0));
  }

  private static TensorType concat(Op op, int axis, List<TensorType> in) {
    require(!in.isEmpty(), op, in, "expected at least one input");
    expectAxis(op, in, axis);
    expectSameType(op, in);
    Shape first = in.getFirst().shape();
    int extent = 0;
    for (TensorType type : in) {
      require(
          type.shape().rank() == first.rank() && type.shape().with(axis, 1).equals(first.with(axis, 1)),
          op,
          in,
          "expected shapes that differ in axis " + axis + " only");
      extent += type.shape().dim(axis);
    }
    return new TensorType(first.with(axis, extent), in.getFirst().dtype());
  }

  private static TensorType channel(TensorType image) {
    return TensorType.of(image.dtype() == DType.F64 ? DType.F64 : DType.F32, image.shape().last());
  }

  private static void expectChannel(Op op, List<TensorType> in, int from, int to) {
    for (int i = from; i <= to; i++) {
      expectShape(op, in, i, Shape.of(in.getFirst().shape().last()));
    }
  }

  private static void expectShape(Op op, List<TensorType> in, int index, Shape shape) {
    require(in.get(index).shape().equals(shape), op, in, "expected " + shape + " as input " + index);
  }

  private static void expectAxis(Op op, List<TensorType> in, int axis) {
    require(0 <= axis && axis < in.getFirst().shape().rank(), op, in, "there is no axis " + axis);
  }

  private static void expectInputs(Op op, List<TensorType> in, int count) {
    require(in.size() == count, op, in, "expected " + count + " inputs");
  }

  private static void expectSameType(Op op, List<TensorType> in) {
    require(in.stream().map(TensorType::dtype).distinct().count() == 1, op, in, "expected one element type");
  }

  private static List<Integer> ascending(int count) {
    return java.util.stream.IntStream.range(0, count).boxed().toList();
  }

  private static void require(boolean condition, Op op, List<TensorType> in, String expected) {
    if (!condition) {
      throw failure(op, in, expected);
    }
  }

  private static IllegalArgumentException failure(Op op, List<TensorType> in, String expected) {
    return new IllegalArgumentException(
        op.label() + ": " + expected + " (got " + (in.isEmpty() ? "no input" : join(in)) + ")");
  }

  private static String join(List<TensorType> in) {
    return String.join(", ", in.stream().map(TensorType::toString).toList());
  }
}
