package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.FilterGradientKernel.PARTS;
import static dev.lamina.device.cpu.WinogradKernel.APART;
import static dev.lamina.device.cpu.WinogradTiles.POINTS;
import static dev.lamina.device.cpu.WinogradTiles.VALUES;

import dev.lamina.device.Step;
import dev.lamina.device.cpu.WinogradTiles.Runs;
import dev.lamina.graph.ConvSpec;
import dev.lamina.tensor.Shape;

/**
 * The gradient of a 3×3 or 5×5 filter with stride 1 by Winograd's transforms: where the forward pass multiplies the 36
 * values of a tile of the source with those of the filter, the gradient of the latter is the sum over all tiles of the
 * former times the transformed gradient of the result (see {@link WinogradKernel}).
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

  /** Channels in that are done together. */
  private static final int BLOCK_CHANNELS = 64;

  private final Workers workers;
  private final ProductTile tile;
  private final WinogradTiles transforms;
  private final int size;
  private final Shape output;
  private final int depth;
  private final int width;
  private final int panels;
  private final int block;
  private final int blocks;
  private final int splits;
  private final int tileRows;
  private final int tileColumns;
  private final int rows;
  private final int chunks;
  private final WinogradSource source;

  /** A row of pixels of the result's gradient, of a panel's channels. */
  private final Runs pixels;

  /** One of four columns of a row of tiles of them. */
  private final Runs tiles;

  /** A value of a vector of channels in and a panel of channels out. */
  private final Runs sums;

  /** For 1, 2, … rows of tiles. */
  private final ProductTile.Left[] stretches;

  WinogradFilterGradientKernel(ConvSpec spec, int taps, Shape image, Shape output, int vectorBits, Workers workers) {
    this.workers = workers;
    this.output = output;
    depth = image.dim(3);
    width = output.dim(3);
    tile = ProductTile.of(vectorBits, width);
    panels = width / tile.columns();
    block = depth % BLOCK_CHANNELS == 0 ? BLOCK_CHANNELS : depth % 32 == 0 ? 32 : Lanes.COUNT;
    blocks = depth / block;
    transforms = WinogradTiles.of(taps);
    size = transforms.size();
    source =
        new WinogradSource(
            image, size, output.dim(1), output.dim(2), spec.padding().top(), spec.padding().left(), block);
    tileRows = source.tileRows();
    tileColumns = source.tileColumns();
    rows = source.rows();
    long most = Math.min(SUM_BYTES / sumBytes(), Math.min(rows, (long) rows * tileColumns / FEWEST_TILES));
    chunks = Math.clamp(most, 1, Math.ceilDiv(PARTS, blocks));
    splits = Math.min(panels, Math.ceilDiv(PARTS, chunks * blocks));
    pixels = Runs.gather(output.dim(2), columnBytes(), 4L * width);
    tiles = Runs.gather(tileColumns, columnBytes(), size * columnBytes());
    sums = Runs.one(Lanes.COUNT * columnBytes());
    int longest = Math.clamp(BLOCK_BYTES / (4L * VALUES * tileColumns * block), 1, Math.ceilDiv(rows, chunks));
    stretches = new ProductTile.Left[longest + 1];
    for (int count = 1; count <= longest; count++) {
      stretches[count] = ProductTile.Left.matrix(block, 4, count * tileColumns, 4L * block);
    }
  }

  private int longest() {
    return stretches.length - 1;
  }

  private long columnBytes() {
    return 4L * tile.columns();
  }

  private long panelSumBytes() {
    return VALUES * depth * columnBytes();
  }

  private long sumBytes() {
    return panels * panelSumBytes();
  }

  private long sourceBytes() {
    return 4L * longest() * tileColumns * block + APART;
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
            + VALUES * (sourceBytes() + gradientBytes())
            + Memory.aligned(POINTS * scratchRow() + rowBytes())
            + block * columnBytes();
    return Memory.aligned(
        Math.max(parts, transforms.taps() * (POINTS + transforms.taps()) * Lanes.COUNT * columnBytes()));
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
    int vectors = depth / Lanes.COUNT;
    Workers.SlotTask join =
        (part, slot) ->
            join(workspace, gradient, part / vectors, part % vectors * Lanes.COUNT, slots + slot * slotBytes());
    return () -> {
      workers.run(sum, chunks * perChunk);
      workers.run(join, panels * vectors);
    };
  }

  /** Sums a chunk's rows of tiles, for a block of channels in and some of the panels of channels out. */
  private void sum(long x, long dy, int chunk, int channels, int split, long sums, long slot) {
    int first = (int) ((long) rows * chunk / chunks);
    int last = (int) ((long) rows * (chunk + 1) / chunks);
    long values = slot + source.scratchBytes();
    long gradients = values + VALUES * sourceBytes();
    long columns = gradients + VALUES * gradientBytes();
    long scratch = columns + Memory.aligned(POINTS * scratchRow() + rowBytes());
    source.clear(slot);
    Memory.clear(columns, POINTS * scratchRow() + rowBytes());
    int times = Math.ceilDiv(last - first, longest());
    for (int time = 0; time < times; time++) {
      int row = first + (int) ((long) (last - first) * time / times);
      int count = first + (int) ((long) (last - first) * (time + 1) / times) - row;
      for (int i = 0; i < count; i++) {
        long to = values + 4L * i * tileColumns * block;
        source.transform(x + 4L * channels * block, row + i, slot, to, sourceBytes());
      }
      for (int i = 0; i < count; i++) {
        Memory.fetch(pixelRow(dy, row + i), pixelRows(row + i) * rowBytes(), scratch);
      }
      for (int panel = panels * split / splits; panel < panels * (split + 1) / splits; panel++) {
        for (int i = 0; i < count; i++) {
          gradient(dy, row + i, panel, columns, gradients + i * tileColumns * columnBytes());
        }
        long to = sums + panel * panelSumBytes() + channels * block * columnBytes();
        products(stretches[count], values, gradients, to, scratch, time > 0);
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
    long zeros = columns + POINTS * scratchRow();
    transforms.resultGradient(
        from,
        pixelRows > 1 ? from + next : zeros,
        pixelRows > 2 ? from + 2 * next : zeros,
        pixelRows > 3 ? from + 3 * next : zeros,
        pixels,
        columns,
        scratchRow());
    for (int i = 0; i < POINTS; i++) {
      long y = columns + i * scratchRow();
      transforms.resultGradient(
          y,
          y + columnBytes(),
          y + 2 * columnBytes(),
          y + 3 * columnBytes(),
          tiles,
          gradients + POINTS * i * gradientBytes(),
          gradientBytes());
    }
  }

  private void products(ProductTile.Left left, long values, long gradients, long sums, long scratch, boolean add) {
    long row = 4L * tile.columns();
    for (int value = 0; value < VALUES; value++) {
      long a = values + value * sourceBytes();
      long b = gradients + value * gradientBytes();
      long c = sums + value * depth * row;
      long to = add ? scratch : c;
      for (int first = 0; first < block; first += tile.rows()) {
        tile.run(left, a, first, Math.min(tile.rows(), block - first), b, to + first * row, row);
      }
      if (add) {
        tile.add(scratch, c, block);
      }
    }
  }

  /**
   * Adds the chunks' sums of a vector of channels in and a panel of those out, and brings them into [out][kh][kw][in].
   */
  private void join(long sums, long gradient, int panel, int channel, long slot) {
    int columns = tile.columns();
    long row = 4L * columns;
    long value = depth * row;
    long total = sums + panel * panelSumBytes() + channel * row;
    for (int chunk = 1; chunk < chunks; chunk++) {
      for (int v = 0; v < VALUES; v++) {
        tile.add(total + chunk * sumBytes() + v * value, total + v * value, Lanes.COUNT);
      }
    }
    long tap = Lanes.COUNT * row;
    int side = transforms.taps();
    long taps = slot + side * POINTS * tap;
    for (int j = 0; j < POINTS; j++) {
      transforms.filterGradient(total + j * value, POINTS * value, this.sums, slot + j * tap, POINTS * tap);
    }
    for (int i = 0; i < side; i++) {
      transforms.filterGradient(slot + i * POINTS * tap, tap, this.sums, taps + side * i * tap, tap);
    }
    for (int j = 0; j < columns; j++) {
      for (int t = 0; t < side * side; t++) {
        long to = gradient + 4L * (((long) (panel * columns + j) * side * side + t) * depth + channel);
        for (int i = 0; i < Lanes.COUNT; i++) {
          Memory.set(to + 4L * i, Memory.get(taps + t * tap + i * row + 4L * j));
        }
      }
    }
  }
}
