package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;
import java.util.Arrays;

/**
 * The gradient of a convolution's filter: the product of the image seen through its windows, transposed, [tap,
 * in][pixels], with the output's gradient [pixels][out]. A few taps and input channels times a panel of output channels
 * make a tile. Images are summed in a fixed number of chunks, each into memory of its own, [group][panel][tap, in][out
 * of the panel], and the chunks in their order.
 *
 * <p>A tile takes a stretch of pixels at a time: a band of rows of a large image, or several small images.
 */
final class FilterGradientKernel implements CpuKernel {
  /** Parts of the work at least, if there are as many images: enough for a dozen threads. */
  static final int PARTS = 16;

  /** What all partial sums may take; each of them is written and read once more. */
  static final long SUM_BYTES = 8 << 20;

  /**
   * Pixels that a tile takes at once: below the first, adding to the sum costs; above the other they leave the cache.
   */
  private static final int FEWEST_PIXELS = 256;

  private static final int MOST_PIXELS = 512;

  /** With no more a panel of the output's gradient is read too seldom for packing it to pay. */
  private static final int FEW_ROWS = 256;

  /** All channels of so many pixels, of both sides, stay in the second-level cache while panel by panel is read. */
  private static final int DEPTHWISE_PIXELS = 256;

  /** Rows of a sum that one chunk of the last addition takes: with all panels' columns they stay in the cache. */
  private static final int JOINED_ROWS = 64;

  private final Workers workers;
  private final ProductTile tile;
  private final boolean depthwise;

  /** Whether panels of the output's gradient are packed; those of whole vectors can be read where they lie. */
  private final boolean packing;

  private final Shape image;
  private final Shape filter;
  private final int rowStep;
  private final int outHeight;
  private final int outWidth;
  private final int groups;
  private final int depth;
  private final int width;
  private final int panels;
  private final int chunks;
  private final int splits;
  private final boolean framed;

  /** Whether tiles read the image where it lies, and all of it. */
  private final boolean inPlace;

  private final PaddedImage frame;
  private final long imageDistance;
  private final int bandRows;
  private final int bands;
  private final int together;
  private final ProductTile.Left lastBand;

  /** For 1, 2, … images at once. */
  private final ProductTile.Left[] stretches;

  FilterGradientKernel(ConvSpec spec, Shape image, Shape filter, int vectorBits, Workers workers) {
    this.workers = workers;
    this.image = image;
    this.filter = filter;
    rowStep = spec.stride().height();
    outHeight = spec.outputHeight(image.dim(1), filter.dim(1));
    outWidth = spec.outputWidth(image.dim(2), filter.dim(2));
    depthwise = ConvolutionKernel.isDepthwise(spec, filter);
    groups = depthwise ? 1 : spec.groups();
    depth = filter.dim(3);
    width = filter.dim(0) / groups;
    tile = depthwise ? ProductTile.depthwise(vectorBits) : ProductTile.of(vectorBits, width);
    boolean ragged = width % tile.columns() != 0;
    packing = ragged || !depthwise && rows() > FEW_ROWS;
    panels = Math.ceilDiv(width, tile.columns());
    int most = Math.clamp(SUM_BYTES / sumBytes(), 1, PARTS);
    chunks = Math.min(most, image.dim(0));
    splits = Math.min(panels, Math.ceilDiv(PARTS, chunks));

    int mostPixels = depthwise ? DEPTHWISE_PIXELS : MOST_PIXELS;
    bandRows = Math.min(outHeight, Math.max(1, mostPixels / outWidth));
    bands = Math.ceilDiv(outHeight, bandRows);
    int imagesOfChunk = Math.ceilDiv(image.dim(0), chunks);
    together = bands > 1 ? 1 : Math.clamp(FEWEST_PIXELS / (outHeight * outWidth), 1, imagesOfChunk);
    var padding = spec.padding();
    framed = depthwise && ragged || padding.top() + padding.bottom() + padding.left() + padding.right() > 0;
    inPlace = !framed && spec.stride().equals(Size.square(1));
    int reach = (filter.dim(1) - 1) * spec.dilation().height();
    PaddedImage whole =
        new PaddedImage(
            image.dim(1), image.dim(2) + padding.left() + padding.right(), image.dim(3), padding.top(), padding.left());
    frame = whole.withHeight((bandRows - 1) * rowStep + reach + 1);
    imageDistance = framed ? frame.bytes() : 4L * image.sliceSize();
    int[] taps = frame.taps(filter, spec.dilation(), depth);
    int[] band = frame.windows(bandRows, outWidth, spec.stride());
    stretches = new ProductTile.Left[together + 1];
    for (int images = 1; images <= together; images++) {
      stretches[images] = new ProductTile.Left(taps, repeated(band, images));
    }
    int rest = outHeight - (bands - 1) * bandRows;
    lastBand = new ProductTile.Left(taps, Arrays.copyOf(band, rest * outWidth));
  }

  /** The pixels of several images that lie one behind the other. */
  private int[] repeated(int[] pixels, int images) {
    int[] all = new int[images * pixels.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = Math.toIntExact(i / pixels.length * imageDistance / 4) + pixels[i % pixels.length];
    }
    return all;
  }

  private int rows() {
    return filter.dim(1) * filter.dim(2) * depth;
  }

  private long panelSumBytes() {
    return 4L * rows() * tile.columns();
  }

  private long sumBytes() {
    return Memory.aligned(groups * panels * panelSumBytes());
  }

  /** One panel of the output's gradient, [pixel][columns]. */
  private long panelBytes() {
    return Memory.aligned(4L * together * bandRows * outWidth * tile.columns());
  }

  private long slotBytes() {
    return (framed ? together * frame.bytes() : 0) + panelBytes() + tile.scratchBytes();
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
        (part, slot) ->
            sum(
                x,
                dy,
                part / splits,
                part % splits,
                workspace + part / splits * sumBytes(),
                slots + slot * slotBytes());
    int blocks = Math.ceilDiv(rows(), JOINED_ROWS);
    Workers.Task join = part -> join(workspace, gradient, part / blocks, part % blocks * JOINED_ROWS);
    return () -> {
      workers.run(sum, chunks * splits);
      workers.run(join, groups * panels * blocks);
    };
  }

  /** Sums the images of a chunk, for some of the panels. */
  private void sum(long x, long dy, int chunk, int split, long sums, long slot) {
    int first = (int) ((long) image.dim(0) * chunk / chunks);
    int last = (int) ((long) image.dim(0) * (chunk + 1) / chunks);
    boolean add = false;
    for (int n = first; n < last; n += together) {
      int images = Math.min(together, last - n);
      for (int band = 0; band < bands; band++) {
        ProductTile.Left left = band < bands - 1 || bands == 1 ? stretches[images] : lastBand;
        long source = x + n * 4L * image.sliceSize() + (long) band * bandRows * rowStep * frame.row();
        if (framed) {
          for (int i = 0; i < images; i++) {
            long from = x + (n + i) * 4L * image.sliceSize();
            frame.fill(from, image.dim(1), image.dim(2), band * bandRows * rowStep, slot + i * frame.bytes());
          }
          source = slot;
        }
        long outputs = dy + ((long) n * outHeight + band * bandRows) * outWidth * 4 * filter.dim(0);
        stretch(left, source, outputs, split, sums, slot + (framed ? together * frame.bytes() : 0), add);
        add = true;
      }
    }
  }

  private void stretch(
      ProductTile.Left left, long source, long outputs, int split, long sums, long packed, boolean add) {
    int pixels = left.inner().length;
    Memory.fetch(outputs, pixels * 4L * filter.dim(0), packed);
    if (inPlace) {
      Memory.fetch(source, 4L * (left.rows()[rows() - 1] + left.inner()[pixels - 1] + 1), packed);
    }
    for (int group = 0; group < groups; group++) {
      for (int panel = panels * split / splits; panel < panels * (split + 1) / splits; panel++) {
        int channel = group * width + panel * tile.columns();
        int valid = Math.min(tile.columns(), width - panel * tile.columns());
        long b = outputs + 4L * channel;
        long row = 4L * filter.dim(0);
        if (packing) {
          Panel.ofRows(tile, b, row, pixels, valid, packed);
          b = packed;
          row = 4L * tile.columns();
        }
        long a = source + 4L * (depthwise ? channel : group * depth);
        products(left, a, b, row, packed + panelBytes(), sums + (group * panels + panel) * panelSumBytes(), add);
      }
    }
  }

  private void products(ProductTile.Left left, long a, long b, long bRow, long scratch, long sums, boolean add) {
    long row = 4L * tile.columns();
    for (int first = 0; first < rows(); first += tile.rows()) {
      int some = Math.min(tile.rows(), rows() - first);
      if (add) {
        tile.run(left, a, first, some, b, bRow, scratch, row);
        tile.add(scratch, sums + first * row, some);
      } else {
        tile.run(left, a, first, some, b, bRow, sums + first * row, row);
      }
    }
  }

  /** Adds the chunks' sums of some rows of a panel into [out][kh][kw][in]. */
  private void join(long sums, long gradient, int panel, int firstRow) {
    int columns = tile.columns();
    int rows = Math.min(JOINED_ROWS, rows() - firstRow);
    long total = sums + panel * panelSumBytes() + 4L * firstRow * columns;
    for (int chunk = 1; chunk < chunks; chunk++) {
      tile.add(total + chunk * sumBytes(), total, rows);
    }
    int channel = panel / panels * width + panel % panels * columns;
    int valid = Math.min(columns, width - panel % panels * columns);
    for (int j = 0; j < valid; j++) {
      long to = gradient + 4L * ((long) (channel + j) * rows() + firstRow);
      for (int r = 0; r < rows; r++) {
        Memory.set(to + 4L * r, Memory.get(total + 4L * ((long) r * columns + j)));
      }
    }
  }
}
