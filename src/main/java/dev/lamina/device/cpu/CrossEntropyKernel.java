package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Softmax cross-entropy and its gradient. With m the largest logit of a row, z = x − m and r the sum of exp(z) without
 * that of the largest, which is 1:
 *
 * <pre>loss = Σ t·(log1p(r) − z),  gradient = dl·(Σt·exp(z)/(1 + r) − t)</pre>
 *
 * so a loss near 0 keeps its digits. A label that names no class makes its row NaN, and with it the step, which the
 * finite guard then drops.
 */
final class CrossEntropyKernel implements CpuKernel {
  /** Elements whose exponentials are computed at once, unless one row has more: they stay in the first-level cache. */
  private static final int BLOCK = 2048;

  /**
   * Below this, the sum of all exponentials but the largest, which is 1, is added up without that one: a difference
   * would have lost its digits.
   */
  private static final double SMALL = 0x1p-10;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private final double smoothing;
  private final boolean gradient;
  private final boolean indices;
  private final int classes;
  private final int rows;
  private final int together;
  private final MapKernel exp;
  private final MapKernel log1p;
  private final SoftmaxLoops loops;
  private final Workers workers;

  /**
   * Prepares it.
   *
   * @param inputs logits, target, and for the gradient that of the loss
   */
  CrossEntropyKernel(
      double smoothing,
      boolean gradient,
      List<TensorType> inputs,
      ExprCompiler compiler,
      SoftmaxLoops loops,
      Workers workers) {
    Shape shape = inputs.getFirst().shape();
    this.smoothing = smoothing;
    this.gradient = gradient;
    this.indices = inputs.get(1).dtype() == DType.I32;
    this.classes = shape.last();
    this.rows = shape.dim(0);
    this.together = Math.max(1, Math.min(rows, BLOCK / classes));
    this.loops = loops;
    this.workers = workers;
    this.exp = inPlace(Expr.UnaryOp.EXP, TensorType.f32(gradient ? rows : together, classes), compiler);
    this.log1p = inPlace(Expr.UnaryOp.LOG1P, TensorType.f32(rows), compiler);
  }

  private static MapKernel inPlace(Expr.UnaryOp op, TensorType type, ExprCompiler compiler) {
    return compiler.map(List.of(Exprs.unary(op, Exprs.input(0))), List.of(type), List.of(DType.F32), type.shape());
  }

  /** For all rows the largest logit and a sum, for each thread a block of exponentials and a vector. */
  @Override
  public long workspaceBytes() {
    return 2 * rowBytes() + workers.threads() * slotBytes();
  }

  private long rowBytes() {
    return Memory.aligned(4L * rows);
  }

  private long slotBytes() {
    return (gradient ? 0 : Memory.aligned(4L * together * classes)) + Memory.ALIGNMENT;
  }

  /** The exponentials of a row are written where its gradient will be, after its logits have been read. */
  @Override
  public boolean canShare(int input, int output) {
    return gradient && input == 0;
  }

  /**
   * Two passes: C2 inlines what a pass does into one method, and gives up on vectors where that becomes too large (some
   * 25 accesses of memory).
   */
  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    Bound bound = new Bound(inputs, outputs, workspace);
    Workers.SlotTask exponentials = bound::exponentials;
    Workers.Task finish = gradient ? bound::gradients : bound::losses;
    int chunks = (rows + together - 1) / together;
    return () -> {
      workers.run(exponentials, chunks);
      workers.run(finish, chunks);
    };
  }

  private final class Bound {
    private final long logits;
    private final long targets;
    private final long lossGradient;
    private final long output;
    private final long largests;
    private final long sums;
    private final long slots;
    private final BoundMap[] exps;
    private final BoundMap logs;

    Bound(long[] inputs, long[] outputs, long workspace) {
      logits = inputs[0];
      targets = inputs[1];
      lossGradient = gradient ? inputs[2] : 0;
      output = outputs[0];
      largests = workspace;
      sums = largests + rowBytes();
      slots = sums + rowBytes();
      exps = new BoundMap[workers.threads()];
      for (int slot = 0; slot < exps.length; slot++) {
        long[] place = {gradient ? output : slots + slot * slotBytes() + Memory.ALIGNMENT};
        exps[slot] = exp.bind(place, place);
      }
      long[] all = {sums};
      logs = log1p.bind(all, all);
    }

    private int rowsOf(int chunk) {
      return Math.min(together, rows - chunk * together);
    }

    /** Of a chunk's rows: the largest logit, exponentials relative to that, and the sum of the others. */
    void exponentials(int chunk, int slot) {
      int first = chunk * together;
      int count = rowsOf(chunk);
      long lanes = slots + slot * slotBytes();
      long block = gradient ? output + 4L * first * classes : lanes + Memory.ALIGNMENT;
      for (int i = 0; i < count; i++) {
        float largest = loops.largest(logits + 4L * (first + i) * classes, classes, lanes);
        Memory.set(largests + 4L * (first + i), largest);
        centre(first + i, largest, block + 4L * i * classes);
      }
      long from = gradient ? (long) first * classes : 0;
      exps[slot].range(from, from + (long) count * classes);
      for (int i = 0; i < count; i++) {
        Memory.set(sums + 4L * (first + i), rest(block + 4L * i * classes, lanes));
      }
    }

    void losses(int chunk) {
      int first = chunk * together;
      int count = rowsOf(chunk);
      logs.range(first, first + count);
      for (int row = first; row < first + count; row++) {
        Memory.set(output + 4L * row, loss(row, Memory.get(largests + 4L * row), Memory.get(sums + 4L * row)));
      }
    }

    void gradients(int chunk) {
      int first = chunk * together;
      for (int row = first; row < first + rowsOf(chunk); row++) {
        gradient(row, Memory.get(sums + 4L * row));
      }
    }

    private float logit(int row, int c) {
      return Memory.get(logits + 4 * ((long) row * classes + c));
    }

    /** {@code logit − largest}. A NaN makes its row NaN wherever it is. */
    private void centre(int row, float largest, long to) {
      loops.scale(logits + 4L * row * classes, classes, 1, -largest, to);
    }

    private float rest(long exps, long lanes) {
      double rest = loops.sum(exps, classes, lanes) - 1;
      return (float) (rest < SMALL ? smallRest(exps) : rest);
    }

    /** The sum of all exponentials but one of the largest. */
    private double smallRest(long exps) {
      double sum = 0;
      boolean met = false;
      for (int c = 0; c < classes; c++) {
        float e = Memory.get(exps + 4L * c);
        if (e == 1 && !met) {
          met = true;
        } else {
          sum += e;
        }
      }
      return sum;
    }

    /** The share of class {@code c} in the target. */
    private double target(int row, int c) {
      double hard = indices ? (label(row) == c ? 1 : 0) : Memory.get(targets + 4 * ((long) row * classes + c));
      return (1 - smoothing) * hard + smoothing / classes;
    }

    private int label(int row) {
      return Memory.ALL.get(INT, targets + 4L * row);
    }

    /** The sum of a row's target: 1, unless a distribution does not add up; NaN where a label names no class. */
    private double mass(int row) {
      if (indices) {
        return label(row) < 0 || label(row) >= classes ? Double.NaN : 1;
      }
      double sum = 0;
      for (int c = 0; c < classes; c++) {
        sum += target(row, c);
      }
      return sum;
    }

    private float loss(int row, float largest, float log) {
      double loss = mass(row) * log;
      if (indices && smoothing == 0) {
        // A label that names no class has made the mass, and with it the loss, NaN.
        int label = label(row);
        return (float) (label < 0 || label >= classes ? loss : loss - ((double) logit(row, label) - largest));
      }
      for (int c = 0; c < classes; c++) {
        double share = target(row, c);
        // A class that is not asked for may have a logit of −∞.
        if (share != 0) {
          loss -= share * ((double) logit(row, c) - largest);
        }
      }
      return (float) loss;
    }

    /** In place of the row's exponentials. */
    private void gradient(int row, float rest) {
      double mass = mass(row);
      double weight = Memory.get(lossGradient + 4L * row);
      double scale = mass / (1.0 + rest);
      long at = output + 4L * row * classes;
      if (!indices) {
        for (int c = 0; c < classes; c++) {
          Memory.set(at + 4L * c, (float) (weight * (scale * Memory.get(at + 4L * c) - target(row, c))));
        }
        return;
      }
      int label = label(row);
      boolean valid = label >= 0 && label < classes;
      float own = valid ? (float) (weight * (scale * Memory.get(at + 4L * label) - target(row, label))) : 0;
      // All classes but one have the same share of the target.
      double slope = weight * scale;
      double even = weight * smoothing / classes;
      loops.scale(at, classes, (float) slope, (float) -even, at);
      if (valid) {
        Memory.set(at + 4L * label, own);
      }
    }
  }
}
