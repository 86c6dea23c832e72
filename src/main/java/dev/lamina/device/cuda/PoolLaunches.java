package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.PoolKind;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Pooling and its gradient: one launch, a thread for some channels of one pixel. An expression may ride on what is
 * pooled as it is written, or on its gradient as that is read.
 */
final class PoolLaunches {
  /** Windows that may hold a pixel, and pixels of a window, up to which a gradient's prologue is worth repeating. */
  private static final int MOST_WINDOWS = 4;

  private static final int MOST_AREA = 9;

  private final PoolSpec spec;
  private final boolean forward;
  private final boolean max;
  private final Shape image;
  private final TensorType pooled;
  private final Ride ride;

  private PoolLaunches(Op op, List<TensorType> types) {
    Op.Fused fused = Ride.fused(op);
    switch (fused.anchor()) {
      case Op.Pool2d(PoolKind kind, PoolSpec window) -> {
        spec = window;
        forward = true;
        max = kind == PoolKind.MAX;
        image = types.getFirst().shape();
        pooled = TypeInference.infer(fused.anchor(), types.subList(0, 1)).getFirst();
      }
      case Op.Pool2dGradient(PoolKind kind, PoolSpec window, Shape of) -> {
        spec = window;
        forward = false;
        max = kind == PoolKind.MAX;
        image = of;
        pooled = types.getFirst();
      }
      default -> throw new IllegalArgumentException(op.label() + " does not pool");
    }
    ride = forward ? Ride.epilogue(fused, types, pooled) : Ride.prologue(fused, types, 0);
  }

  static Optional<String> unsupported(Op op, List<TensorType> types) {
    PoolLaunches launches = new PoolLaunches(op, types);
    boolean often = launches.windows() > MOST_WINDOWS || launches.spec.window().area() > MOST_AREA;
    if (Ride.fused(op).prologue() != null && often) {
      return Optional.of("a prologue would be computed for each pixel of its window on the CUDA device");
    }
    return Real.unsupported(types.getFirst().dtype())
        .or(() -> Ride.unsupported(Ride.fused(op), launches.forward, 0, types, launches.pooled));
  }

  private int windows() {
    return Math.ceilDiv(spec.window().height(), spec.stride().height())
        * Math.ceilDiv(spec.window().width(), spec.stride().width());
  }

  /**
   * Forward: an image becomes a pooled image, and the winners for {@link PoolKind#MAX}. Backward: the gradient of the
   * pooled image, and the winners, become that of the image.
   */
  static List<Launch> of(Op op, List<TensorType> types, long[] inputs, long[] outputs) {
    return new PoolLaunches(op, types).launch(inputs, outputs);
  }

  private List<Launch> launch(long[] inputs, long[] outputs) {
    long elements = forward ? pooled.shape().size() : image.size();
    if (elements == 0) {
      return List.of();
    }
    List<Long> addresses = new ArrayList<>(List.of(inputs[0]));
    List<Long> winners = !max ? List.of() : List.of(forward ? outputs[1] : inputs[1]);
    addresses.addAll(forward ? List.of(outputs[0]) : winners);
    addresses.addAll(forward ? winners : List.of(outputs[0]));
    int width = width(List.of(inputs[0], outputs[0]), winners, inputs);
    Sizes sizes = new Sizes(Math.max(image.size(), pooled.shape().size()));
    long groups = elements / width;
    List<Argument> arguments = new ArrayList<>();
    addresses.forEach(address -> arguments.add(new Argument.Address(address)));
    arguments.add(sizes.index(groups));
    for (int value :
        new int[] {image.dim(1), image.dim(2), image.dim(3), pooled.shape().dim(1), pooled.shape().dim(2)}) {
      arguments.add(new Argument.Int32(value));
    }
    ride.riders().forEach(input -> arguments.add(new Argument.Address(inputs[input])));
    List<String> constants =
        List.of(
            Real.option(pooled.dtype()),
            "-DWINDOW_HEIGHT=" + spec.window().height(),
            "-DWINDOW_WIDTH=" + spec.window().width(),
            "-DSTRIDE_HEIGHT=" + spec.stride().height(),
            "-DSTRIDE_WIDTH=" + spec.stride().width(),
            "-DTOP=" + spec.padding().top(),
            "-DLEFT=" + spec.padding().left(),
            "-DPADDED=" + (spec.padding().equals(Padding.all(0)) ? 0 : 1),
            "--fmad=false");
    String entry = "lamina_" + (max ? "max" : "average") + "_pool" + (forward ? "" : "_gradient");
    return List.of(
        new Launch(
            KernelText.files(ride.text(), "pool.cu"),
            sizes.options(width, constants),
            entry,
            Launch.blocksFor(groups),
            Launch.BLOCK,
            0,
            arguments));
  }

  /** Channels of a thread: 16 bytes of them if they divide so and lie so. */
  private int width(List<Long> reals, List<Long> bytes, long[] inputs) {
    for (int width = Real.widest(pooled.dtype()); width >= 4; width /= 2) {
      int candidate = width;
      boolean fits =
          image.dim(3) % width == 0
              && reals.stream().allMatch(address -> CudaSource.isAligned(address, pooled.dtype(), candidate))
              && bytes.stream().allMatch(address -> CudaSource.isAligned(address, DType.U8, candidate))
              && ride.fits(width, inputs);
      if (fits) {
        return width;
      }
    }
    return 1;
  }
}
