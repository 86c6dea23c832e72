package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.ConvSpec;
import dev.lamina.tensor.Shape;

/**
 * The gradient of a convolution's input of few channels, as that of a first layer. {@link ConvolutionKernel} has the
 * input's channels side by side in a vector, which would be almost empty. Here a product, [pixels of the
 * output][channels out] by [channels out][taps, channels in], makes what each pixel gives to all of its window, and
 * that is added to the image (col2im), in the order of the pixels, an image at a time.
 */
final class Col2ImKernel implements CpuKernel {
  /** With fewer, the sums in the image take longer than the product. */
  private static final int FEWEST_FILTERS = 32;

  /** With more, there is more to add than a vector's empty lanes cost. */
  private static final int MOST_CHANNELS = 4;

  /** Images are what threads share. */
  private static final int FEWEST_IMAGES = 4;

  private final Workers workers;
  private final ProductTile tile;
  private final ConvSpec spec;
  private final Shape image;
  private final Shape output;
  private final Shape filter;
  private final MapKernel epilogue;
  private final int depth;
  private final int window;
  private final int panels;
  private final int frameHeight;
  private final int frameWidth;
  private final ProductTile.Left left;

  Col2ImKernel(
      ConvSpec spec, Shape image, Shape output, Shape filter, MapKernel epilogue, int vectorBits, Workers workers) {
    this.workers = workers;
    this.spec = spec;
    this.image = image;
    this.output = output;
    this.filter = filter;
    this.epilogue = epilogue;
    depth = output.dim(3);
    window = Math.toIntExact(filter.sliceSize());
    tile = ProductTile.of(vectorBits, window);
    panels = Math.ceilDiv(window, tile.columns());
    int reachedRows = (output.dim(1) - 1) * spec.stride().height() + (filter.dim(1) - 1) * spec.dilation().height() + 1;
    int reachedColumns = (output.dim(2) - 1) * spec.stride().width() + filter.dim(2);
    frameHeight = Math.max(reachedRows, image.dim(1) + spec.padding().top());
    frameWidth = Math.max(reachedColumns, image.dim(2) + spec.padding().left());
    left = ProductTile.Left.matrix(output.dim(2), depth, depth, 1);
  }

  /** Whether this kernel does such a gradient, and is likely to be faster than the direct one. */
  static boolean suits(ConvSpec spec, Shape image, Shape output, Shape filter, int vectorBits) {
    return vectorBits > 0
        && spec.groups() == 1
        && spec.dilation().width() == 1
        && image.dim(3) <= MOST_CHANNELS
        && 2 * image.dim(3) <= Lanes.COUNT
        && filter.dim(1) * filter.dim(2) >= 4
        && output.dim(3) >= FEWEST_FILTERS
        && output.dim(0) >= FEWEST_IMAGES;
  }

  /** A row of a panel of the filter. */
  private long columnBytes() {
    return 4L * tile.columns();
  }

  private long panelBytes() {
    return depth * columnBytes();
  }

  /** What a pixel of the output gives to its window. */
  private long pixelBytes() {
    return panels * columnBytes();
  }

  private long frameRow() {
    return 4L * frameWidth * image.dim(3);
  }

  private long frameBytes() {
    return Memory.aligned(frameHeight * frameRow());
  }

  /** The image in a frame of what is beyond its border; a row of windows. */
  private long slotBytes() {
    return frameBytes() + Memory.aligned(output.dim(2) * pixelBytes());
  }

  @Override
  public long workspaceBytes() {
    return Memory.aligned(panels * panelBytes()) + workers.threads() * slotBytes();
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    long dy = inputs[0];
    long weights = inputs[1];
    long dx = outputs[0];
    BoundMap rider = Epilogue.bind(epilogue, inputs, dx);
    long slots = workspace + Memory.aligned(panels * panelBytes());
    Workers.Task pack = panel -> pack(weights, panel, workspace + panel * panelBytes());
    Workers.SlotTask sum = (n, slot) -> image(dy, workspace, dx, n, slots + slot * slotBytes(), rider);
    return () -> {
      workers.run(pack, panels);
      workers.run(sum, image.dim(0));
    };
  }

  /** The filter as it lies is the product's right side, [channel out][tap, channel in]. */
  private void pack(long weights, int panel, long to) {
    int first = panel * tile.columns();
    int valid = Math.min(tile.columns(), window - first);
    Panel.ofRows(tile, weights + 4L * first, 4L * window, depth, valid, to);
  }

  private void image(long dy, long packed, long dx, int n, long frame, BoundMap rider) {
    Memory.clear(frame, frameBytes());
    long windows = frame + frameBytes();
    int columns = output.dim(2);
    for (int y = 0; y < output.dim(1); y++) {
      long row = dy + 4L * ((long) n * output.dim(1) + y) * columns * depth;
      windows(row, packed, windows);
      long to = frame + (long) y * spec.stride().height() * frameRow();
      for (int x = 0; x < columns; x++) {
        long first = to + 4L * x * spec.stride().width() * image.dim(3);
        add(windows + x * pixelBytes(), first);
      }
    }
    long bytes = 4L * image.dim(2) * image.dim(3);
    long first = frame + spec.padding().top() * frameRow() + 4L * spec.padding().left() * image.dim(3);
    for (int y = 0; y < image.dim(1); y++) {
      Memory.copy(first + y * frameRow(), dx + ((long) n * image.dim(1) + y) * bytes, bytes);
    }
    if (rider != null) {
      rider.rectangle(n * image.sliceSize(), image.dim(1) * image.dim(2), image.dim(3), image.dim(3));
    }
  }

  /** The windows of a row of pixels. */
  private void windows(long row, long packed, long to) {
    int columns = output.dim(2);
    for (int panel = 0; panel < panels; panel++) {
      for (int pixel = 0; pixel < columns; pixel += tile.rows()) {
        tile.run(
            left,
            row,
            pixel,
            Math.min(tile.rows(), columns - pixel),
            packed + panel * panelBytes(),
            columnBytes(),
            to + pixel * pixelBytes() + panel * columnBytes(),
            pixelBytes());
      }
    }
  }

  /** Adds one window: its rows lie side by side at {@code from}. */
  private void add(long from, long to) {
    int floats = filter.dim(2) * filter.dim(3);
    long step = spec.dilation().height() * frameRow();
    for (int i = 0; i < filter.dim(1); i++) {
      TileRows.addFloats(from + 4L * i * floats, to + i * step, floats);
    }
  }
}
