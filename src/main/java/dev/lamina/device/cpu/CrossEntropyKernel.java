package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
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
  private final boolean loss;
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
   * @param loss whether its first output is the loss
   * @param gradient whether its last output is the gradient
   * @param inputs logits, target, and for the gradient that of the loss
   */
  CrossEntropyKernel(
      double smoothing,
      boolean loss,
      boolean gradient,
      List<TensorType> inputs,
      ExprCompiler compiler,
      SoftmaxLoops loops,
      Workers workers) {
    Shape shape = inputs.getFirst().shape();
    this.smoothing = smoothing;
    this.loss = loss;
    this.gradient = gradient;
    this.indices = inputs.get(1).dtype() == DType.I32;
    this.classes = shape.last();
    this.rows = shape.dim(0);
    this.together = Math.max(1, Math.min(rows, BLOCK / classes));
    this.loops = loops;
    this.workers = workers;
    this.exp = unary(Expr.UnaryOp.EXP, TensorType.f32(together, classes), compiler);
    this.log1p = unary(Expr.UnaryOp.LOG1P, TensorType.f32(together), compiler);
  }

  private static MapKernel unary(Expr.UnaryOp op, TensorType type, ExprCompiler compiler) {
    return compiler.map(List.of(Exprs.unary(op, Exprs.input(0))), List.of(type), List.of(DType.F32), type.shape());
  }

  /** For each thread a vector, and for a block's rows the largest logit, a sum, its logarithm and the exponentials. */
  @Override
  public long workspaceBytes() {
    return workers.threads() * slotBytes();
  }

  private long slotBytes() {
    return Memory.ALIGNMENT + 3 * columnBytes() + Memory.aligned(4L * together * classes);
  }

  private long columnBytes() {
    return Memory.aligned(4L * together);
  }

  /** A row's gradient is written after its logits have been read. */
  @Override
  public boolean canShare(int input, int output) {
    return gradient && input == 0 && output == (loss ? 1 : 0);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    Bound bound = new Bound(inputs, outputs, workspace);
    Workers.SlotTask block = bound::block;
    int chunks = (rows + together - 1) / together;
    return () -> workers.run(block, chunks);
  }

  private final class Bound {
    private final long logits;
    private final long targets;
    private final long lossGradient;
    private final long losses;
    private final long gradients;
    private final long slots;
    private final BoundMap[] exps;
    private final BoundMap[] logs;

    /**
     * What is done with a block, one after the other while it is in the first-level cache. The call goes to one of many
     * classes, so that C2 compiles each stage by itself: what it inlines into one method must stay small, or it gives
     * up on vectors in its midst.
     */
    private final Workers.SlotTask[] stages;

    Bound(long[] inputs, long[] outputs, long workspace) {
      logits = inputs[0];
      targets = inputs[1];
      lossGradient = gradient ? inputs[2] : 0;
      losses = outputs[0];
      gradients = outputs[outputs.length - 1];
      slots = workspace;
      exps = new BoundMap[workers.threads()];
      logs = new BoundMap[workers.threads()];
      for (int slot = 0; slot < exps.length; slot++) {
        exps[slot] = bind(exp, exponentialsAt(slot), exponentialsAt(slot));
        logs[slot] = bind(log1p, sumsAt(slot), logsAt(slot));
      }
      List<Workers.SlotTask> all = new ArrayList<>(List.of(this::centre, this::exponentials, this::sums));
      if (loss) {
        all.add(this::losses);
      }
      if (gradient) {
        all.add(this::gradients);
      }
      stages = all.toArray(Workers.SlotTask[]::new);
    }

    private static BoundMap bind(MapKernel kernel, long from, long to) {
      return kernel.bind(new long[] {from}, new long[] {to});
    }

    private long lanesAt(int slot) {
      return slots + slot * slotBytes();
    }

    private long largestsAt(int slot) {
      return lanesAt(slot) + Memory.ALIGNMENT;
    }

    private long sumsAt(int slot) {
      return largestsAt(slot) + columnBytes();
    }

    private long logsAt(int slot) {
      return sumsAt(slot) + columnBytes();
    }

    private long exponentialsAt(int slot) {
      return logsAt(slot) + columnBytes();
    }

    void block(int chunk, int slot) {
      for (Workers.SlotTask stage : stages) {
        stage.run(chunk, slot);
      }
    }

    private int rowsOf(int chunk) {
      return Math.min(together, rows - chunk * together);
    }

    /** {@code logit − largest}. A NaN makes its row NaN wherever it is. */
    private void centre(int chunk, int slot) {
      long at = logits + 4L * chunk * together * classes;
      for (int i = 0; i < rowsOf(chunk); i++) {
        long row = 4L * i * classes;
        float largest = loops.largest(at + row, classes, lanesAt(slot));
        Memory.set(largestsAt(slot) + 4L * i, largest);
        loops.scale(at + row, classes, 1, -largest, exponentialsAt(slot) + row);
      }
    }

    private void exponentials(int chunk, int slot) {
      exps[slot].range(0, (long) rowsOf(chunk) * classes);
    }

    /** Of each row's exponentials, without that of the largest logit. */
    private void sums(int chunk, int slot) {
      for (int i = 0; i < rowsOf(chunk); i++) {
        Memory.set(sumsAt(slot) + 4L * i, rest(exponentialsAt(slot) + 4L * i * classes, lanesAt(slot)));
      }
    }

    private void losses(int chunk, int slot) {
      int first = chunk * together;
      logs[slot].range(0, rowsOf(chunk));
      for (int i = 0; i < rowsOf(chunk); i++) {
        float largest = Memory.get(largestsAt(slot) + 4L * i);
        Memory.set(losses + 4L * (first + i), loss(first + i, largest, Memory.get(logsAt(slot) + 4L * i)));
      }
    }

    private void gradients(int chunk, int slot) {
      int first = chunk * together;
      for (int i = 0; i < rowsOf(chunk); i++) {
        gradient(first + i, Memory.get(sumsAt(slot) + 4L * i), exponentialsAt(slot) + 4L * i * classes);
      }
    }

    private float logit(int row, int c) {
      return Memory.get(logits + 4 * ((long) row * classes + c));
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

    private void gradient(int row, float rest, long exps) {
      double mass = mass(row);
      double weight = Memory.get(lossGradient + 4L * row);
      double scale = mass / (1.0 + rest);
      long at = gradients + 4L * row * classes;
      if (!indices) {
        for (int c = 0; c < classes; c++) {
          Memory.set(at + 4L * c, (float) (weight * (scale * Memory.get(exps + 4L * c) - target(row, c))));
        }
        return;
      }
      int label = label(row);
      boolean valid = label >= 0 && label < classes;
      float own = valid ? (float) (weight * (scale * Memory.get(exps + 4L * label) - target(row, label))) : 0;
      // All classes but one have the same share of the target.
      double slope = weight * scale;
      double even = weight * smoothing / classes;
      loops.scale(exps, classes, (float) slope, (float) -even, at);
      if (valid) {
        Memory.set(at + 4L * label, own);
      }
    }
  }
}
