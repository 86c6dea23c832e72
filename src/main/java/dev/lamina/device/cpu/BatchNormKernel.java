package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprRewriter;
import dev.lamina.graph.Exprs;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Batch normalisation: one pass over x for the statistics, and one expression {@code (x − mean)·scale + shift}, an
 * epilogue around it if there is one, for y.
 *
 * <p>The mean is known better than a float can say; what is lost by rounding it goes into the shift, so y stays
 * accurate where the mean is many times the deviation.
 */
final class BatchNormKernel implements CpuKernel {
  /** Mean, deviation, squares: see {@link ChannelSums#moments}. */
  private static final int SUMS = 3;

  /** Channels of a chunk when sums are joined. */
  private static final int CHANNELS = 8;

  private final double epsilon;
  private final ChannelRows layout;
  private final ChannelSums sums;
  private final MapKernel normalise;
  private final Workers workers;

  /**
   * Prepares it.
   *
   * @param inputs x, γ, β, then what the epilogue reads beside them
   * @param epilogue over the inputs and, behind them, the normalised value; null for none
   */
  BatchNormKernel(
      double epsilon,
      List<TensorType> inputs,
      Expr epilogue,
      ExprCompiler compiler,
      ChannelSums sums,
      Workers workers) {
    Shape shape = inputs.getFirst().shape();
    this.epsilon = epsilon;
    this.sums = sums;
    this.workers = workers;
    this.layout = new ChannelRows(shape.size() / shape.last(), shape.last());
    TensorType channel = TensorType.f32(shape.last());
    List<TensorType> types = new ArrayList<>(inputs);
    types.addAll(List.of(channel, channel, channel));
    this.normalise = compiler.map(List.of(value(inputs.size(), epilogue)), types, List.of(DType.F32), shape);
  }

  /** What y is, over {@code inputs} inputs and mean, scale and shift behind them. */
  static Expr value(int inputs, Expr epilogue) {
    Expr centred = Exprs.sub(Exprs.input(0), Exprs.input(inputs));
    Expr normalised = Exprs.add(Exprs.mul(centred, Exprs.input(inputs + 1)), Exprs.input(inputs + 2));
    if (epilogue == null) {
      return normalised;
    }
    List<Expr> places = new ArrayList<>(IntStream.range(0, inputs).mapToObj(Exprs::input).toList());
    places.add(normalised);
    return ExprRewriter.substitute(epilogue, places);
  }

  @Override
  public long workspaceBytes() {
    return layout.partialBytes(SUMS) + 2 * channelBytes();
  }

  private long channelBytes() {
    return Memory.aligned(4L * layout.channels());
  }

  /** The statistics are complete before the first element of y is written. */
  @Override
  public boolean canShare(int input, int output) {
    return output == 0 && normalise.canShare(input, output);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    return new Bound(inputs, outputs, workspace);
  }

  private final class Bound implements Step {
    private final long x;
    private final long gamma;
    private final long beta;
    private final long mean;
    private final long variance;
    private final long invStd;
    private final long partials;
    private final long scale;
    private final long shift;
    private final BoundMap map;
    private final Workers.Task moments = this::moments;
    private final Workers.Task join = this::join;

    Bound(long[] inputs, long[] outputs, long workspace) {
      x = inputs[0];
      gamma = inputs[1];
      beta = inputs[2];
      mean = outputs[1];
      variance = outputs[2];
      invStd = outputs[3];
      partials = workspace;
      scale = workspace + layout.partialBytes(SUMS);
      shift = scale + channelBytes();
      long[] all = java.util.Arrays.copyOf(inputs, inputs.length + 3);
      all[inputs.length] = mean;
      all[inputs.length + 1] = scale;
      all[inputs.length + 2] = shift;
      map = normalise.bind(all, new long[] {outputs[0]});
    }

    @Override
    public void run() {
      workers.run(moments, layout.chunks());
      workers.run(join, (layout.channels() + CHANNELS - 1) / CHANNELS);
      map.run(workers);
    }

    private void moments(int chunk) {
      sums.moments(
          x + 4 * layout.start(chunk),
          layout.rowsOf(chunk),
          layout.widthOf(chunk),
          layout.partial(partials, chunk, 0, SUMS),
          layout.partial(partials, chunk, 1, SUMS),
          layout.partial(partials, chunk, 2, SUMS));
    }

    private void join(int group) {
      int last = Math.min(layout.channels(), (group + 1) * CHANNELS);
      for (int channel = group * CHANNELS; channel < last; channel++) {
        join(channel, mean(channel));
      }
    }

    /** The mean of a channel, from those of the chunks and what was missing in them. */
    private double mean(int channel) {
      double sum = layout.fold(partials, 1, SUMS, channel);
      int chunks = layout.chunks();
      for (int chunk = 0; chunk < chunks; chunk++) {
        long means = layout.partial(partials, chunk, 0, SUMS);
        int rows = layout.rowsOf(chunk);
        int width = layout.widthOf(chunk);
        for (int column = channel; column < width; column += layout.channels()) {
          sum += rows * (double) Memory.get(means + 4L * column);
        }
      }
      return sum / layout.rows();
    }

    /**
     * Moves the squares of each chunk from its own mean to that of all: {@code Σ(x−μ)² = Σ(x−m)² + 2(m−μ)·Σ(x−m) +
     * rows·(m−μ)²}.
     */
    private void join(int channel, double exact) {
      double square = layout.fold(partials, 2, SUMS, channel);
      int chunks = layout.chunks();
      for (int chunk = 0; chunk < chunks; chunk++) {
        long means = layout.partial(partials, chunk, 0, SUMS);
        long deviations = layout.partial(partials, chunk, 1, SUMS);
        int rows = layout.rowsOf(chunk);
        int width = layout.widthOf(chunk);
        for (int column = channel; column < width; column += layout.channels()) {
          double apart = Memory.get(means + 4L * column) - exact;
          square += apart * (2 * Memory.get(deviations + 4L * column) + rows * apart);
        }
      }
      // NaN and infinity go through; rounding may leave a little less than nothing.
      double spread = square < 0 ? 0 : square / layout.rows();
      double inverse = 1 / Math.sqrt(spread + epsilon);
      double slope = Memory.get(gamma + 4L * channel) * inverse;
      float rounded = (float) exact;
      Memory.set(mean + 4L * channel, rounded);
      Memory.set(variance + 4L * channel, (float) spread);
      Memory.set(invStd + 4L * channel, (float) inverse);
      Memory.set(scale + 4L * channel, (float) slope);
      Memory.set(shift + 4L * channel, (float) (Memory.get(beta + 4L * channel) - (exact - rounded) * slope));
    }
  }
}
