package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Batch normalisation and its gradient: sums over parts of the rows, which are joined, and a pass over the elements.
 * Where parts and channels are few, each block of that pass joins what it needs, and two launches do; else a small one
 * between them does it once. An expression may ride on y as it is written, or on the gradient of y as it is read.
 */
final class BatchNormLaunches {
  /** Which input of the gradient is that of y. */
  static final int GRADIENT = 4;

  /** Channels of a block that does nothing but join, as in {@code batch_norm_statistics.cu}. */
  private static final int JOINED = 8;

  /**
   * Bytes of partial sums that each block of a pass may well read for itself: a launch of its own takes some two
   * microseconds, as long as it takes a block to read these from the second-level cache.
   */
  private static final int FEW_BYTES = 16 << 10;

  private final Op.Fused op;
  private final List<TensorType> types;
  private final boolean forward;
  private final DType real;

  private final Ride ride;

  private BatchNormLaunches(Op op, List<TensorType> types) {
    this.op = Ride.fused(op);
    this.types = types;
    this.forward = this.op.anchor() instanceof Op.BatchNorm;
    this.real = types.getFirst().dtype();
    this.ride = forward ? Ride.epilogue(this.op, types, types.getFirst()) : Ride.prologue(this.op, types, GRADIENT);
  }

  static Optional<String> unsupported(Op op, List<TensorType> types) {
    Op.Fused fused = Ride.fused(op);
    boolean forward = fused.anchor() instanceof Op.BatchNorm;
    DType real = types.getFirst().dtype();
    Optional<String> reason = Real.unsupported(real);
    if (reason.isPresent()) {
      return reason;
    }
    for (int i = 1; i < (forward ? 3 : 5); i++) {
      DType expected = i == GRADIENT ? real : DType.F32;
      if (types.get(i).dtype() != expected) {
        return Optional.of("the CUDA device takes input " + i + " in " + expected + ", not in " + types.get(i).dtype());
      }
    }
    return Ride.unsupported(fused, forward, GRADIENT, types, types.getFirst());
  }

  /** Whether output {@code output} may overwrite input {@code input}: what is read of an element is read first. */
  static boolean canShare(Op op, List<TensorType> types, int input, int output) {
    boolean forward = new BatchNormLaunches(op, types).forward;
    boolean dense = input == 0 || input >= (forward ? 3 : GRADIENT);
    return output == 0 && dense && types.get(input).equals(types.getFirst());
  }

  /**
   * The layout if addresses allow the widest accesses: it decides how rows are cut, so addresses have no say in that.
   */
  private ChannelTile nominal() {
    int channels = types.getFirst().shape().last();
    int width = Real.widest(real);
    while (width > 1 && (channels % width != 0 || width == 2)) {
      width /= 2;
    }
    return new ChannelTile(rows(), channels, width);
  }

  private int rows() {
    return Math.toIntExact(types.getFirst().shape().size() / Math.max(1, types.getFirst().shape().last()));
  }

  /** Sums of two kinds for each part, and an origin for each channel. */
  static long workspaceBytes(Op op, List<TensorType> types) {
    ChannelTile tile = new BatchNormLaunches(op, types).nominal();
    return (2L * tile.sumParts() + 1) * tile.channels() * Float.BYTES;
  }

  /** Whether each block of the pass over the elements is to join the sums of its channels. */
  private boolean isFew() {
    ChannelTile tile = nominal();
    return 2L * tile.sumParts() * tile.together() * Float.BYTES <= FEW_BYTES;
  }

  static List<Launch> of(Op op, List<TensorType> types, long[] inputs, long[] outputs, long workspace) {
    if (types.getFirst().shape().size() == 0) {
      return List.of();
    }
    BatchNormLaunches launches = new BatchNormLaunches(op, types);
    return launches.op.anchor() instanceof Op.BatchNorm(double epsilon)
        ? launches.forward((float) epsilon, inputs, outputs, workspace)
        : launches.backward(inputs, outputs, workspace);
  }

  private List<Launch> forward(float epsilon, long[] in, long[] out, long workspace) {
    Pass sums = pass("batch_norm_statistics.cu", Ride.none(), in, List.of(in[0]), List.of());
    List<Long> ofChannels = List.of(in[1], in[2], out[1], out[3]);
    Pass elements = pass("batch_norm_forward.cu", ride, in, List.of(in[0], out[0]), ofChannels);
    List<Launch> launches = new ArrayList<>();
    launches.add(sums.sum("lamina_batch_norm_statistics", parts(), in, in[0], workspace));
    if (isFew()) {
      List<Argument> arguments = addresses(in[0], in[1], in[2], workspace, out[1], out[2], out[3], out[0]);
      arguments.add(new Argument.Int32(parts()));
      arguments.add(new Argument.Float32(epsilon));
      launches.add(elements.pass("lamina_batch_norm_join_and_normalise", in, arguments));
      return launches;
    }
    List<Argument> join = addresses(workspace, out[1], out[2], out[3]);
    join.addAll(ofParts());
    join.add(new Argument.Float32(epsilon));
    launches.add(sums.join("lamina_batch_norm_join", join));
    List<Argument> arguments = addresses(in[0], in[1], in[2], out[1], out[3], out[0]);
    launches.add(elements.pass("lamina_batch_norm_normalise", in, arguments));
    return launches;
  }

  private List<Launch> backward(long[] in, long[] out, long workspace) {
    String file = "batch_norm_backward.cu";
    Pass sums = pass(file, ride, in, List.of(in[0], in[GRADIENT]), List.of(in[2]));
    List<Long> ofChannels = List.of(in[1], in[2], in[3], out[1], out[2]);
    Pass elements = pass(file, ride, in, List.of(in[0], in[GRADIENT], out[0]), ofChannels);
    List<Launch> launches = new ArrayList<>();
    launches.add(sums.sum("lamina_batch_norm_gradient_sums", parts(), in, in[0], in[2], in[GRADIENT], workspace));
    if (isFew()) {
      List<Argument> arguments = addresses(in[0], in[1], in[2], in[3], in[GRADIENT], workspace, out[1], out[2], out[0]);
      arguments.add(new Argument.Int32(parts()));
      launches.add(elements.pass("lamina_batch_norm_join_and_follow", in, arguments));
      return launches;
    }
    List<Argument> join = addresses(workspace, in[3], out[1], out[2]);
    join.addAll(ofParts());
    Pass statistics = pass("batch_norm_statistics.cu", Ride.none(), in, List.of(), List.of());
    launches.add(statistics.join("lamina_batch_norm_gradient_join", join));
    List<Argument> arguments = addresses(in[0], in[1], in[2], in[3], in[GRADIENT], out[1], out[2], out[0]);
    launches.add(elements.pass("lamina_batch_norm_gradient", in, arguments));
    return launches;
  }

  private int parts() {
    return nominal().sumParts();
  }

  private List<Argument> ofParts() {
    return List.of(new Argument.Int32(rows()), new Argument.Int32(nominal().channels()), new Argument.Int32(parts()));
  }

  /** A pass with the widest accesses for which all that it reads is aligned. */
  private Pass pass(String file, Ride riding, long[] inputs, List<Long> reals, List<Long> ofChannels) {
    ChannelTile nominal = nominal();
    int width = nominal.width();
    while (width > 1) {
      int candidate = width;
      boolean aligned =
          reals.stream().allMatch(address -> CudaSource.isAligned(address, real, candidate))
              && ofChannels.stream().allMatch(address -> CudaSource.isAligned(address, DType.F32, candidate))
              && riding.fits(candidate, inputs);
      if (aligned) {
        break;
      }
      width = width == 8 ? 4 : 1;
    }
    ChannelTile tile = new ChannelTile(nominal.rows(), nominal.channels(), width);
    List<String> options =
        new Sizes(types.getFirst().shape().size()).options(width, List.of(Real.option(real), "--fmad=false"));
    return new Pass(
        KernelText.files(riding.text(), "rows.cuh", "batch_norm_join.cuh", file), options, tile, riding.riders());
  }

  /**
   * Kernels that walk over rows.
   *
   * @param riders inputs that what rides reads
   */
  private record Pass(String source, List<String> options, ChannelTile tile, List<Integer> riders) {

    /** Sums of parts of the rows, each in blocks of its own. */
    Launch sum(String entry, int parts, long[] inputs, long... addresses) {
      return launch(entry, tile.grid(parts), inputs, addresses(addresses));
    }

    /** A pass over the elements. */
    Launch pass(String entry, long[] inputs, List<Argument> first) {
      return launch(entry, tile.grid(tile.elementParts()), inputs, first);
    }

    /** Arguments are {@code first}, the layout, and what rides. */
    private Launch launch(String entry, int grid, long[] inputs, List<Argument> first) {
      List<Argument> arguments = new ArrayList<>(first);
      arguments.addAll(tile.arguments());
      riders.forEach(input -> arguments.add(new Argument.Address(inputs[input])));
      return new Launch(source, options, entry, grid, Launch.BLOCK, 0, arguments);
    }

    Launch join(String entry, List<Argument> arguments) {
      int blocks = (tile.channels() + JOINED - 1) / JOINED;
      return new Launch(source, options, entry, blocks, Launch.BLOCK, 0, arguments);
    }
  }

  private static List<Argument> addresses(long... addresses) {
    List<Argument> arguments = new ArrayList<>();
    for (long address : addresses) {
      arguments.add(new Argument.Address(address));
    }
    return arguments;
  }
}
