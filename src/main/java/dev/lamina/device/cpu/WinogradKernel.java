package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;

/**
 * A 3×3 convolution with stride 1, forward or for the gradient of its input, by Winograd's F(2×2, 3×3): 16
 * multiplications for four pixels instead of 36 (Lavin and Gray 2015). The source is cut into overlapping tiles of 4×4
 * pixels, each transformed to 16 values; for each of these there is a product [tiles][channels in] by [channels
 * in][channels out]; the inverse transform makes 2×2 pixels. Blocks of tiles are so small that everything between lies
 * in the second-level cache.
 *
 * <p>Sums come in another order than in a direct convolution, and of numbers up to four times as large: the error grows
 * by a small factor.
 */
final class WinogradKernel implements CpuKernel {
  static final int VALUES = 16;

  /** With less, what the products save goes into the transforms. */
  private static final int FEWEST_CHANNELS = 32;

  /** What the transformed source of a block may take: half of a second-level cache. */
  static final long BLOCK_BYTES = 384 << 10;

  /**
   * Between the places of two values: they are written and read together, and a distance of 4 KiB, as it would often
   * be, would put all of them in the same few lines of the first-level cache.
   */
  static final long APART = 2 * Memory.ALIGNMENT;

  /** Blocks at least, if there are as many rows of tiles: enough for a dozen threads. */
  private static final int FEWEST_BLOCKS = 16;

  private final Workers workers;
  private final ProductTile tile;
  private final boolean gradient;
  private final Shape source;
  private final Shape result;
  private final int depth;
  private final int width;
  private final int panels;
  private final int tileRows;
  private final int tileColumns;
  private final int blockRows;
  private final int blocks;
  private final PaddedImage strip;
  private final ProductTile.Left left;
  private final MapKernel epilogue;

  private WinogradKernel(
      int top,
      int leftPadding,
      boolean gradient,
      Shape source,
      Shape result,
      MapKernel epilogue,
      int vectorBits,
      Workers workers) {
    this.workers = workers;
    this.gradient = gradient;
    this.source = source;
    this.result = result;
    this.epilogue = epilogue;
    depth = source.dim(3);
    width = result.dim(3);
    tile = ProductTile.of(vectorBits, width);
    panels = width / tile.columns();
    tileRows = Math.ceilDiv(result.dim(1), 2);
    tileColumns = Math.ceilDiv(result.dim(2), 2);
    int rows = tileRows * source.dim(0);
    long rowBytes = 4L * VALUES * tileColumns * depth;
    blockRows = Math.clamp(Math.min(BLOCK_BYTES / rowBytes, Math.ceilDiv(rows, FEWEST_BLOCKS)), 1, rows);
    blocks = Math.ceilDiv(rows, blockRows);
    strip = new PaddedImage(4, 2 * tileColumns + 2, depth, top, leftPadding);
    left = ProductTile.Left.matrix(blockRows * tileColumns, 4L * depth, depth, 4);
  }

  /** Whether this kernel does such a convolution, and is likely to be faster than the direct one. */
  static boolean suits(ConvSpec spec, Shape source, Shape result, Shape filter, int vectorBits) {
    return vectorBits > 0
        && filter.dim(1) == 3
        && filter.dim(2) == 3
        && spec.stride().equals(Size.square(1))
        && spec.dilation().equals(Size.square(1))
        && spec.groups() == 1
        && source.dim(3) >= FEWEST_CHANNELS
        && result.dim(3) >= FEWEST_CHANNELS
        && source.dim(3) % Lanes.COUNT == 0
        && result.dim(3) % ProductTile.of(vectorBits, result.dim(3)).columns() == 0;
  }

  /** The convolution of {@code image} [n,h,w,c]; see {@link ConvolutionKernel#forward}. */
  static WinogradKernel forward(
      ConvSpec spec, Shape image, Shape result, MapKernel epilogue, int vectorBits, Workers workers) {
    return new WinogradKernel(
        spec.padding().top(), spec.padding().left(), false, image, result, epilogue, vectorBits, workers);
  }

  /** The gradient of an input {@code image} from that of the output; see {@link ConvolutionKernel#inputGradient}. */
  static WinogradKernel inputGradient(
      ConvSpec spec, Shape image, Shape output, MapKernel epilogue, int vectorBits, Workers workers) {
    return new WinogradKernel(
        2 - spec.padding().top(), 2 - spec.padding().left(), true, output, image, epilogue, vectorBits, workers);
  }

  /** One panel of the filter: [value][channel in][channels out]. */
  private long panelBytes() {
    return 4L * VALUES * depth * tile.columns();
  }

  private long packedBytes() {
    return panels * panelBytes();
  }

  /** One of the 16 values of the tiles of a block. */
  private long valueBytes() {
    return 4L * blockRows * tileColumns * depth + APART;
  }

  private long productBytes() {
    return 4L * blockRows * tileColumns * tile.columns() + APART;
  }

  /**
   * Strip, transformed source, product, and a pixel for what lies beyond the edge; or a vector of a panel's filters.
   */
  private long slotBytes() {
    long block = strip.bytes() + VALUES * (valueBytes() + productBytes()) + 4L * tile.columns();
    return Memory.aligned(Math.max(block, (long) VALUES * tile.columns() * Lanes.BYTES));
  }

  @Override
  public long workspaceBytes() {
    return packedBytes() + workers.threads() * slotBytes();
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    long x = inputs[0];
    long weights = inputs[1];
    long y = outputs[0];
    BoundMap rider = Epilogue.bind(epilogue, inputs, y);
    long slots = workspace + packedBytes();
    Workers.SlotTask pack =
        (panel, slot) -> pack(weights, panel, workspace + panel * panelBytes(), slots + slot * slotBytes());
    Workers.SlotTask convolve = (block, slot) -> convolve(x, workspace, y, block, slots + slot * slotBytes(), rider);
    return () -> {
      workers.run(pack, panels);
      workers.run(convolve, blocks);
    };
  }

  /** The filters of one panel; for the gradient turned around, with the channels exchanged. */
  private void pack(long weights, int panel, long target, long scratch) {
    int columns = tile.columns();
    long value = 4L * depth * columns;
    if (gradient) {
      long tap = 4L * width;
      for (int in = 0; in < depth; in++) {
        long last = weights + (9L * in + 8) * tap + 4L * panel * columns;
        WinogradTiles.filter(last, -tap, 4L * columns, target + 4L * in * columns, value);
      }
      return;
    }
    // Channels in lie side by side, in a panel those out: a vector of them at a time, then exchanged.
    long vector = Lanes.BYTES;
    for (int in = 0; in < depth; in += Lanes.COUNT) {
      for (int j = 0; j < columns; j++) {
        long from = weights + 4L * ((panel * columns + j) * 9L * depth + in);
        WinogradTiles.filter(from, 4L * depth, vector, scratch + j * vector, columns * vector);
      }
      for (int v = 0; v < VALUES; v++) {
        long from = scratch + v * columns * vector;
        Panel.ofColumns(tile, from, vector, Lanes.COUNT, columns, target + v * value + 4L * in * columns);
      }
    }
  }

  private void convolve(long x, long packed, long y, int block, long slot, BoundMap rider) {
    int firstRow = block * blockRows;
    int rows = Math.min(blockRows, tileRows * source.dim(0) - firstRow);
    int tiles = rows * tileColumns;
    long values = slot + strip.bytes();
    long product = values + VALUES * valueBytes();
    long beyond = product + VALUES * productBytes();
    for (int row = 0; row < rows; row++) {
      transform(x, firstRow + row, slot, values + 4L * row * tileColumns * depth);
    }
    int columns = tile.columns();
    for (int panel = 0; panel < panels; panel++) {
      long b = packed + panel * panelBytes();
      for (int value = 0; value < VALUES; value++) {
        for (int first = 0; first < tiles; first += tile.rows()) {
          tile.run(
              left,
              values + value * valueBytes(),
              first,
              Math.min(tile.rows(), tiles - first),
              b + 4L * value * depth * columns,
              product + value * productBytes() + 4L * first * columns,
              4L * columns);
        }
      }
      for (int row = 0; row < rows; row++) {
        back(product + 4L * row * tileColumns * columns, y, firstRow + row, panel, beyond, rider);
      }
    }
  }

  /** One row of tiles of the source. */
  private void transform(long x, int row, long slot, long values) {
    long image = x + row / tileRows * 4L * source.sliceSize();
    strip.fill(image, source.dim(1), source.dim(2), row % tileRows * 2, slot);
    WinogradTiles.source(slot, strip.row(), strip.pixel(), strip.pixel(), tileColumns, values, valueBytes());
  }

  /** One row of tiles of the result, for the channels of a panel. */
  private void back(long product, long y, int row, int panel, long beyond, BoundMap rider) {
    int columns = tile.columns();
    int imageWidth = result.dim(2);
    int firstRow = row % tileRows * 2;
    boolean second = firstRow + 1 < result.dim(1);
    long first = ((row / tileRows * (long) result.dim(1) + firstRow) * imageWidth) * width + panel * columns;
    long pixel = 4L * width;
    long next = imageWidth * pixel;
    for (int column = 0; column < tileColumns; column++) {
      long to = y + 4 * first + 2 * column * pixel;
      boolean right = 2 * column + 1 < imageWidth;
      WinogradTiles.result(
          product + 4L * column * columns,
          productBytes(),
          4L * columns,
          to,
          right ? to + pixel : beyond,
          second ? to + next : beyond,
          right && second ? to + next + pixel : beyond);
    }
    if (rider != null) {
      rider.rectangle(first, imageWidth, columns, width);
      if (second) {
        rider.rectangle(first + (long) imageWidth * width, imageWidth, columns, width);
      }
    }
  }
}
