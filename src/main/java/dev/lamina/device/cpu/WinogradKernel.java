package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.device.cpu.WinogradTiles.Runs;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;
import java.util.function.BooleanSupplier;

/**
 * A convolution with a small filter, forward with any stride or for the gradient of its input with stride 1, by
 * Winograd's algorithm (Lavin and Gray 2015), for example F(4×4, 3×3). The source is cut into overlapping tiles of 6×6
 * pixels, or cells of some (see {@link WinogradCells}), each transformed to 36 values; for each of these there is a
 * product [tiles][channels in] by [channels in][channels out]; the inverse transform makes 4×4 pixels. Blocks of tiles
 * are so small that everything between lies in the second-level cache.
 *
 * <p>Sums come in another order than in a direct convolution, and of larger numbers: the error grows by a small factor.
 */
final class WinogradKernel implements CpuKernel {
  /** The most multiplications, as a share of those of a direct convolution. */
  private static final double MOST_PRODUCTS = 0.68;

  /** What the transforms take for a tile's value and a vector of the result's channels, in multiplications. */
  private static final int TRANSFORMS = 18;

  /** Two full tiles of the product. */
  private static final int FEWEST_TILES = 16;

  /** What the transformed source of a block may take: half of a second-level cache. */
  private static final long BLOCK_BYTES = 384 << 10;

  /**
   * Between the places of two values: they are written and read together, and a distance of 4 KiB, as it would often
   * be, would put all of them in the same few lines of the first-level cache.
   */
  static final long APART = 2 * Memory.ALIGNMENT;

  /** Parts of the work at least, if there are as many rows of tiles or panels: enough for a dozen threads. */
  private static final int FEWEST_PARTS = 16;

  private final Workers workers;
  private final ProductTile tile;
  private final WinogradCells cells;
  private final WinogradTiles transforms;
  private final int points;
  private final int values;
  private final int size;
  private final boolean gradient;
  private final Shape result;

  /** For each value the channels of a cell that have a part in it. */
  private final ProductTile.Left[] lefts;

  /** For each value the rows of a panel before it. */
  private final int[] firstRows;

  private final int width;
  private final int panels;
  private final int tileRows;
  private final int tileColumns;
  private final int rows;
  private final int blockRows;
  private final int blocks;

  /** Parts of the panels, each of which transforms the source anew. */
  private final int splits;

  private final WinogradSource source;
  private final MapKernel epilogue;

  /** A tap of the filter, for a vector of input channels and a panel of output channels, where it is read. */
  private final Runs taps;

  /** The same, or one of the values, side by side. */
  private final Runs tapRun;

  /** One column of the values of a row of tiles. */
  private final Runs valueColumn;

  /** A row of pixels of the tiles that lie within the result. */
  private final Runs wholeTiles;

  private final Runs lastTile;

  private WinogradKernel(
      int kernel,
      int stride,
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
    width = result.dim(3);
    tile = ProductTile.of(vectorBits, width);
    panels = width / tile.columns();
    cells = new WinogradCells(kernel, stride, image.dim(3));
    transforms = WinogradTiles.of(cells.taps());
    points = transforms.points();
    values = transforms.values();
    size = transforms.size();
    source = new WinogradSource(image, cells, transforms, result.dim(1), result.dim(2), top, leftPadding);
    tileRows = source.tileRows();
    tileColumns = source.tileColumns();
    rows = source.rows();
    long rowBytes = 4L * values * tileColumns * Math.max(cells.width(), tile.columns());
    // As many rows as fit, so that all of the product's tiles are full where these are longer than a row.
    long most = Math.max(BLOCK_BYTES / rowBytes, Math.ceilDiv(tile.rows(), tileColumns));
    int full = Math.max(1, tile.rows() / tileColumns);
    int sharing = Math.max(full, Math.ceilDiv(rows, FEWEST_PARTS));
    blockRows = Math.clamp(Math.min(most / full * full, sharing), 1, rows);
    blocks = Math.ceilDiv(rows, blockRows);
    splits = Math.clamp(FEWEST_PARTS / blocks, 1, panels);
    int[] tiles = ProductTile.Left.steps(blockRows * tileColumns, cells.width());
    lefts = new ProductTile.Left[values];
    firstRows = new int[values + 1];
    for (int value = 0; value < values; value++) {
      lefts[value] = new ProductTile.Left(tiles, cells.offsets(value / points, value % points));
      firstRows[value + 1] = firstRows[value] + lefts[value].inner().length;
    }
    tapRun = Runs.one(tapBytes());
    taps = gradient ? Runs.gather(Lanes.COUNT, columnBytes(), filterBytes(width)) : tapRun;
    valueColumn = Runs.one(tileColumns * columnBytes());
    wholeTiles = Runs.scatter(result.dim(2) / size, columnBytes(), size * 4L * width);
    lastTile = Runs.one(columnBytes());
  }

  /** Whether this kernel does such a convolution of an image, and is likely to be faster than the direct one. */
  static boolean suits(ConvSpec spec, Shape image, Shape result, Shape filter, int vectorBits) {
    int kernel = filter.dim(1);
    int stride = spec.stride().height();
    boolean square = filter.dim(2) == kernel && spec.stride().width() == stride;
    if (vectorBits == 0 || !square || spec.groups() != 1 || !spec.dilation().equals(Size.square(1))) {
      return false;
    }
    int width = result.dim(3);
    return width >= Lanes.COUNT
        && width % ProductTile.of(vectorBits, width).columns() == 0
        && WinogradTiles.exist(Math.ceilDiv(kernel, stride))
        && isWorthwhile(new WinogradCells(kernel, stride, image.dim(3)), result);
  }

  /** The same for the gradient of an image from that of the {@code output}. */
  static boolean suitsGradient(ConvSpec spec, Shape output, Shape image, Shape filter, int vectorBits) {
    return spec.stride().equals(Size.square(1))
        && vectorBits > 0
        && output.dim(3) % Lanes.COUNT == 0
        && suits(spec, output, image, filter, vectorBits);
  }

  /** Whether the tiles lie well in the image, and are enough to pay for the transform of the filters. */
  private static boolean isWorthwhile(WinogradCells cells, Shape result) {
    int size = WinogradTiles.size(cells.taps());
    int points = size + cells.taps() - 1;
    long tiles = (long) Math.ceilDiv(result.dim(1), size) * Math.ceilDiv(result.dim(2), size);
    long direct = (long) result.dim(1) * result.dim(2) * cells.kernel() * cells.kernel() * cells.channels();
    long products = 0;
    for (int value = 0; value < points * points; value++) {
      products += tiles * cells.depth(value / points, value % points);
    }
    return products <= MOST_PRODUCTS * direct
        && products + TRANSFORMS * tiles * points * points <= direct
        && tiles * result.dim(0) >= FEWEST_TILES;
  }

  /** The convolution of {@code image} [n,h,w,c]; see {@link ConvolutionKernel#forward}. */
  static WinogradKernel forward(
      ConvSpec spec, int taps, Shape image, Shape result, MapKernel epilogue, int vectorBits, Workers workers) {
    return new WinogradKernel(
        taps,
        spec.stride().height(),
        spec.padding().top(),
        spec.padding().left(),
        false,
        image,
        result,
        epilogue,
        vectorBits,
        workers);
  }

  /** The gradient of an input {@code image} from that of the output; see {@link ConvolutionKernel#inputGradient}. */
  static WinogradKernel inputGradient(
      ConvSpec spec, int taps, Shape image, Shape output, MapKernel epilogue, int vectorBits, Workers workers) {
    return new WinogradKernel(
        taps,
        1,
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
    return 4L * cells.kernel() * cells.kernel() * channels;
  }

  /** A row of a panel. */
  private long columnBytes() {
    return 4L * tile.columns();
  }

  /** One panel of the filter: [value][channel in][channels out]. */
  private long panelBytes() {
    return firstRows[values] * columnBytes();
  }

  private long packedBytes() {
    return panels * panelBytes();
  }

  /** One of the values of the tiles of a block. */
  private long valueBytes() {
    return 4L * blockRows * tileColumns * cells.width() + APART;
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

  /** Taps of a panel's filters, of which the columns are done, all done, and as they were. */
  private long filterScratchBytes() {
    return (transforms.taps() * (points + transforms.taps()) + values) * tapBytes();
  }

  /** Source, its values, products, columns of the result, and a pixel for what lies beyond the edge; or filters. */
  private long slotBytes() {
    long block =
        source.scratchBytes() + values * (valueBytes() + productBytes()) + size * points * backBytes() + columnBytes();
    return Memory.aligned(Math.max(block, filterScratchBytes()));
  }

  @Override
  public long workspaceBytes() {
    return packedBytes() + workers.threads() * slotBytes();
  }

  @Override
  public long keptBytes() {
    return PackedFilter.isWorthKeeping(result) ? packedBytes() : 0;
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    return bind(inputs, outputs, workspace, workspace, ALWAYS);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace, long packed, BooleanSupplier changed) {
    long x = inputs[0];
    long weights = inputs[1];
    long y = outputs[0];
    BoundMap rider = Epilogue.bind(epilogue, inputs, y);
    long slots = workspace + packedBytes();
    int vectors = Math.ceilDiv(cells.channels(), Lanes.COUNT);
    int parts = cells.pixels() * vectors;
    Workers.SlotTask pack =
        (part, slot) -> {
          int ofPanel = part % parts;
          int in = ofPanel % vectors * Lanes.COUNT;
          pack(weights, part / parts, ofPanel / vectors, in, packed, slots + slot * slotBytes());
        };
    Workers.SlotTask convolve =
        (part, slot) -> convolve(x, packed, y, part / splits, part % splits, slots + slot * slotBytes(), rider);
    return () -> {
      if (changed.getAsBoolean()) {
        workers.run(pack, panels * parts);
      }
      workers.run(convolve, blocks * splits);
    };
  }

  /**
   * A vector of channels, from {@code in}, of a cell's pixel, of the filters of one panel; for the gradient turned
   * around, with the channels exchanged.
   */
  private void pack(long weights, int panel, int pixel, int in, long packed, long scratch) {
    long target = packed + panel * panelBytes();
    int side = transforms.taps();
    long columns = scratch;
    long transformed = columns + side * points * tapBytes();
    if (gradient) {
      long tap = -4L * width;
      long last = weights + (in + 1) * filterBytes(width) + tap + panel * columnBytes();
      transform(last, tap, columns, transformed);
    } else {
      // Channels in lie side by side, in a panel those out: exchanged first, as there are fewer taps than values.
      long exchanged = transformed + values * tapBytes();
      int count = Math.min(Lanes.COUNT, cells.channels() - in);
      long first = weights + (long) panel * tile.columns() * filterBytes(cells.channels()) + 4L * in;
      for (int i = 0; i < side * side; i++) {
        int tap = cells.tap(pixel, i / side, i % side);
        long to = exchanged + i * tapBytes();
        if (tap < 0) {
          Memory.clear(to, tapBytes());
        } else {
          long from = first + 4L * cells.channels() * tap;
          Panel.ofColumns(tile, from, filterBytes(cells.channels()), count, tile.columns(), to);
        }
      }
      transform(exchanged, tapBytes(), columns, transformed);
    }
    store(transformed, target, pixel, in);
  }

  /** All taps of some filters, {@code tap} bytes apart, to values. */
  private void transform(long weights, long tap, long columns, long transformed) {
    int side = transforms.taps();
    for (int j = 0; j < side; j++) {
      transforms.filter(weights + j * tap, side * tap, taps, columns + j * tapBytes(), side * tapBytes());
    }
    for (int i = 0; i < points; i++) {
      transforms.filter(
          columns + side * i * tapBytes(), tapBytes(), tapRun, transformed + points * i * tapBytes(), tapBytes());
    }
  }

  /** Brings a pixel's channels to their rows of a panel. */
  private void store(long transformed, long panel, int pixel, int in) {
    int count = Math.min(Lanes.COUNT, cells.channels() - in);
    for (int value = 0; value < values; value++) {
      int row = value / points;
      int column = value % points;
      if (cells.counts(pixel, row, column)) {
        long to = panel + (firstRows[value] + cells.before(pixel, row, column) + in) * columnBytes();
        Memory.copy(transformed + value * tapBytes(), to, count * columnBytes());
      }
    }
  }

  /** A block of rows of tiles, for some of the panels. */
  private void convolve(long x, long packed, long y, int block, int split, long slot, BoundMap rider) {
    int firstRow = block * blockRows;
    int count = Math.min(blockRows, rows - firstRow);
    int tiles = count * tileColumns;
    long transformed = slot + source.scratchBytes();
    long product = transformed + values * valueBytes();
    long back = product + values * productBytes();
    source.clear(slot);
    for (int row = 0; row < count; row++) {
      long to = transformed + 4L * row * tileColumns * cells.width();
      source.transform(x, firstRow + row, row > 0, slot, to, valueBytes());
    }
    for (int panel = panels * split / splits; panel < panels * (split + 1) / splits; panel++) {
      long b = packed + panel * panelBytes();
      for (int value = 0; value < values; value++) {
        for (int first = 0; first < tiles; first += tile.rows()) {
          tile.run(
              lefts[value],
              transformed + value * valueBytes(),
              first,
              Math.min(tile.rows(), tiles - first),
              b + firstRows[value] * columnBytes(),
              columnBytes(),
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
    for (int j = 0; j < points; j++) {
      long to = columns + j * backBytes();
      long step = points * backBytes();
      transforms.result(
          product + j * productBytes(),
          points * productBytes(),
          valueColumn,
          to,
          to + step,
          to + 2 * step,
          to + 3 * step);
    }
    long beyond = columns + size * points * backBytes();
    int firstRow = row % tileRows * size;
    int pixelRows = Math.min(size, result.dim(1) - firstRow);
    int whole = wholeTiles.count();
    int rest = result.dim(2) - whole * size;
    long pixel = 4L * width;
    long first = ((row / tileRows * (long) result.dim(1) + firstRow) * result.dim(2)) * width + panel * tile.columns();
    for (int i = 0; i < pixelRows; i++) {
      long from = columns + i * points * backBytes();
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
