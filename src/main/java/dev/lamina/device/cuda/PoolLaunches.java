package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.graph.Op.PoolKind;
import dev.lamina.graph.PoolSpec;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** Pooling and its gradient: one launch, a thread for some channels of one pixel. */
final class PoolLaunches {
  private PoolLaunches() {}

  /** Inputs: image. Outputs: pooled image, and the winners for {@link PoolKind#MAX}. */
  static List<Launch> forward(PoolKind kind, PoolSpec spec, Shape image, DType real, long[] inputs, long[] outputs) {
    String entry = kind == PoolKind.MAX ? "lamina_max_pool" : "lamina_average_pool";
    long[] reals = {inputs[0], outputs[0]};
    long[] bytes = kind == PoolKind.MAX ? new long[] {outputs[1]} : new long[0];
    long pixels = (long) image.dim(0) * spec.outputHeight(image.dim(1)) * spec.outputWidth(image.dim(2));
    return launch(entry, spec, image, real, pixels, reals, bytes, List.of(inputs[0], outputs[0]), bytes);
  }

  /** Inputs: gradient of the pooled image, and the winners for {@link PoolKind#MAX}. Output: gradient of the image. */
  static List<Launch> gradient(PoolKind kind, PoolSpec spec, Shape image, DType real, long[] inputs, long[] outputs) {
    boolean max = kind == PoolKind.MAX;
    String entry = max ? "lamina_max_pool_gradient" : "lamina_average_pool_gradient";
    long[] reals = {inputs[0], outputs[0]};
    long[] bytes = max ? new long[] {inputs[1]} : new long[0];
    List<Long> addresses = max ? List.of(inputs[0], inputs[1], outputs[0]) : List.of(inputs[0], outputs[0]);
    long pixels = image.size() / Math.max(1, image.dim(3));
    return launch(entry, spec, image, real, pixels, reals, bytes, addresses, new long[0]);
  }

  private static List<Launch> launch(
      String entry,
      PoolSpec spec,
      Shape image,
      DType real,
      long pixels,
      long[] reals,
      long[] bytes,
      List<Long> addresses,
      long[] more) {
    if (pixels * image.dim(3) == 0) {
      return List.of();
    }
    int width = width(image.dim(3), real, reals, bytes);
    int outHeight = spec.outputHeight(image.dim(1));
    int outWidth = spec.outputWidth(image.dim(2));
    Sizes sizes = new Sizes(Math.max(image.size(), pixels * image.dim(3)));
    long groups = pixels * (image.dim(3) / width);
    List<Argument> arguments = new ArrayList<>();
    addresses.forEach(address -> arguments.add(new Argument.Address(address)));
    for (long address : more) {
      arguments.add(new Argument.Address(address));
    }
    arguments.add(sizes.index(groups));
    for (int value : new int[] {image.dim(1), image.dim(2), image.dim(3), outHeight, outWidth}) {
      arguments.add(new Argument.Int32(value));
    }
    List<String> constants =
        List.of(
            Real.option(real),
            "-DWINDOW_HEIGHT=" + spec.window().height(),
            "-DWINDOW_WIDTH=" + spec.window().width(),
            "-DSTRIDE_HEIGHT=" + spec.stride().height(),
            "-DSTRIDE_WIDTH=" + spec.stride().width(),
            "-DTOP=" + spec.padding().top(),
            "-DLEFT=" + spec.padding().left());
    return List.of(
        new Launch(
            KernelText.files("", "pool.cu"),
            sizes.options(width, constants),
            entry,
            Launch.blocksFor(groups),
            Launch.BLOCK,
            0,
            arguments));
  }

  /** Channels of a thread: 16 bytes of them if they divide so and lie so. */
  private static int width(int channels, DType real, long[] reals, long[] bytes) {
    for (int width = Real.widest(real); width >= 4; width /= 2) {
      boolean fits = channels % width == 0;
      for (long address : reals) {
        fits &= CudaSource.isAligned(address, real, width);
      }
      for (long address : bytes) {
        fits &= CudaSource.isAligned(address, DType.U8, width);
      }
      if (fits) {
        return width;
      }
    }
    return 1;
  }
}
