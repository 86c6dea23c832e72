package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.Op;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * {@code C = op(A)·op(B)}: B is packed into panels as wide as a tile, [panel][k][columns], with zeros behind its last
 * column; A is read where it lies.
 */
final class MatMulKernel implements CpuKernel {
  /** Rows that one chunk computes with one panel, at most: the panel stays in L1 or L2 meanwhile. */
  private static final int ROWS_PER_CHUNK = 64;

  /** What a transposed block of A, or the panels of a chunk, may take in the second-level cache. */
  private static final long BLOCK_BYTES = 384 << 10;

  /**
   * The most panels of a chunk: they share one copy of a block of a transposed A, which takes as long as its product
   * with one of them. And no thread writes lines beside another's: with one panel a chunk, two threads took 1.2 times
   * as long, as what the processor fetches ahead of one was being written by the other.
   */
  private static final int PANELS_PER_CHUNK = 8;

  /** In place of an address: panels are packed where they are needed. */
  private static final long NOT_PACKED = 0;

  /** Steps of the inner dimension that are copied together. */
  private static final int STEPS_PER_COPY = 16;

  /**
   * The most that B takes, packed, to be kept from run to run: with more, all of it comes from memory each time,
   * whether it was packed before or not.
   */
  private static final long KEPT_BYTES = 8 << 20;

  /** Chunks a thread has at least before any takes more than one panel. */
  private static final int CHUNKS_PER_THREAD = 4;

  private final Workers workers;
  private final ProductTile tile;
  private final ProductTile.Left left;
  private final int rows;
  private final int inner;
  private final int columns;
  private final int panelColumns;
  private final int panels;
  private final int chunkRows;
  private final boolean transposeA;
  private final boolean transposeB;

  /**
   * Whether a chunk's rows of a transposed A are copied side by side first: where they lie, each step of the inner
   * dimension is in another page, and all of them may be in the same lines of a cache.
   */
  private final boolean copiesA;

  private final int blocks;

  /** Panels that one chunk multiplies its rows with. */
  private final int panelsPerChunk;

  /** Whether some rows come with all panels before the next rows do: then C is written row by row. */
  private final boolean rowsFirst;

  private final MapKernel epilogue;

  /**
   * Prepares it.
   *
   * @param epilogue what is made of the result; null for nothing. See {@link Epilogue}
   */
  MatMulKernel(Op.MatMul op, List<TensorType> in, MapKernel epilogue, int vectorBits, Workers workers) {
    this.workers = workers;
    this.epilogue = epilogue;
    Shape a = in.get(0).shape();
    Shape b = in.get(1).shape();
    rows = a.dim(op.transposeA() ? 1 : 0);
    inner = a.dim(op.transposeA() ? 0 : 1);
    columns = b.dim(op.transposeB() ? 0 : 1);
    tile = ProductTile.of(vectorBits, columns);
    panelColumns = tile.columns();
    panels = Math.ceilDiv(columns, panelColumns);
    transposeA = op.transposeA();
    transposeB = op.transposeB();
    // Where elements lie is counted in ints.
    chunkRows = Math.clamp(Integer.MAX_VALUE / Math.max(1, inner), 1, Math.min(rows, ROWS_PER_CHUNK));
    boolean large = (long) inner * rows > Integer.MAX_VALUE;
    copiesA = transposeA && (large || 4L * inner * chunkRows <= BLOCK_BYTES);
    left =
        copiesA ? copied() : ProductTile.Left.matrix(chunkRows, transposeA ? 1 : inner, inner, transposeA ? rows : 1);
    blocks = Math.ceilDiv(rows, chunkRows);
    long chunksAtLeast = (long) CHUNKS_PER_THREAD * workers.threads();
    panelsPerChunk = Math.clamp((long) panels * blocks / chunksAtLeast, 1, PANELS_PER_CHUNK);
    rowsFirst = !packsInPlace() && panelsPerChunk * panelBytes() <= BLOCK_BYTES;
  }

  /** The rows of a chunk as columns of panels, as {@link #copyA} lays them out. */
  private ProductTile.Left copied() {
    int[] rowOffsets = new int[chunkRows];
    for (int r = 0; r < rowOffsets.length; r++) {
      rowOffsets[r] = Math.multiplyExact(r / panelColumns * panelColumns, inner) + r % panelColumns;
    }
    return new ProductTile.Left(rowOffsets, ProductTile.Left.steps(inner, panelColumns));
  }

  private long panelBytes() {
    return 4L * inner * panelColumns;
  }

  private long copyBytes() {
    return copiesA ? Math.ceilDiv(chunkRows, panelColumns) * panelBytes() : 0;
  }

  /**
   * With one block of rows each panel of B is used once: packed where it is needed, it does not leave the cache. With
   * fewer panels than threads that would only take more memory.
   */
  private boolean packsInPlace() {
    return blocks == 1 && panels > workers.threads();
  }

  private long slotBytes() {
    return Memory.aligned(tile.scratchBytes() + copyBytes() + (packsInPlace() ? panelBytes() : 0));
  }

  private long packedBytes() {
    return packsInPlace() ? 0 : Memory.aligned(panels * panelBytes());
  }

  @Override
  public long workspaceBytes() {
    return packedBytes() + workers.threads() * slotBytes();
  }

  /** With more rows than a block has, packing costs little beside the product. */
  @Override
  public long keptBytes() {
    return blocks == 1 && panels * panelBytes() <= KEPT_BYTES ? panels * panelBytes() : 0;
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    return packsInPlace()
        ? bind(inputs, outputs, workspace, NOT_PACKED, () -> false)
        : bind(inputs, outputs, workspace, workspace, ALWAYS);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace, long packed, BooleanSupplier changed) {
    long a = inputs[0];
    long b = inputs[1];
    long c = outputs[0];
    long slots = workspace + packedBytes();
    BoundMap rider = Epilogue.bind(epilogue, inputs, c);
    Workers.Task pack = panel -> pack(b, panel, packed + panel * panelBytes());
    Workers.SlotTask multiply = (chunk, slot) -> multiply(a, b, c, chunk, packed, slots + slot * slotBytes(), rider);
    int chunks = Math.ceilDiv(panels, panelsPerChunk) * blocks;
    return () -> {
      if (changed.getAsBoolean()) {
        workers.run(pack, panels);
      }
      workers.run(multiply, chunks);
    };
  }

  private void pack(long b, int panel, long target) {
    int first = panel * panelColumns;
    int valid = Math.min(panelColumns, columns - first);
    if (transposeB) {
      Panel.ofColumns(tile, b + 4L * first * inner, 4L * inner, inner, valid, target);
    } else {
      Panel.ofRows(tile, b + 4L * first, 4L * columns, inner, valid, target);
    }
  }

  /**
   * A chunk's rows of a transposed A, as many as a panel has columns side by side; a few steps of the inner dimension
   * for all of them before the next: each step lies in another page.
   */
  private void copyA(long a, int firstRow, int count, long to) {
    for (int k = 0; k < inner; k += STEPS_PER_COPY) {
      int steps = Math.min(STEPS_PER_COPY, inner - k);
      for (int r = 0; r < count; r += panelColumns) {
        long from = a + 4L * ((long) k * rows + firstRow + r);
        long panel = to + r / panelColumns * panelBytes() + 4L * k * panelColumns;
        Panel.ofRows(tile, from, 4L * rows, steps, Math.min(panelColumns, count - r), panel);
      }
    }
  }

  /** One block of rows with some panels. All blocks come with the first panels before any with the next. */
  private void multiply(long a, long b, long c, int chunk, long packed, long scratch, BoundMap rider) {
    int block = chunk % blocks;
    int firstPanel = chunk / blocks * panelsPerChunk;
    int lastPanel = Math.min(panels, firstPanel + panelsPerChunk);
    long copy = scratch + tile.scratchBytes();
    int firstRow = block * chunkRows;
    int lastRow = Math.min(rows, firstRow + chunkRows);
    long left = a + 4L * firstRow * (transposeA ? 1 : inner);
    if (copiesA) {
      copyA(a, firstRow, lastRow - firstRow, copy);
      left = copy;
    }
    if (rowsFirst) {
      for (int row = firstRow; row < lastRow; row += tile.rows()) {
        for (int panel = firstPanel; panel < lastPanel; panel++) {
          tile(left, packed + panel * panelBytes(), c, panel, row, lastRow, scratch, rider);
        }
      }
      return;
    }
    for (int panel = firstPanel; panel < lastPanel; panel++) {
      long right = packed + panel * panelBytes();
      if (packed == NOT_PACKED) {
        right = copy + copyBytes();
        pack(b, panel, right);
      }
      for (int row = firstRow; row < lastRow; row += tile.rows()) {
        tile(left, right, c, panel, row, lastRow, scratch, rider);
      }
    }
  }

  /** One tile: rows from {@code row} on, at most to the last one of the chunk, with one panel. */
  private void tile(long a, long right, long c, int panel, int row, int lastRow, long scratch, BoundMap rider) {
    int first = panel * panelColumns;
    int valid = Math.min(panelColumns, columns - first);
    int count = Math.min(tile.rows(), lastRow - row);
    long at = c + 4L * ((long) row * columns + first);
    tile.runSome(left, a, row % chunkRows, count, right, at, 4L * columns, valid, scratch);
    if (rider != null) {
      rider.rectangle((long) row * columns + first, count, valid, columns);
    }
  }
}
