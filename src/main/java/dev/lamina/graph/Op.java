package dev.lamina.graph;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;

/**
 * What a node computes. Images are [n][h][w][c], filters [out][kh][kw][in / groups]; {@link TypeInference} says what
 * each operation accepts and returns, and checks it once, in front of every device.
 */
public sealed interface Op {

  /** A tensor that the caller hands in for each step. */
  record Input(String name, TensorType type) implements Op {}

  /** The value of a variable at the start of the step. */
  record Read(Variable variable) implements Op {}

  /**
   * Expressions over {@code shape}. Inputs are repeated to it; output i has that shape and type {@code dtypes[i]}.
   *
   * @param exprs one for each output, over the same inputs
   */
  record Map(List<Expr> exprs, List<DType> dtypes, Shape shape) implements Op {
    public Map {
      exprs = List.copyOf(exprs);
      dtypes = List.copyOf(dtypes);
    }

    /** One output. */
    public Map(Expr expr, DType dtype, Shape shape) {
      this(List.of(expr), List.of(dtype), shape);
    }
  }

  /**
   * Reduces {@code value}, evaluated over {@code shape} like a {@link Map}, along {@code axes}; these are gone from the
   * output.
   *
   * @param axes ascending
   */
  record Reduce(ReduceKind kind, Expr value, DType dtype, Shape shape, List<Integer> axes) implements Op {
    public Reduce {
      axes = List.copyOf(axes);
    }
  }

  /**
   * A reduction and a map over one shape in one pass over what they read, for devices that say they can. Inputs: the
   * same list for both. Outputs: the reduction's, then the map's.
   */
  record ReduceWithMap(Reduce reduce, Map map) implements Op {}

  /** How {@link Reduce} joins values. */
  enum ReduceKind {
    SUM,
    /** NaN if any is NaN. */
    MAX,
    /** NaN if any is NaN. */
    MIN
  }

  /**
   * The same elements under another shape: no memory of its own.
   *
   * @param detached whether no gradient flows back through it
   */
  record Reshape(Shape shape, boolean detached) implements Op {
    /** One that gradients flow through. */
    public Reshape(Shape shape) {
      this(shape, false);
    }
  }

  /**
   * {@code op(A)·op(B)} of two matrices, each transposed first if asked.
   *
   * @param exact whether 32-bit factors are taken as they are by a device that may round others to TF32
   */
  record MatMul(boolean transposeA, boolean transposeB, boolean exact) implements Op {
    /** One whose factors a device may round. */
    public MatMul(boolean transposeA, boolean transposeB) {
      this(transposeA, transposeB, false);
    }
  }

  /** Inputs: image, filter. */
  record Conv2d(ConvSpec spec) implements Op {}

  /** Inputs: gradient of the output, filter. Output: gradient of the image, of shape {@code image}. */
  record Conv2dInputGradient(ConvSpec spec, Shape image) implements Op {}

  /** Inputs: image, gradient of the output. Output: gradient of the filter, of shape {@code filter}. */
  record Conv2dFilterGradient(ConvSpec spec, Shape filter) implements Op {}

  /**
   * Outputs: the pooled image; for {@link PoolKind#MAX} also, as bytes, which position of its window (row-major) won:
   * the first of the largest, or the first NaN.
   */
  record Pool2d(PoolKind kind, PoolSpec spec) implements Op {}

  /**
   * Inputs: gradient of the output; for {@link PoolKind#MAX} also the winners. Output: gradient of the image, of shape
   * {@code image}.
   */
  record Pool2dGradient(PoolKind kind, PoolSpec spec, Shape image) implements Op {}

  /** How {@link Pool2d} joins a window. */
  enum PoolKind {
    MAX,
    AVERAGE
  }

  /**
   * Batch normalisation over all dimensions but the last (Ioffe and Szegedy 2015): {@code y = γ·(x − mean)·invStd + β}.
   * Inputs: x, γ [c], β [c]. Outputs: y, mean [c], biased variance [c], {@code invStd = 1/√(variance + ε)} [c].
   */
  record BatchNorm(double epsilon) implements Op {}

  /** Inputs: x, γ, mean, invStd, gradient of y. Outputs: gradients of x, γ, β. */
  record BatchNormGradient() implements Op {}

  /**
   * The cross-entropy, for each row, between softmax(logits) [n, c] and a target: class indices I32 [n], or
   * distributions [n, c]. Output: [n].
   *
   * @param labelSmoothing share of the target spread evenly over all classes (Szegedy et al. 2016), 0 for none
   */
  record SoftmaxCrossEntropy(double labelSmoothing) implements Op {}

  /** Inputs: logits, target, gradient of the loss [n]. Output: gradient of the logits. */
  record SoftmaxCrossEntropyGradient(double labelSmoothing) implements Op {}

  /**
   * Both at once, for devices that say they can: the exponentials are computed once. Inputs: logits, target, gradient
   * of the loss [n]. Outputs: loss [n], gradient of the logits.
   */
  record SoftmaxCrossEntropyWithGradient(double labelSmoothing) implements Op {}

  /** Dimension i of the output is dimension {@code axes[i]} of the input. */
  record Permute(List<Integer> axes) implements Op {
    public Permute {
      axes = List.copyOf(axes);
    }
  }

  /** Elements {@code start} (inclusive) to {@code stop} (exclusive) along {@code axis}. */
  record Slice(int axis, int start, int stop) implements Op {}

  /** All inputs, one behind the other along {@code axis}. */
  record Concat(int axis) implements Op {}

  /** Zeros before and after, along {@code axis}. */
  record Pad(int axis, int before, int after) implements Op {}

  /** Along the last dimension, the index of the largest element as I32: the first of equals; NaN counts as largest. */
  record ArgMax() implements Op {}

  /**
   * How many elements lie in each of {@code bins} equal parts of [low, high], both ends included: x is in part {@code
   * ⌊(x − low)·(bins/(high − low))⌋}, computed in double, but high itself in the last, and if high = low in the first.
   * Elements beyond the ends and NaN are in none. Inputs: x, low [], high [], of one type. Output: F32 [bins].
   */
  record Histogram(int bins) implements Op {
    /** The most bins: their counters fit a GPU's shared memory. */
    public static final int MOST_BINS = 4096;
  }

  /**
   * One flat vector of {@code size} elements with input i beginning at {@code offsets[i]}, zeros between: the layout of
   * {@link Variable#pack}. A plan lets its inputs be computed in place where it can.
   */
  record Pack(List<Long> offsets, int size) implements Op {
    public Pack {
      offsets = List.copyOf(offsets);
    }
  }

  /**
   * {@code anchor} with expressions riding on it, so that their values never travel through memory. Inputs: those of
   * the anchor, then {@code extras} more. Every expression sees them under their index; its own subject is that of the
   * anchor.
   *
   * <ul>
   *   <li>{@code prologue} replaces the anchor's input {@code prologueInput} as it is read (null: none). All it reads
   *       has that input's shape, is one value a channel (the last dimension), or a scalar.
   *   <li>{@code epilogue} replaces the anchor's output 0 as it is written (null: none); input {@code inputs.size()} is
   *       the value that the anchor made. All else it reads has that output's shape, is one value a channel, or a
   *       scalar.
   * </ul>
   *
   * A device says which of these it can run ({@code Device.supports}); where it cannot, the parts run.
   */
  record Fused(Op anchor, int prologueInput, Expr prologue, Expr epilogue, int extras) implements Op {}

  /** The word for messages and tables, for example {@code conv2d}. */
  default String label() {
    return switch (this) {
      case Input(String name, TensorType _) -> "input " + name;
      case Read(Variable variable) -> "read " + variable.name();
      case Map map -> map.exprs.size() == 1 ? "map" : "map x" + map.exprs.size();
      case Reduce reduce -> "reduce " + reduce.kind.name().toLowerCase(java.util.Locale.ROOT);
      case ReduceWithMap(Reduce reduce, Map map) -> reduce.label() + " with " + map.label();
      case Reshape _ -> "reshape";
      case MatMul _ -> "matmul";
      case Conv2d _ -> "conv2d";
      case Conv2dInputGradient _ -> "conv2d input gradient";
      case Conv2dFilterGradient _ -> "conv2d filter gradient";
      case Pool2d pool -> pool.kind == PoolKind.MAX ? "max pool" : "average pool";
      case Pool2dGradient pool -> pool.kind == PoolKind.MAX ? "max pool gradient" : "average pool gradient";
      case BatchNorm _ -> "batch norm";
      case BatchNormGradient _ -> "batch norm gradient";
      case SoftmaxCrossEntropy _ -> "softmax cross-entropy";
      case SoftmaxCrossEntropyGradient _ -> "softmax cross-entropy gradient";
      case SoftmaxCrossEntropyWithGradient _ -> "softmax cross-entropy with gradient";
      case Permute _ -> "permute";
      case Slice _ -> "slice";
      case Concat _ -> "concat";
      case Pad _ -> "pad";
      case ArgMax _ -> "argmax";
      case Histogram _ -> "histogram";
      case Pack _ -> "pack";
      case Fused fused ->
          fused.anchor.label()
              + (fused.prologue == null ? "" : " after map")
              + (fused.epilogue == null ? "" : " + map");
    };
  }
}
