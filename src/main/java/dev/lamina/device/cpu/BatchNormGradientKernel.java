package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The gradient of batch normalisation. One pass over x and dy sums {@code dy} and {@code dy·(x − mean)} for each
 * channel; then
 *
 * <pre>dx = γ·invStd·((dy − Σdy/n) − (x − mean)·invStd²·Σ(dy·(x − mean))/n),  dγ = invStd·Σ(dy·(x − mean)),  dβ = Σdy
 * </pre>
 *
 * is an expression (Ioffe and Szegedy 2015, section 3, simplified). A prologue on dy is computed in both passes and
 * never written to memory.
 */
final class BatchNormGradientKernel implements CpuKernel {
  /** Position of dy among the inputs. */
  static final int GRADIENT = 4;

  /** Sum and product: see {@link ChannelSums#gradients}. */
  private static final int SUMS = 2;

  /** Channels of a chunk when sums are joined. */
  private static final int CHANNELS = 8;

  /** What is computed ahead at once: it stays in the first-level cache. */
  private static final int PROLOGUE_BYTES = 16 * 1024;

  private final ChannelRows layout;
  private final ChannelSums sums;
  private final MapKernel prologue;
  private final MapKernel gradient;
  private final Workers workers;

  /**
   * Prepares it.
   *
   * @param inputs x, γ, mean, invStd, dy, then what the prologue reads beside them
   * @param prologue over the inputs, instead of dy; null for dy itself
   */
  BatchNormGradientKernel(
      List<TensorType> inputs, Expr prologue, ExprCompiler compiler, ChannelSums sums, Workers workers) {
    Shape shape = inputs.getFirst().shape();
    this.sums = sums;
    this.workers = workers;
    this.layout = new ChannelRows(shape.size() / shape.last(), shape.last());
    TensorType channel = TensorType.f32(shape.last());
    List<TensorType> types = new ArrayList<>(inputs);
    types.addAll(List.of(channel, channel, channel));
    List<DType> output = List.of(DType.F32);
    this.prologue = prologue == null ? null : compiler.map(List.of(prologue), inputs, output, shape);
    this.gradient = compiler.map(List.of(value(inputs.size(), prologue)), types, output, shape);
  }

  /** What dx is, over {@code inputs} inputs and Σdy/n, invStd²·Σ(dy·(x − mean))/n and γ·invStd behind them. */
  static Expr value(int inputs, Expr prologue) {
    Expr dy = prologue == null ? Exprs.input(GRADIENT) : prologue;
    Expr centred = Exprs.sub(dy, Exprs.input(inputs));
    Expr along = Exprs.mul(Exprs.sub(Exprs.input(0), Exprs.input(2)), Exprs.input(inputs + 1));
    return Exprs.mul(Exprs.sub(centred, along), Exprs.input(inputs + 2));
  }

  @Override
  public long workspaceBytes() {
    return layout.partialBytes(SUMS)
        + 3 * channelBytes()
        + Memory.aligned(4L * layout.width())
        + workers.threads() * stageBytes();
  }

  private long channelBytes() {
    return Memory.aligned(4L * layout.channels());
  }

  private int stageRows() {
    return Math.max(1, PROLOGUE_BYTES / (4 * layout.width()));
  }

  private long stageBytes() {
    return prologue == null ? 0 : Memory.aligned(4L * layout.width() * stageRows());
  }

  /** The sums are complete before the first element of dx is written. */
  @Override
  public boolean canShare(int input, int output) {
    return output == 0 && gradient.canShare(input, output);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    return new Bound(inputs, outputs, workspace);
  }

  private final class Bound implements Step {
    private final long x;
    private final long gamma;
    private final long mean;
    private final long invStd;
    private final long dy;
    private final long gammaGradient;
    private final long betaGradient;
    private final long partials;
    private final long meanGradient;
    private final long along;
    private final long slope;
    private final long means;
    private final long stages;
    private final BoundMap ahead;
    private final BoundMap map;
    private final Workers.SlotTask sum = this::sum;
    private final Workers.Task join = this::join;

    Bound(long[] inputs, long[] outputs, long workspace) {
      x = inputs[0];
      gamma = inputs[1];
      mean = inputs[2];
      invStd = inputs[3];
      dy = inputs[GRADIENT];
      gammaGradient = outputs[1];
      betaGradient = outputs[2];
      partials = workspace;
      meanGradient = workspace + layout.partialBytes(SUMS);
      along = meanGradient + channelBytes();
      slope = along + channelBytes();
      means = slope + channelBytes();
      stages = means + Memory.aligned(4L * layout.width());
      long[] all = Arrays.copyOf(inputs, inputs.length + 3);
      all[inputs.length] = meanGradient;
      all[inputs.length + 1] = along;
      all[inputs.length + 2] = slope;
      ahead = prologue == null ? null : prologue.bind(inputs, new long[] {0});
      map = gradient.bind(all, new long[] {outputs[0]});
    }

    @Override
    public void run() {
      for (int i = 0; i < layout.together(); i++) {
        Memory.copy(mean, means + 4L * i * layout.channels(), 4L * layout.channels());
      }
      workers.run(sum, layout.chunks());
      workers.run(join, (layout.channels() + CHANNELS - 1) / CHANNELS);
      map.run(workers);
    }

    private void sum(int chunk, int slot) {
      long start = layout.start(chunk);
      int rows = layout.rowsOf(chunk);
      int width = layout.widthOf(chunk);
      long sum = layout.partial(partials, chunk, 0, SUMS);
      long product = layout.partial(partials, chunk, 1, SUMS);
      Memory.clear(sum, 4L * width);
      Memory.clear(product, 4L * width);
      if (ahead == null) {
        sums.gradients(x + 4 * start, dy + 4 * start, rows, width, means, sum, product);
        return;
      }
      long stage = stages + slot * stageBytes();
      int together = stageRows();
      for (int row = 0; row < rows; row += together) {
        int count = Math.min(together, rows - row);
        long at = start + (long) row * width;
        ahead.into(at, count * width, stage);
        sums.gradients(x + 4 * at, stage, count, width, means, sum, product);
      }
    }

    private void join(int group) {
      int last = Math.min(layout.channels(), (group + 1) * CHANNELS);
      for (int channel = group * CHANNELS; channel < last; channel++) {
        double sum = layout.fold(partials, 0, SUMS, channel);
        double product = layout.fold(partials, 1, SUMS, channel);
        double inverse = Memory.get(invStd + 4L * channel);
        Memory.set(gammaGradient + 4L * channel, (float) (inverse * product));
        Memory.set(betaGradient + 4L * channel, (float) sum);
        Memory.set(meanGradient + 4L * channel, (float) (sum / layout.rows()));
        Memory.set(along + 4L * channel, (float) (inverse * inverse * product / layout.rows()));
        Memory.set(slope + 4L * channel, (float) (Memory.get(gamma + 4L * channel) * inverse));
      }
    }
  }
}
