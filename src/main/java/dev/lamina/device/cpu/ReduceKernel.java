package dev.lamina.device.cpu;

import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.tensor.DType;

/**
 * Joins the values of a map along the middle one of three dimensions [outer][reduced][inner].
 *
 * <p>Work is cut by size: whole results where they are short, else pieces of the reduced dimension whose partial
 * results, doubles in the workspace, are joined in their order. The bits do not depend on the number of threads.
 */
final class ReduceKernel {
  /** Elements of a piece: enough to keep a core busy for tens of microseconds. */
  private static final long PIECE = 32 * 1024;

  /**
   * Accumulators of narrow rows: several rows are added side by side, so that vectors are full whatever the number of
   * channels.
   */
  private static final int SIDE_BY_SIDE = 512;

  /** Rows of a piece, if there are as many: then partial results, which take two floats a column, are little. */
  private static final int FEWEST_ROWS = 64;

  /** Columns of a chunk when the partial results of pieces are joined. */
  private static final int JOINED_COLUMNS = 64;

  private final ReduceKind kind;
  private final MapKernel value;
  private final int direct;

  /** Whether the map adds up its values itself. */
  private final boolean summing;

  private final DType valueType;
  private final DType output;
  private final RowReducer reducer;
  private final ThreadLocal<MapScratch> scratch;

  private final int reduced;
  private final int inner;

  /** Columns that one unit of work covers, and how many such units there are in a row. */
  private final int columns;

  private final int columnBlocks;

  /** How many accumulators a chunk has. */
  private final int width;

  private final long accumulatorBytes;

  private final int units;
  private final int pieces;
  private final int rowsPerPiece;
  private final int unitsPerChunk;
  private final int chunks;

  /**
   * Prepares a reduction of {@code value}, whose first output is of type {@code valueType} and which is iterated over
   * [outer][reduced][inner]. Its other outputs are stored on the way.
   *
   * @param value null if some input holds the values as they are
   * @param direct that input, dense and of type {@code valueType}; −1 if there is none
   * @param extents of the three dimensions
   */
  ReduceKernel(
      ReduceKind kind,
      MapKernel value,
      int direct,
      DType valueType,
      DType output,
      int[] extents,
      RowReducer reducer,
      ThreadLocal<MapScratch> scratch) {
    this.kind = kind;
    this.value = value;
    this.direct = direct;
    this.valueType = valueType;
    this.output = output;
    this.reducer = reducer;
    this.scratch = scratch;
    this.reduced = extents[1];
    this.inner = extents[2];
    columns = Math.clamp(inner, 1, MapScratch.BLOCK);
    columnBlocks = (inner + columns - 1) / columns;
    summing = value != null && value.sumsColumns();
    width = inner == 1 || summing ? columns : columns * Math.max(1, Math.min(SIDE_BY_SIDE / columns, reduced));
    accumulatorBytes = RowReducer.accumulatorBytes(width);
    units = Math.multiplyExact(extents[0], columnBlocks);
    long unitSize = (long) reduced * columns;
    int mostPieces = inner == 1 ? reduced : Math.ceilDiv(reduced, FEWEST_ROWS);
    pieces = (int) Math.max(1, Math.min(mostPieces, (unitSize + PIECE - 1) / PIECE));
    rowsPerPiece = (reduced + pieces - 1) / pieces;
    unitsPerChunk = pieces > 1 ? 1 : Math.clamp(PIECE / Math.max(1, unitSize), 1, Math.max(1, units));
    chunks = pieces > 1 ? Math.multiplyExact(units, pieces) : (units + unitsPerChunk - 1) / unitsPerChunk;
  }

  /** Scratch memory of a run in bytes. */
  long workspaceBytes() {
    return chunks * accumulatorBytes;
  }

  private int joinedGroups() {
    return Math.ceilDiv(columns, JOINED_COLUMNS);
  }

  /** Whether an output of the map but the first may lie exactly where an input lies. */
  boolean canShare(int input, int output) {
    return direct < 0 && value.canShare(input, output);
  }

  /**
   * Fixes the addresses.
   *
   * @param targets of the reduction, then of the map's outputs but the first
   */
  Bound bind(long[] inputs, long[] targets, long workspace) {
    return direct < 0
        ? new Bound(value.bind(inputs, targets), 0, targets[0], workspace)
        : new Bound(null, inputs[direct], targets[0], workspace);
  }

  /** A reduction with its addresses. */
  final class Bound {
    private final BoundMap values;
    private final long source;
    private final long target;
    private final long workspace;
    private final Workers.Task accumulate = this::accumulate;
    private final Workers.Task combine = this::combine;

    private Bound(BoundMap values, long source, long target, long workspace) {
      this.values = values;
      this.source = source;
      this.target = target;
      this.workspace = workspace;
    }

    /** Computes all results. */
    void run(Workers workers) {
      workers.run(accumulate, chunks);
      if (pieces > 1) {
        workers.run(combine, units * joinedGroups());
      }
    }

    private void accumulate(int chunk) {
      MapScratch memory = scratch.get();
      long accumulators = workspace + chunk * accumulatorBytes;
      if (pieces > 1) {
        int firstRow = chunk % pieces * rowsPerPiece;
        piece(memory, chunk / pieces, firstRow, Math.min(reduced, firstRow + rowsPerPiece), accumulators);
        return;
      }
      int first = chunk * unitsPerChunk;
      int last = Math.min(units, first + unitsPerChunk);
      if (inner == 1) {
        shortRows(memory, first, last);
        return;
      }
      for (int unit = first; unit < last; unit++) {
        piece(memory, unit, 0, reduced, accumulators);
        for (int i = 0; i < columnsOf(unit); i++) {
          store(unit, i, ScalarAccess.getDouble(accumulators + 8L * i));
        }
      }
    }

    /** Leaves the join of some rows of a unit in the accumulators, one a column. */
    private void piece(MapScratch memory, int unit, int firstRow, int lastRow, long accumulators) {
      if (inner == 1) {
        long start = (long) unit * reduced;
        ScalarAccess.setDouble(accumulators, run(memory, start + firstRow, start + lastRow));
        return;
      }
      reducer.begin(kind, accumulators, width);
      long row = (long) (unit / columnBlocks) * reduced;
      long column = (long) (unit % columnBlocks) * columns;
      if (summing) {
        values.sum((row + firstRow) * inner + column, lastRow - firstRow, columnsOf(unit), inner, accumulators);
      } else {
        int together = width / columns;
        for (int r = firstRow; r < lastRow; r += together) {
          int count = together == 1 ? columnsOf(unit) : Math.min(together, lastRow - r) * inner;
          reducer.columns(kind, values(memory, (row + r) * inner + column, count), count, accumulators);
        }
      }
      reducer.end(kind, accumulators, width, memory.sums());
      joinSideBySide(accumulators);
    }

    /** Joins the accumulators of rows that were added side by side. */
    private void joinSideBySide(long accumulators) {
      for (int row = columns; row < width; row += columns) {
        for (int i = 0; i < columns; i++) {
          join(accumulators + 8L * i, ScalarAccess.getDouble(accumulators + 8L * (row + i)));
        }
      }
    }

    private void join(long accumulator, double with) {
      ScalarAccess.setDouble(accumulator, RowReducer.join(kind, ScalarAccess.getDouble(accumulator), with));
    }

    /** The join of a contiguous run. */
    private double run(MapScratch memory, long start, long end) {
      double result = RowReducer.neutral(kind);
      for (long at = start; at < end; at += MapScratch.BLOCK) {
        int count = (int) Math.min(MapScratch.BLOCK, end - at);
        result = RowReducer.join(kind, result, reducer.row(kind, values(memory, at, count), count, memory.sums()));
      }
      return result;
    }

    /** Whole results of contiguous runs, the values of several computed together. */
    private void shortRows(MapScratch memory, int first, int last) {
      int together = Math.max(1, MapScratch.BLOCK / Math.max(1, reduced));
      for (int unit = first; unit < last; unit += together) {
        int rows = Math.min(together, last - unit);
        if (reduced > MapScratch.BLOCK) {
          store(unit, 0, run(memory, (long) unit * reduced, (long) (unit + 1) * reduced));
          continue;
        }
        long at = values(memory, (long) unit * reduced, rows * reduced);
        for (int i = 0; i < rows; i++) {
          long row = at + (long) i * reduced * valueType.bytes();
          store(unit + i, 0, reducer.row(kind, row, reduced, memory.sums()));
        }
      }
    }

    /** Where the values of a run lie, computed if need be. */
    private long values(MapScratch memory, long start, int count) {
      if (direct >= 0) {
        return source + start * valueType.bytes();
      }
      values.into(start, count, memory.values());
      return memory.values();
    }

    /** Piece by piece, so that memory is read along rows. */
    private void combine(int part) {
      int unit = part / joinedGroups();
      int first = part % joinedGroups() * JOINED_COLUMNS;
      int last = Math.min(columnsOf(unit), first + JOINED_COLUMNS);
      long total = workspace + (long) unit * pieces * accumulatorBytes;
      for (int piece = 1; piece < pieces; piece++) {
        long partial = total + piece * accumulatorBytes;
        for (int i = first; i < last; i++) {
          join(total + 8L * i, ScalarAccess.getDouble(partial + 8L * i));
        }
      }
      for (int i = first; i < last; i++) {
        store(unit, i, ScalarAccess.getDouble(total + 8L * i));
      }
    }

    private int columnsOf(int unit) {
      return Math.min(columns, inner - unit % columnBlocks * columns);
    }

    private void store(int unit, int column, double result) {
      long index = (long) (unit / columnBlocks) * inner + (long) (unit % columnBlocks) * columns + column;
      InterpretedMap.store(output, target + index * output.bytes(), result);
    }
  }
}
