package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.ConvSpec;
import dev.lamina.tensor.Shape;

/**
 * The gradient of a convolution's filter: the product of the image seen through its windows, transposed, [tap,
 * in][pixels], with the output's gradient [pixels][out]. A few taps and input channels times a panel of output channels
 * make a tile. Images are summed in a fixed number of chunks, each into memory of its own, and the chunks in their
 * order.
 */
final class FilterGradientKernel implements CpuKernel {
  /** Enough for a dozen threads; more would cost memory for each further sum. */
  private static final int MOST_CHUNKS = 16;

  private final Workers workers;
  private final ProductTile tile;
  private final Shape image;
  private final Shape filter;
  private final int outHeight;
  private final int outWidth;
  private final int groups;
  private final int depth;
  private final int width;
  private final int panels;
  private final int paddedWidth;
  private final int chunks;
  private final PaddedImage frame;
  private final ProductTile.Left left;

  FilterGradientKernel(ConvSpec spec, Shape image, Shape filter, int vectorBits, Workers workers) {
    this.workers = workers;
    this.image = image;
    this.filter = filter;
    outHeight = spec.outputHeight(image.dim(1), filter.dim(1));
    outWidth = spec.outputWidth(image.dim(2), filter.dim(2));
    groups = spec.groups();
    depth = filter.dim(3);
    width = filter.dim(0) / groups;
    tile = ProductTile.of(vectorBits, width);
    panels = Math.ceilDiv(width, tile.columns());
    paddedWidth = panels * tile.columns();
    chunks = Math.min(MOST_CHUNKS, image.dim(0));
    var padding = spec.padding();
    frame =
        new PaddedImage(
            image.dim(1) + padding.top() + padding.bottom(),
            image.dim(2) + padding.left() + padding.right(),
            image.dim(3),
            padding.top(),
            padding.left(),
            1,
            1);
    left =
        new ProductTile.Left(
            ConvolutionKernel.tapsAndChannels(frame, filter, spec.dilation(), depth),
            ConvolutionKernel.pixels(frame, outHeight, outWidth, spec.stride()));
  }

  private int taps() {
    return filter.dim(1) * filter.dim(2);
  }

  /** A partial sum: [group][tap][channel in][channels out, padded]. */
  private long sumBytes() {
    return Memory.aligned(4L * groups * taps() * depth * paddedWidth);
  }

  /** One panel of the output's gradient, [pixel][columns]. */
  private long panelBytes() {
    return Memory.aligned(4L * outHeight * outWidth * tile.columns());
  }

  private long slotBytes() {
    return frame.bytes() + panelBytes() + tile.scratchBytes();
  }

  @Override
  public long workspaceBytes() {
    return chunks * sumBytes() + workers.threads() * slotBytes();
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    long x = inputs[0];
    long dy = inputs[1];
    long gradient = outputs[0];
    long slots = workspace + chunks * sumBytes();
    Workers.SlotTask sum =
        (chunk, slot) -> sum(x, dy, chunk, workspace + chunk * sumBytes(), slots + slot * slotBytes());
    Workers.Task join = out -> join(workspace, gradient, out);
    return () -> {
      workers.run(sum, chunks);
      workers.run(join, filter.dim(0));
    };
  }

  private void sum(long x, long dy, int chunk, long sums, long slot) {
    int first = (int) ((long) image.dim(0) * chunk / chunks);
    int last = (int) ((long) image.dim(0) * (chunk + 1) / chunks);
    long packed = slot + frame.bytes();
    for (int n = first; n < last; n++) {
      long source = x + n * 4L * image.sliceSize();
      if (frame.height() != image.dim(1) || frame.width() != image.dim(2)) {
        frame.fill(source, image.dim(1), image.dim(2), slot);
        source = slot;
      }
      for (int group = 0; group < groups; group++) {
        for (int panel = 0; panel < panels; panel++) {
          packPanel(dy + (long) n * outHeight * outWidth * 4 * filter.dim(0), group, panel, packed);
          products(source, packed, group, panel, sums, n > first);
        }
      }
    }
  }

  private void packPanel(long dy, int group, int panel, long to) {
    int columns = tile.columns();
    int valid = Math.min(columns, width - panel * columns);
    long from = dy + 4L * (group * width + panel * columns);
    for (int pixel = 0; pixel < outHeight * outWidth; pixel++) {
      long source = from + 4L * pixel * filter.dim(0);
      long target = to + 4L * pixel * columns;
      for (int j = 0; j < valid; j++) {
        Memory.set(target + 4L * j, Memory.get(source + 4L * j));
      }
      for (int j = valid; j < columns; j++) {
        Memory.set(target + 4L * j, 0);
      }
    }
  }

  private void products(long source, long packed, int group, int panel, long sums, boolean add) {
    long scratch = packed + panelBytes();
    int rows = left.rows().length;
    for (int first = 0; first < rows; first += tile.rows()) {
      long c = sums + 4L * (((long) group * rows + first) * paddedWidth + panel * tile.columns());
      int some = Math.min(tile.rows(), rows - first);
      long x = source + 4L * group * depth;
      if (add) {
        tile.run(left, x, first, some, packed, scratch, 4L * tile.columns());
        tile.add(scratch, c, 4L * paddedWidth, some);
      } else {
        tile.run(left, x, first, some, packed, c, 4L * paddedWidth);
      }
    }
  }

  /** Adds the chunks of one output channel into [out][kh][kw][in]. */
  private void join(long sums, long gradient, int out) {
    int group = out / width;
    int column = out % width;
    for (int tap = 0; tap < taps(); tap++) {
      for (int in = 0; in < depth; in++) {
        long at = 4L * (((long) (group * taps() + tap) * depth + in) * paddedWidth + column);
        float total = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
          total += Memory.get(sums + chunk * sumBytes() + at);
        }
        Memory.set(gradient + 4L * (((long) out * taps() + tap) * depth + in), total);
      }
    }
  }
}
