package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.FilterGradientKernel.PARTS;
import static dev.lamina.device.cpu.WinogradKernel.APART;

import dev.lamina.device.Step;
import dev.lamina.device.cpu.WinogradTiles.Runs;
import dev.lamina.graph.ConvSpec;
import dev.lamina.tensor.Shape;

/**
 * The gradient of a small filter by Winograd's transforms: where the forward pass multiplies the values of a tile of
 * the source with those of the filter, the gradient of the latter is the sum over all tiles of the former times the
 * transformed gradient of the result (see {@link WinogradKernel}).
 *
 * <p>Rows of tiles are summed in a fixed number of chunks, each into memory of its own, [panel][value][channel
 * in][channels out of the panel], and the chunks in their order.
 */
final class WinogradFilterGradientKernel implements CpuKernel {
  /**
   * What all partial sums may take: as many chunks of rows as there need be parts are better than parts of the panels,
   * each of which transforms the source anew.
   */
  private static final long SUM_BYTES = 20 << 20;

  /**
   * Tiles of a chunk at least, if there are as many: with fewer, writing and adding sums takes longer than products.
   */
  private static final int FEWEST_TILES = 64;

  /**
   * What the transformed source of some rows of tiles may take, 64 tiles as a rule: with a panel of the other side,
   * which is half as large, it fits into a second-level cache of 1 MiB. The longer the products are, the less often is
   * added to the sums, which lie beyond that cache.
   */
  private static final long BLOCK_BYTES = 576 << 10;

  /** Channels of a cell that are done together, if whole vectors of a pixel's make as many. */
  private static final int BLOCK_CHANNELS = 64;

  private final Workers workers;
  private final ProductTile tile;
  private final WinogradCells cells;
  private final WinogradTiles transforms;
  private final int points;
  private final int values;
  private final int size;
  private final Shape output;
  private final int depth;
  private final int width;
  private final int panels;
  private final int blocks;
  private final int splits;
  private final int tileRows;
  private final int tileColumns;
  private final int rows;
  private final int chunks;
  private final WinogradSource source;

  /** For each value the rows of a panel's sums before it. */
  private final int[] firstRows;

  /** A row of pixels of the result's gradient, of a panel's channels. */
  private final Runs pixels;

  /** One of four columns of a row of tiles of them. */
  private final Runs tiles;

  /** A value of a vector of channels in and a panel of channels out. */
  private final Runs sums;

  /** For 1, 2, … rows of tiles and each value: the channels of a cell that have a part in it, by tiles. */
  private final ProductTile.Left[][] stretches;

  WinogradFilterGradientKernel(ConvSpec spec, int kernel, Shape image, Shape output, int vectorBits, Workers workers) {
    this.workers = workers;
    this.output = output;
    depth = image.dim(3);
    width = output.dim(3);
    tile = ProductTile.of(vectorBits, width);
    panels = width / tile.columns();
    int stride = spec.stride().height();
    cells = new WinogradCells(kernel, stride, blockChannels(depth, stride * stride));
    blocks = depth / cells.channels();
    transforms = WinogradTiles.of(cells.taps());
    points = transforms.points();
    values = transforms.values();
    size = transforms.size();
    source =
        new WinogradSource(
            image, cells, transforms, output.dim(1), output.dim(2), spec.padding().top(), spec.padding().left());
    tileRows = source.tileRows();
    tileColumns = source.tileColumns();
    rows = source.rows();
    firstRows = new int[values + 1];
    for (int value = 0; value < values; value++) {
      firstRows[value + 1] = firstRows[value] + blocks * cells.depth(value / points, value % points);
    }
    long most = Math.min(SUM_BYTES / sumBytes(), Math.min(rows, (long) rows * tileColumns / FEWEST_TILES));
    chunks = Math.clamp(most, 1, Math.ceilDiv(PARTS, blocks));
    splits = Math.min(panels, Math.ceilDiv(PARTS, chunks * blocks));
    pixels = Runs.gather(output.dim(2), columnBytes(), 4L * width);
    tiles = Runs.gather(tileColumns, columnBytes(), size * columnBytes());
    sums = Runs.one(Lanes.COUNT * columnBytes());
    int longest = Math.clamp(BLOCK_BYTES / (4L * values * tileColumns * cells.width()), 1, Math.ceilDiv(rows, chunks));
    stretches = new ProductTile.Left[longest + 1][values];
    for (int count = 1; count <= longest; count++) {
      int[] inner = ProductTile.Left.steps(count * tileColumns, cells.width());
      for (int value = 0; value < values; value++) {
        stretches[count][value] = new ProductTile.Left(cells.offsets(value / points, value % points), inner);
      }
    }
  }

  /** How many of a pixel's channels are done together: all, or whole vectors of which there is a whole number. */
  private static int blockChannels(int channels, int pixels) {
    int some = Math.max(1, BLOCK_CHANNELS / pixels);
    while (some > Lanes.COUNT && channels % some != 0) {
      some /= 2;
    }
    return some % Lanes.COUNT == 0 && channels % some == 0 ? some : channels;
  }

  private int longest() {
    return stretches.length - 1;
  }

  private long columnBytes() {
    return 4L * tile.columns();
  }

  private long panelSumBytes() {
    return firstRows[values] * columnBytes();
  }

  private long sumBytes() {
    return panels * panelSumBytes();
  }

  private long sourceBytes() {
    return 4L * longest() * tileColumns * cells.width() + APART;
  }

  private long gradientBytes() {
    return longest() * tileColumns * columnBytes() + APART;
  }

  /** A row of pixels of which the columns of tiles are done. */
  private long scratchRow() {
    return size * tileColumns * columnBytes();
  }

  /** A row of pixels, or of zeros. */
  private long rowBytes() {
    return 4L * output.dim(2) * width;
  }

  /**
   * Source, both sides transformed, columns of the gradient's tiles, a row of zeros, products of a value; or the taps
   * of a vector of channels.
   */
  private long slotBytes() {
    long parts =
        source.scratchBytes()
            + values * (sourceBytes() + gradientBytes())
            + Memory.aligned(points * scratchRow() + rowBytes())
            + cells.pixels() * cells.channels() * columnBytes();
    int side = transforms.taps();
    return Memory.aligned(Math.max(parts, (values + side * (points + side)) * Lanes.COUNT * columnBytes()));
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
    int perChunk = blocks * splits;
    Workers.SlotTask sum =
        (part, slot) -> {
          int chunk = part / perChunk;
          int split = part % perChunk;
          sum(x, dy, chunk, split / splits, split % splits, workspace + chunk * sumBytes(), slots + slot * slotBytes());
        };
    int vectors = Math.ceilDiv(cells.channels(), Lanes.COUNT);
    int joins = blocks * cells.pixels() * vectors;
    Workers.SlotTask join =
        (part, slot) -> {
          int ofPanel = part % joins;
          int pixel = ofPanel / vectors % cells.pixels();
          int channel = ofPanel % vectors * Lanes.COUNT;
          long scratch = slots + slot * slotBytes();
          join(workspace, gradient, part / joins, ofPanel / vectors / cells.pixels(), pixel, channel, scratch);
        };
    return () -> {
      workers.run(sum, chunks * perChunk);
      workers.run(join, panels * joins);
    };
  }

  /** Sums a chunk's rows of tiles, for a block of channels in and some of the panels of channels out. */
  private void sum(long x, long dy, int chunk, int block, int split, long sums, long slot) {
    int first = (int) ((long) rows * chunk / chunks);
    int last = (int) ((long) rows * (chunk + 1) / chunks);
    long sources = slot + source.scratchBytes();
    long gradients = sources + values * sourceBytes();
    long columns = gradients + values * gradientBytes();
    long scratch = columns + Memory.aligned(points * scratchRow() + rowBytes());
    source.clear(slot);
    Memory.clear(columns, points * scratchRow() + rowBytes());
    int times = Math.ceilDiv(last - first, longest());
    for (int time = 0; time < times; time++) {
      int row = first + (int) ((long) (last - first) * time / times);
      int count = first + (int) ((long) (last - first) * (time + 1) / times) - row;
      for (int i = 0; i < count; i++) {
        long to = sources + 4L * i * tileColumns * cells.width();
        source.transform(x + 4L * block * cells.channels(), row + i, row + i > first, slot, to, sourceBytes());
      }
      for (int i = 0; i < count; i++) {
        Memory.fetch(pixelRow(dy, row + i), pixelRows(row + i) * rowBytes(), scratch);
      }
      for (int panel = panels * split / splits; panel < panels * (split + 1) / splits; panel++) {
        for (int i = 0; i < count; i++) {
          gradient(dy, row + i, panel, columns, gradients + i * tileColumns * columnBytes());
        }
        products(stretches[count], sources, gradients, sums + panel * panelSumBytes(), block, scratch, time > 0);
      }
    }
  }

  /** The first of the rows of pixels of a row of tiles. */
  private long pixelRow(long dy, int row) {
    return dy + (row / tileRows * (long) output.dim(1) + row % tileRows * size) * rowBytes();
  }

  /** How many there are. */
  private int pixelRows(int row) {
    return Math.min(size, output.dim(1) - row % tileRows * size);
  }

  /** One row of tiles of the result's gradient, for the channels of a panel. */
  private void gradient(long dy, int row, int panel, long columns, long gradients) {
    long next = rowBytes();
    int pixelRows = pixelRows(row);
    long from = pixelRow(dy, row) + panel * columnBytes();
    long zeros = columns + points * scratchRow();
    transforms.resultGradient(
        from,
        pixelRows > 1 ? from + next : zeros,
        pixelRows > 2 ? from + 2 * next : zeros,
        pixelRows > 3 ? from + 3 * next : zeros,
        pixels,
        columns,
        scratchRow());
    for (int i = 0; i < points; i++) {
      long y = columns + i * scratchRow();
      transforms.resultGradient(
          y,
          y + columnBytes(),
          y + 2 * columnBytes(),
          y + 3 * columnBytes(),
          tiles,
          gradients + points * i * gradientBytes(),
          gradientBytes());
    }
  }

  private void products(
      ProductTile.Left[] lefts, long sources, long gradients, long sums, int block, long scratch, boolean add) {
    long row = columnBytes();
    for (int value = 0; value < values; value++) {
      ProductTile.Left left = lefts[value];
      int count = left.rows().length;
      long a = sources + value * sourceBytes();
      long b = gradients + value * gradientBytes();
      long c = sums + (firstRows[value] + block * count) * row;
      long to = add ? scratch : c;
      for (int first = 0; first < count; first += tile.rows()) {
        tile.run(left, a, first, Math.min(tile.rows(), count - first), b, row, to + first * row, row);
      }
      if (add) {
        tile.add(scratch, c, count);
      }
    }
  }

  /**
   * Adds the chunks' sums of a vector of channels in, of one of a cell's pixels, and a panel of those out, and brings
   * them into [out][kh][kw][in].
   *
   * @param channel the first of the block's
   */
  private void join(long sums, long gradient, int panel, int block, int pixel, int channel, long slot) {
    int count = Math.min(Lanes.COUNT, cells.channels() - channel);
    long row = columnBytes();
    long tap = Lanes.COUNT * row;
    for (int value = 0; value < values; value++) {
      long to = slot + value * tap;
      int i = value / points;
      int j = value % points;
      if (cells.counts(pixel, i, j)) {
        int first = firstRows[value] + block * cells.depth(i, j) + cells.before(pixel, i, j) + channel;
        long from = sums + panel * panelSumBytes() + first * row;
        Memory.copy(from, to, count * row);
        for (int chunk = 1; chunk < chunks; chunk++) {
          tile.add(from + chunk * sumBytes(), to, count);
        }
      } else {
        Memory.clear(to, tap);
      }
    }
    int side = transforms.taps();
    long half = slot + values * tap;
    long taps = half + side * points * tap;
    for (int j = 0; j < points; j++) {
      transforms.filterGradient(slot + j * tap, points * tap, this.sums, half + j * tap, points * tap);
    }
    for (int i = 0; i < side; i++) {
      transforms.filterGradient(half + i * points * tap, tap, this.sums, taps + side * i * tap, tap);
    }
    for (int t = 0; t < side * side; t++) {
      int whole = cells.tap(pixel, t / side, t % side);
      if (whole >= 0) {
        store(taps + t * tap, gradient, panel, whole, block * cells.channels() + channel, count);
      }
    }
  }

  /** One tap of {@code count} channels in, from {@code channel} on, and a panel of those out. */
  private void store(long from, long gradient, int panel, int tap, int channel, int count) {
    int taps = cells.kernel() * cells.kernel();
    for (int j = 0; j < tile.columns(); j++) {
      long to = gradient + 4L * (((long) (panel * tile.columns() + j) * taps + tap) * depth + channel);
      for (int i = 0; i < count; i++) {
        Memory.set(to + 4L * i, Memory.get(from + i * columnBytes() + 4L * j));
      }
    }
  }
}
