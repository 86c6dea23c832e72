package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.device.cuda.Operand.Periodic;
import dev.lamina.device.cuda.Operand.Strided;
import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprRewriter;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Batch normalisation and its gradient: sums over parts of the rows, a small launch that joins them, and a pass over
 * the elements. An expression may ride on y as it is written, or on the gradient of y as it is read.
 */
final class BatchNormLaunches {
  /** Which input of the gradient is that of y. */
  static final int GRADIENT = 4;

  /** Channels of a block that joins partial sums, as in {@code batch_norm_statistics.cu}. */
  private static final int JOINED = 8;

  private final Op.Fused op;
  private final List<TensorType> types;
  private final boolean forward;
  private final DType real;

  /** What rides, over the inputs and, behind them, the value that is made; null if nothing does. */
  private final CudaSource ride;

  /** Which of them passes by. */
  private final int subject;

  private BatchNormLaunches(Op op, List<TensorType> types) {
    this.op = op instanceof Op.Fused fused ? fused : new Op.Fused(op, -1, null, null, 0);
    this.types = types;
    this.forward = this.op.anchor() instanceof Op.BatchNorm;
    this.real = types.getFirst().dtype();
    this.subject = forward ? types.size() : GRADIENT;
    Expr expr = forward ? this.op.epilogue() : this.op.prologue();
    this.ride = expr == null ? null : ride(expr, types);
  }

  private static CudaSource ride(Expr expr, List<TensorType> types) {
    List<TensorType> readable = new ArrayList<>(types);
    readable.add(types.getFirst());
    return new CudaSource(List.of(expr), readable, List.of(DType.F32), types.getFirst().shape());
  }

  static Optional<String> unsupported(Op op, List<TensorType> types) {
    Op.Fused fused = op instanceof Op.Fused f ? f : new Op.Fused(op, -1, null, null, 0);
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
    if (forward && fused.prologue() != null) {
      return Optional.of("batch norm takes no prologue on the CUDA device: x would be computed twice");
    }
    if (!forward && (fused.epilogue() != null || fused.prologue() != null && fused.prologueInput() != GRADIENT)) {
      return Optional.of("the CUDA device lets a prologue on dy ride on a batch norm gradient, nothing else");
    }
    Expr expr = forward ? fused.epilogue() : fused.prologue();
    return expr == null ? Optional.empty() : unsupportedRide(expr, types);
  }

  private static Optional<String> unsupportedRide(Expr expr, List<TensorType> types) {
    if (ExprRewriter.dependsOnPosition(expr)) {
      return Optional.of("what rides on it must not depend on where an element lies");
    }
    CudaSource source = ride(expr, types);
    if (source.value() != DType.F32) {
      return Optional.of("the CUDA device computes what rides on it in 32 bits");
    }
    int channels = types.getFirst().shape().last();
    for (int input : source.reads()) {
      Operand operand = source.operand(input);
      if (operand instanceof Strided || operand instanceof Periodic(DType _, long period) && period != channels) {
        return Optional.of("all that rides on it is dense, one value a channel, or one on the CUDA device");
      }
    }
    return Optional.empty();
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

  static long workspaceBytes(Op op, List<TensorType> types) {
    ChannelTile tile = new BatchNormLaunches(op, types).nominal();
    return 2L * tile.sumParts() * tile.channels() * Float.BYTES;
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

  private List<Launch> forward(float epsilon, long[] inputs, long[] outputs, long workspace) {
    int parts = nominal().sumParts();
    Pass sums = pass("batch_norm_statistics.cu", null, inputs, List.of(inputs[0]), List.of());
    Launch statistics =
        sums.launch("lamina_batch_norm_statistics", sums.tile.grid(parts), inputs, inputs[0], workspace);
    List<Argument> join = addresses(inputs[0], workspace, outputs[1], outputs[2], outputs[3]);
    join.add(new Argument.Int32(sums.tile.rows()));
    join.add(new Argument.Int32(sums.tile.channels()));
    join.add(new Argument.Int32(parts));
    join.add(new Argument.Float32(epsilon));
    List<Long> ofChannels = List.of(inputs[1], inputs[2], outputs[1], outputs[3]);
    Pass elements = pass("batch_norm_forward.cu", ride, inputs, List.of(inputs[0], outputs[0]), ofChannels);
    return List.of(
        statistics,
        sums.join("lamina_batch_norm_join", join),
        elements.launch(
            "lamina_batch_norm_normalise",
            elements.tile.grid(elements.tile.elementParts()),
            inputs,
            inputs[0],
            inputs[1],
            inputs[2],
            outputs[1],
            outputs[3],
            outputs[0]));
  }

  private List<Launch> backward(long[] inputs, long[] outputs, long workspace) {
    int parts = nominal().sumParts();
    String file = "batch_norm_backward.cu";
    Pass sums = pass(file, ride, inputs, List.of(inputs[0], inputs[GRADIENT]), List.of(inputs[2]));
    List<Argument> join = addresses(workspace, inputs[3], outputs[1], outputs[2]);
    join.add(new Argument.Int32(sums.tile.channels()));
    join.add(new Argument.Int32(parts));
    Pass statistics = pass("batch_norm_statistics.cu", null, inputs, List.of(), List.of());
    List<Long> ofChannels = List.of(inputs[1], inputs[2], inputs[3], outputs[1], outputs[2]);
    Pass elements = pass(file, ride, inputs, List.of(inputs[0], inputs[GRADIENT], outputs[0]), ofChannels);
    return List.of(
        sums.launch(
            "lamina_batch_norm_gradient_sums",
            sums.tile.grid(parts),
            inputs,
            inputs[0],
            inputs[2],
            inputs[GRADIENT],
            workspace),
        statistics.join("lamina_batch_norm_gradient_join", join),
        elements.launch(
            "lamina_batch_norm_gradient",
            elements.tile.grid(elements.tile.elementParts()),
            inputs,
            inputs[0],
            inputs[1],
            inputs[2],
            inputs[3],
            inputs[GRADIENT],
            outputs[1],
            outputs[2],
            outputs[0]));
  }

  /** A pass with the widest accesses for which all that it reads is aligned. */
  private Pass pass(String file, CudaSource riding, long[] inputs, List<Long> reals, List<Long> ofChannels) {
    ChannelTile nominal = nominal();
    long[] addresses = Arrays.copyOf(inputs, inputs.length + 1);
    addresses[inputs.length] = 0; // the value that is made lies in registers
    int width = nominal.width();
    while (width > 1) {
      int candidate = width;
      boolean aligned =
          reals.stream().allMatch(address -> CudaSource.isAligned(address, real, candidate))
              && ofChannels.stream().allMatch(address -> CudaSource.isAligned(address, DType.F32, candidate))
              && (riding == null || riding.fits(candidate, addresses, List.of(), new long[0]));
      if (aligned) {
        break;
      }
      width = width == 8 ? 4 : 1;
    }
    ChannelTile tile = new ChannelTile(nominal.rows(), nominal.channels(), width);
    String generated = riding == null ? CudaSource.noRide() : riding.rideFunction(subject);
    List<Integer> riders =
        riding == null ? List.of() : riding.reads().stream().filter(input -> input != subject).toList();
    List<String> options =
        new Sizes(types.getFirst().shape().size()).options(width, List.of(Real.option(real), "--fmad=false"));
    return new Pass(KernelText.files(generated, "rows.cuh", file), options, tile, riders);
  }

  /**
   * Kernels that walk over rows.
   *
   * @param riders inputs that what rides reads
   */
  private record Pass(String source, List<String> options, ChannelTile tile, List<Integer> riders) {

    /** Arguments are {@code addresses}, the layout, and what rides. */
    Launch launch(String entry, int grid, long[] inputs, long... addresses) {
      List<Argument> arguments = addresses(addresses);
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
