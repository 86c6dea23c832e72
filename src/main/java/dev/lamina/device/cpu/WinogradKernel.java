package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.WinogradTiles.POINTS;
import static dev.lamina.device.cpu.WinogradTiles.VALUES;

import dev.lamina.device.Step;
import dev.lamina.device.cpu.WinogradTiles.Runs;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;

/**
 * A 3×3 or 5×5 convolution with stride 1, forward or for the gradient of its input, by Winograd's F(4×4, 3×3) or F(2×2,
 * 5×5) (Lavin and Gray 2015). The source is cut into overlapping tiles of 6×6 pixels, each transformed to 36 values;
 * for each of these there is a product [tiles][channels in] by [channels in][channels out]; the inverse transform makes
 * 4×4 or 2×2 pixels. Blocks of tiles are so small that everything between lies in the second-level cache.
 *
 * <p>Sums come in another order than in a direct convolution, and of larger numbers: the error grows by a small factor.
 */
final class WinogradKernel implements CpuKernel {
  /** With less, what the products save goes into the transforms. */
  private static final int FEWEST_CHANNELS = 16;

  /** The most multiplications, as a share of those of a direct convolution: the transforms take time, too. */
  private static final double MOST_PRODUCTS = 0.56;

  private static final int FEWEST_TILES = 32;

  /** What the transformed source of a block may take: half of a second-level cache. */
  private static final long BLOCK_BYTES = 384 << 10;

  /**
   * Between the places of two values: they are written and read together, and a distance of 4 KiB, as it would often
   * be, would put all of them in the same few lines of the first-level cache.
   */
  static final long APART = 2 * Memory.ALIGNMENT;

  /** Blocks at least, if there are as many rows of tiles: enough for a dozen threads. */
  private static final int FEWEST_BLOCKS = 16;

  private final Workers workers;
  private final ProductTile tile;
  private final WinogradTiles transforms;
  private final int size;
  private final boolean gradient;
  private final Shape result;
  private final int depth;
  private final int width;
  private final int panels;
  private final int tileRows;
  private final int tileColumns;
  private final int rows;
  private final int blockRows;
  private final int blocks;
  private final WinogradSource source;
  private final ProductTile.Left left;
  private final MapKernel epilogue;

  /** A tap of the filter, for a vector of input channels and a panel of output channels, where it is read. */
  private final Runs taps;

  /** The same, or one of the 36 values, side by side. */
  private final Runs tapRun;

  /** One column of the values of a row of tiles. */
  private final Runs valueColumn;

  /** A row of pixels of the tiles that lie within the result. */
  private final Runs wholeTiles;

  private final Runs lastTile;

  private WinogradKernel(
      int filterTaps,
      int top,
      int leftPadding,
      boolean gradient,
      Shape image,
      Shape result,
      MapKernel epilogue,
      int vectorBits,
      Workers workers) {
    this.workers = workers;
    this.gradient = gradient;
    this.result = result;
    this.epilogue = epilogue;
    depth = image.dim(3);
    width = result.dim(3);
    tile = ProductTile.of(vectorBits, width);
    panels = width / tile.columns();
    transforms = WinogradTiles.of(filterTaps);
    size = transforms.size();
    source = new WinogradSource(image, size, result.dim(1), result.dim(2), top, leftPadding, depth);
    tileRows = source.tileRows();
    tileColumns = source.tileColumns();
    rows = source.rows();
    long rowBytes = 4L * VALUES * tileColumns * depth;
    // As many rows as fit, so that all of the product's tiles are full where these are longer than a row.
    long most = Math.max(BLOCK_BYTES / rowBytes, Math.ceilDiv(tile.rows(), tileColumns));
    int full = Math.max(1, tile.rows() / tileColumns);
    blockRows = Math.clamp(Math.min(most / full * full, Math.ceilDiv(rows, FEWEST_BLOCKS)), 1, rows);
    blocks = Math.ceilDiv(rows, blockRows);
    left = ProductTile.Left.matrix(blockRows * tileColumns, 4L * depth, depth, 4);
    tapRun = Runs.one(tapBytes());
    taps = gradient ? Runs.gather(Lanes.COUNT, columnBytes(), filterBytes(width)) : tapRun;
    valueColumn = Runs.one(tileColumns * columnBytes());
    wholeTiles = Runs.scatter(result.dim(2) / size, columnBytes(), size * 4L * width);
    lastTile = Runs.one(columnBytes());
  }

  /** Whether this kernel does such a convolution, and is likely to be faster than the direct one. */
  static boolean suits(ConvSpec spec, Shape source, Shape result, Shape filter, int vectorBits) {
    return vectorBits > 0
        && (filter.dim(1) == 3 || filter.dim(1) == 5)
        && filter.dim(2) == filter.dim(1)
        && spec.stride().equals(Size.square(1))
        && spec.dilation().equals(Size.square(1))
        && spec.groups() == 1
        && source.dim(3) >= FEWEST_CHANNELS
        && result.dim(3) >= FEWEST_CHANNELS
        && source.dim(3) % Lanes.COUNT == 0
        && result.dim(3) % ProductTile.of(vectorBits, result.dim(3)).columns() == 0
        && isWorthwhile(result, filter.dim(1));
  }

  /** Whether the tiles lie well in the image, and are enough to pay for the transform of the filters. */
  private static boolean isWorthwhile(Shape result, int taps) {
    int size = WinogradTiles.of(taps).size();
    long tiles = (long) Math.ceilDiv(result.dim(1), size) * Math.ceilDiv(result.dim(2), size);
    long direct = (long) result.dim(1) * result.dim(2) * taps * taps;
    return tiles * VALUES <= MOST_PRODUCTS * direct && tiles * result.dim(0) >= FEWEST_TILES;
  }

  /** The convolution of {@code image} [n,h,w,c]; see {@link ConvolutionKernel#forward}. */
  static WinogradKernel forward(
      ConvSpec spec, int taps, Shape image, Shape result, MapKernel epilogue, int vectorBits, Workers workers) {
    return new WinogradKernel(
        taps, spec.padding().top(), spec.padding().left(), false, image, result, epilogue, vectorBits, workers);
  }

  /** The gradient of an input {@code image} from that of the output; see {@link ConvolutionKernel#inputGradient}. */
  static WinogradKernel inputGradient(
      ConvSpec spec, int taps, Shape image, Shape output, MapKernel epilogue, int vectorBits, Workers workers) {
    return new WinogradKernel(
        taps,
        taps - 1 - spec.padding().top(),
        taps - 1 - spec.padding().left(),
        true,
        output,
        image,
        epilogue,
        vectorBits,
        workers);
  }

  /** All taps of the filter of one channel, of so many channels on the other side. */
  private long filterBytes(int channels) {
    return 4L * transforms.taps() * transforms.taps() * channels;
  }

  /** A row of a panel. */
  private long columnBytes() {
    return 4L * tile.columns();
  }

  /** One panel of the filter: [value][channel in][channels out]. */
  private long panelBytes() {
    return VALUES * depth * columnBytes();
  }

  private long packedBytes() {
    return panels * panelBytes();
  }

  /** One of the 36 values of the tiles of a block. */
  private long valueBytes() {
    return 4L * blockRows * tileColumns * depth + APART;
  }

  private long productBytes() {
    return blockRows * tileColumns * columnBytes() + APART;
  }

  /** One of the values of a row of tiles of which the columns are back. */
  private long backBytes() {
    return tileColumns * columnBytes() + APART;
  }

  /** Values of a vector of input channels and a panel of output channels. */
  private long tapBytes() {
    return (long) Lanes.BYTES * tile.columns();
  }

  /** Source, its values, products, columns of the result, and a pixel for what lies beyond the edge; or filters. */
  private long slotBytes() {
    long block =
        source.scratchBytes() + VALUES * (valueBytes() + productBytes()) + size * POINTS * backBytes() + columnBytes();
    return Memory.aligned(Math.max(block, transforms.taps() * (POINTS + transforms.taps()) * tapBytes()));
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
    int vectors = depth / Lanes.COUNT;
    Workers.SlotTask pack =
        (part, slot) ->
            pack(weights, part / vectors, part % vectors * Lanes.COUNT, workspace, slots + slot * slotBytes());
    Workers.SlotTask convolve = (block, slot) -> convolve(x, workspace, y, block, slots + slot * slotBytes(), rider);
    return () -> {
      workers.run(pack, panels * vectors);
      workers.run(convolve, blocks);
    };
  }

  /**
   * A vector of input channels, from {@code in}, of the filters of one panel; for the gradient turned around, with the
   * channels exchanged.
   */
  private void pack(long weights, int panel, int in, long packed, long scratch) {
    long value = depth * columnBytes();
    long target = packed + panel * panelBytes() + in * columnBytes();
    long columns = scratch;
    if (gradient) {
      long tap = -4L * width;
      long last = weights + (in + 1) * filterBytes(width) + tap + panel * columnBytes();
      transform(last, tap, columns, target, value);
      return;
    }
    // Channels in lie side by side, in a panel those out: exchanged first, as there are fewer taps than values.
    long exchanged = columns + transforms.taps() * POINTS * tapBytes();
    long first = weights + (long) panel * tile.columns() * filterBytes(depth) + 4L * in;
    for (int tap = 0; tap < transforms.taps() * transforms.taps(); tap++) {
      long from = first + 4L * depth * tap;
      Panel.ofColumns(tile, from, filterBytes(depth), Lanes.COUNT, tile.columns(), exchanged + tap * tapBytes());
    }
    transform(exchanged, tapBytes(), columns, target, value);
  }

  /** All taps of some filters, {@code tap} bytes apart, to 36 values {@code value} bytes apart. */
  private void transform(long weights, long tap, long columns, long values, long value) {
    int side = transforms.taps();
    for (int j = 0; j < side; j++) {
      transforms.filter(weights + j * tap, side * tap, taps, columns + j * tapBytes(), side * tapBytes());
    }
    for (int i = 0; i < POINTS; i++) {
      transforms.filter(columns + side * i * tapBytes(), tapBytes(), tapRun, values + POINTS * i * value, value);
    }
  }

  private void convolve(long x, long packed, long y, int block, long slot, BoundMap rider) {
    int firstRow = block * blockRows;
    int count = Math.min(blockRows, rows - firstRow);
    int tiles = count * tileColumns;
    long values = slot + source.scratchBytes();
    long product = values + VALUES * valueBytes();
    long back = product + VALUES * productBytes();
    source.clear(slot);
    for (int row = 0; row < count; row++) {
      source.transform(x, firstRow + row, slot, values + 4L * row * tileColumns * depth, valueBytes());
    }
    for (int panel = 0; panel < panels; panel++) {
      long b = packed + panel * panelBytes();
      for (int value = 0; value < VALUES; value++) {
        for (int first = 0; first < tiles; first += tile.rows()) {
          tile.run(
              left,
              values + value * valueBytes(),
              first,
              Math.min(tile.rows(), tiles - first),
              b + value * depth * columnBytes(),
              product + value * productBytes() + first * columnBytes(),
              columnBytes());
        }
      }
      for (int row = 0; row < count; row++) {
        back(product + row * tileColumns * columnBytes(), back, y, firstRow + row, panel, rider);
      }
    }
  }

  /** One row of tiles of the result, for the channels of a panel. */
  private void back(long product, long columns, long y, int row, int panel, BoundMap rider) {
    for (int j = 0; j < POINTS; j++) {
      long to = columns + j * backBytes();
      long step = POINTS * backBytes();
      transforms.result(
          product + j * productBytes(),
          POINTS * productBytes(),
          valueColumn,
          to,
          to + step,
          to + 2 * step,
          to + 3 * step);
    }
    long beyond = columns + size * POINTS * backBytes();
    int firstRow = row % tileRows * size;
    int pixelRows = Math.min(size, result.dim(1) - firstRow);
    int whole = wholeTiles.count();
    int rest = result.dim(2) - whole * size;
    long pixel = 4L * width;
    long first = ((row / tileRows * (long) result.dim(1) + firstRow) * result.dim(2)) * width + panel * tile.columns();
    for (int i = 0; i < pixelRows; i++) {
      long from = columns + i * POINTS * backBytes();
      long to = y + 4 * first + i * result.dim(2) * pixel;
      transforms.result(from, backBytes(), wholeTiles, to, to + pixel, to + 2 * pixel, to + 3 * pixel);
      if (rest > 0) {
        long last = to + whole * size * pixel;
        transforms.result(
            from + whole * columnBytes(),
            backBytes(),
            lastTile,
            last,
            rest > 1 ? last + pixel : beyond,
            rest > 2 ? last + 2 * pixel : beyond,
            beyond);
      }
    }
    if (rider != null) {
      rider.rectangle(first, pixelRows * result.dim(2), tile.columns(), width);
    }
  }
}
