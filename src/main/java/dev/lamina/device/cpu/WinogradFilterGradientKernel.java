package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.FilterGradientKernel.PARTS;
import static dev.lamina.device.cpu.FilterGradientKernel.SUM_BYTES;
import static dev.lamina.device.cpu.WinogradKernel.APART;
import static dev.lamina.device.cpu.WinogradKernel.BLOCK_BYTES;
import static dev.lamina.device.cpu.WinogradKernel.VALUES;

import dev.lamina.device.Step;
import dev.lamina.graph.ConvSpec;
import dev.lamina.tensor.Shape;

/**
 * The gradient of a 3×3 filter with stride 1 by Winograd's transforms: where the forward pass multiplies the 16 values
 * of a tile of the source with those of the filter, the gradient of the latter is the sum over all tiles of the former
 * times the transformed gradient of the result (see {@link WinogradKernel}).
 *
 * <p>Rows of tiles are summed in a fixed number of chunks, each into memory of its own, [panel][value][channel
 * in][channels out of the panel], and the chunks in their order.
 */
final class WinogradFilterGradientKernel implements CpuKernel {
  /** Channels in that are done together. */
  private static final int BLOCK_CHANNELS = 64;

  private final Workers workers;
  private final ProductTile tile;
  private final Shape image;
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
  private final PaddedImage strip;

  /** For 1, 2, … rows of tiles. */
  private final ProductTile.Left[] stretches;

  WinogradFilterGradientKernel(ConvSpec spec, Shape image, Shape output, int vectorBits, Workers workers) {
    this.workers = workers;
    this.image = image;
    this.output = output;
    depth = image.dim(3);
    width = output.dim(3);
    tile = ProductTile.of(vectorBits, width);
    panels = width / tile.columns();
    block = depth % BLOCK_CHANNELS == 0 ? BLOCK_CHANNELS : depth % 32 == 0 ? 32 : Lanes.COUNT;
    blocks = depth / block;
    tileRows = Math.ceilDiv(output.dim(1), 2);
    tileColumns = Math.ceilDiv(output.dim(2), 2);
    rows = tileRows * image.dim(0);
    chunks = Math.clamp(Math.min(SUM_BYTES / sumBytes(), rows), 1, PARTS);
    splits = Math.min(panels, Math.ceilDiv(PARTS, chunks * blocks));
    strip = new PaddedImage(4, 2 * tileColumns + 2, depth, spec.padding().top(), spec.padding().left());
    int most = Math.clamp(BLOCK_BYTES / (4L * VALUES * tileColumns * block), 1, Math.ceilDiv(rows, chunks));
    stretches = new ProductTile.Left[most + 1];
    for (int count = 1; count <= most; count++) {
      stretches[count] = ProductTile.Left.matrix(block, 4, count * tileColumns, 4L * block);
    }
  }

  private int most() {
    return stretches.length - 1;
  }

  private long panelSumBytes() {
    return 4L * VALUES * depth * tile.columns();
  }

  private long sumBytes() {
    return panels * panelSumBytes();
  }

  private long sourceBytes() {
    return 4L * most() * tileColumns * block + APART;
  }

  private long gradientBytes() {
    return 4L * most() * tileColumns * tile.columns() + APART;
  }

  /** Strip, both sides transformed, a tile, and a pixel of zeros; or the taps of a vector of channels. */
  private long slotBytes() {
    long sums = strip.bytes() + VALUES * (sourceBytes() + gradientBytes()) + tile.scratchBytes() + 4L * tile.columns();
    return Memory.aligned(Math.max(sums, 4L * 9 * Lanes.COUNT * tile.columns()));
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
    long values = slot + strip.bytes();
    long gradients = values + VALUES * sourceBytes();
    long scratch = gradients + VALUES * gradientBytes();
    long zeros = scratch + tile.scratchBytes();
    Memory.clear(zeros, 4L * tile.columns());
    for (int row = first; row < last; row += most()) {
      int count = Math.min(most(), last - row);
      for (int i = 0; i < count; i++) {
        source(x, row + i, channels * block, slot, values + 4L * i * tileColumns * block);
      }
      for (int panel = panels * split / splits; panel < panels * (split + 1) / splits; panel++) {
        for (int i = 0; i < count; i++) {
          gradient(dy, row + i, panel, gradients + 4L * i * tileColumns * tile.columns(), zeros);
        }
        long to = sums + panel * panelSumBytes() + 4L * channels * block * tile.columns();
        products(stretches[count], values, gradients, to, scratch, row > first);
      }
    }
  }

  /** One row of tiles of the image. */
  private void source(long x, int row, int channel, long slot, long values) {
    long from = x + row / tileRows * 4L * image.sliceSize();
    strip.fill(from, image.dim(1), image.dim(2), row % tileRows * 2, slot);
    WinogradTiles.source(
        slot + 4L * channel, strip.row(), strip.pixel(), 4L * block, tileColumns, values, sourceBytes());
  }

  /** One row of tiles of the result's gradient, for the channels of a panel. */
  private void gradient(long dy, int row, int panel, long gradients, long zeros) {
    int columns = tile.columns();
    int firstRow = row % tileRows * 2;
    boolean second = firstRow + 1 < output.dim(1);
    long pixel = 4L * width;
    long next = output.dim(2) * pixel;
    long first = dy + (row / tileRows * (long) output.dim(1) + firstRow) * next + 4L * panel * columns;
    for (int column = 0; column < tileColumns; column++) {
      long from = first + 2 * column * pixel;
      boolean right = 2 * column + 1 < output.dim(2);
      WinogradTiles.resultGradient(
          from,
          right ? from + pixel : zeros,
          second ? from + next : zeros,
          right && second ? from + next + pixel : zeros,
          4L * columns,
          gradients + 4L * column * columns,
          gradientBytes());
    }
  }

  private void products(ProductTile.Left left, long values, long gradients, long sums, long scratch, boolean add) {
    long row = 4L * tile.columns();
    for (int value = 0; value < VALUES; value++) {
      long a = values + value * sourceBytes();
      long b = gradients + value * gradientBytes();
      for (int first = 0; first < block; first += tile.rows()) {
        int some = Math.min(tile.rows(), block - first);
        long c = sums + ((long) value * depth + first) * row;
        if (add) {
          tile.run(left, a, first, some, b, scratch, row);
          tile.add(scratch, c, row, some);
        } else {
          tile.run(left, a, first, some, b, c, row);
        }
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
        tile.add(total + chunk * sumBytes() + v * value, total + v * value, row, Lanes.COUNT);
      }
    }
    long tap = Lanes.COUNT * row;
    for (int i = 0; i < Lanes.COUNT; i++) {
      WinogradTiles.filterGradient(total + i * row, value, row, slot + i * row, tap);
    }
    for (int j = 0; j < columns; j++) {
      for (int t = 0; t < 9; t++) {
        long to = gradient + 4L * (((long) (panel * columns + j) * 9 + t) * depth + channel);
        for (int i = 0; i < Lanes.COUNT; i++) {
          Memory.set(to + 4L * i, Memory.get(slot + t * tap + i * row + 4L * j));
        }
      }
    }
  }
}
