package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.graph.ConvSpec;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Convolutions with as many groups as channels, and their gradients. */
final class DepthwiseLaunches {
  /** Taps of a block's filters that shared memory has room for, as in {@code depthwise.cu}. */
  private static final int MOST_TAPS = 8192;

  private final ConvSpec spec;
  private final Shape image;
  private final Shape filter;
  private final DType real;

  /** A convolution of {@code image} [n][h][w][c] with {@code filter} [out][kh][kw][1]. */
  DepthwiseLaunches(ConvSpec spec, Shape image, Shape filter, DType real) {
    this.spec = spec;
    this.image = image;
    this.filter = filter;
    this.real = real;
  }

  /** Whether each channel is convolved by itself. */
  static boolean isDepthwise(ConvSpec spec, Shape image) {
    return spec.groups() > 1 && spec.groups() == image.dim(3);
  }

  Optional<String> unsupported() {
    if (taps() > MOST_TAPS) {
      return Optional.of("the CUDA device takes depthwise filters of at most " + MOST_TAPS + " taps");
    }
    return Real.unsupported(real);
  }

  private int taps() {
    return filter.dim(1) * filter.dim(2);
  }

  private int multiplier() {
    return filter.dim(0) / image.dim(3);
  }

  private int outputPixels() {
    return Math.multiplyExact(
        image.dim(0),
        Math.multiplyExact(
            spec.outputHeight(image.dim(1), filter.dim(1)), spec.outputWidth(image.dim(2), filter.dim(2))));
  }

  private int imagePixels() {
    return Math.toIntExact(image.size() / Math.max(1, image.dim(3)));
  }

  private ChannelTile tile(int rows, int channels, long... dense) {
    int width = 1;
    for (int candidate = Real.widest(real); candidate >= 4 && width == 1; candidate /= 2) {
      int wide = candidate;
      boolean fits =
          multiplier() == 1
              && channels % wide == 0
              && taps() * wide <= MOST_TAPS
              && Arrays.stream(dense).allMatch(address -> CudaSource.isAligned(address, real, wide));
      width = fits ? wide : 1;
    }
    int most = Integer.highestOneBit(Math.clamp(MOST_TAPS / (taps() * (long) width), 1, ChannelTile.WARP));
    return new ChannelTile(rows, channels, width, most);
  }

  List<Launch> forward(long x, long weights, long y) {
    ChannelTile tile = tile(outputPixels(), filter.dim(0), x, y);
    return List.of(launch("lamina_depthwise", tile, tile.grid(tile.elementParts()), List.of(), x, weights, y));
  }

  List<Launch> inputGradient(long dy, long weights, long dx) {
    ChannelTile tile = tile(imagePixels(), image.dim(3), dy, dx);
    return List.of(
        launch("lamina_depthwise_input_gradient", tile, tile.grid(tile.elementParts()), List.of(), dy, weights, dx));
  }

  /** Decided as if addresses were aligned: they have no say in how sums are cut. */
  private int filterParts() {
    return tile(outputPixels(), filter.dim(0)).sumParts(taps());
  }

  long filterGradientWorkspaceBytes() {
    return (long) filterParts() * taps() * filter.dim(0) * Float.BYTES;
  }

  List<Launch> filterGradient(long x, long dy, long dWeights, long workspace) {
    ChannelTile tile = tile(outputPixels(), filter.dim(0), x, dy);
    int parts = filterParts();
    Launch sums =
        launch(
            "lamina_depthwise_filter_gradient",
            tile,
            tile.grid(parts) * taps(),
            List.of(new Argument.Int32(parts)),
            x,
            dy,
            workspace);
    Launch join =
        new Launch(
            sums.source(),
            sums.options(),
            "lamina_depthwise_filter_join",
            Launch.blocksFor((long) filter.dim(0) * taps()),
            Launch.BLOCK,
            0,
            List.of(
                new Argument.Address(workspace),
                new Argument.Address(dWeights),
                new Argument.Int32(filter.dim(0)),
                new Argument.Int32(taps()),
                new Argument.Int32(parts)));
    return List.of(sums, join);
  }

  private Launch launch(String entry, ChannelTile tile, int grid, List<Argument> more, long... addresses) {
    List<Argument> arguments = new ArrayList<>();
    for (long address : addresses) {
      arguments.add(new Argument.Address(address));
    }
    arguments.addAll(tile.arguments());
    arguments.addAll(more);
    for (int value :
        new int[] {
          image.dim(1),
          image.dim(2),
          spec.outputHeight(image.dim(1), filter.dim(1)),
          spec.outputWidth(image.dim(2), filter.dim(2)),
          filter.dim(1),
          filter.dim(2),
          spec.stride().height(),
          spec.stride().width(),
          spec.padding().top(),
          spec.padding().left(),
          spec.dilation().height(),
          spec.dilation().width(),
          multiplier()
        }) {
      arguments.add(new Argument.Int32(value));
    }
    Sizes sizes = new Sizes(Math.max(image.size(), (long) outputPixels() * filter.dim(0)));
    return new Launch(
        KernelText.files("", "rows.cuh", "depthwise.cu"),
        sizes.options(tile.width(), List.of(Real.option(real))),
        entry,
        grid,
        Launch.BLOCK,
        0,
        arguments);
  }
}
