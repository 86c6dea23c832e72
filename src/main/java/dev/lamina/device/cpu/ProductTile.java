package dev.lamina.device.cpu;

import java.util.stream.IntStream;

/**
 * The innermost loop of matrix products and convolutions: a few rows of A, wherever their elements lie, times a panel
 * of B, into a tile of C.
 */
interface ProductTile {

  /**
   * Where A lies: element (r, k) is {@code rows[r] + inner[k]} floats from its beginning, none of these negative. So a
   * convolution needs no copy of its image for each tap: rows are pixels, and the inner dimension runs over taps and
   * channels.
   */
  record Left(int[] rows, int[] inner) {

    /** Where a row begins, of a matrix that begins at {@code a}. */
    long row(long a, int row) {
      return Memory.base(a + 4L * rows[row]);
    }

    /** Rows and columns at fixed distances: a matrix. */
    static Left matrix(int rows, int row, int columns, int column) {
      return new Left(steps(rows, row), steps(columns, column));
    }

    /** Multiples of {@code step}, from 0. */
    static int[] steps(int count, int step) {
      return IntStream.range(0, count).map(i -> Math.multiplyExact(i, step)).toArray();
    }
  }

  /** The most rows of a tile. */
  int rows();

  /** Columns of a tile; a panel of B has as many. */
  int columns();

  /**
   * {@code C = A·B} for some rows of A. All columns of C are written.
   *
   * @param firstRow the row of A that C begins with
   * @param rows 1 to {@link #rows}
   * @param b the panel of B; its rows are {@code bRow} bytes apart
   * @param c the tile; its rows are {@code cRow} bytes apart
   */
  void run(Left left, long a, int firstRow, int rows, long b, long bRow, long c, long cRow);

  /** Adds {@code rows} rows that lie densely at {@code from} to as many at {@code to}. */
  default void add(long from, long to, int rows) {
    TileRows.addFloats(from, to, rows * columns());
  }

  /** Copies {@code rows} rows of as many floats as there are columns, {@code row} bytes apart, to a dense place. */
  default void copy(long from, long row, int rows, long to) {
    TileRows.copy(from, row, rows, to, 4L * columns());
  }

  /**
   * A tile for channels that do not see each other, with as many columns as a vector has lanes: element (r, k) of A is
   * a vector, of which column j takes lane j.
   */
  static ProductTile depthwise(int vectorBits) {
    return vectorBits == 0 ? new Scalar(true) : new DepthwiseTile();
  }

  /** The tile that suits {@code width} columns. */
  static ProductTile of(int vectorBits, int width) {
    if (vectorBits == 0) {
      return new Scalar(false);
    }
    return width <= Lanes.COUNT ? Written.NARROW : Written.WIDE;
  }

  /** Tiles of vectors. */
  final class Written {
    /**
     * As many additions as their latency takes, and no row too many for 16 channels. For panels that a second vector
     * would leave empty.
     */
    private static final ProductTile NARROW = ProductTileWriter.tile(8, 1);

    /** Half as many loads of A as multiply-adds. With two vectors of B and one of A the sums fill 16 registers. */
    private static final ProductTile WIDE = ProductTileWriter.tile(VectorSupport.hasManyRegisters() ? 8 : 6, 2);

    private Written() {}
  }

  /**
   * As {@link #run} for a panel whose rows follow each other, storing only {@code columns} columns of C; a tile with
   * fewer than it computes goes to {@code scratch} first.
   */
  default void runSome(
      Left left, long a, int firstRow, int rows, long b, long c, long cRow, int columns, long scratch) {
    long row = 4L * columns();
    if (columns == columns()) {
      run(left, a, firstRow, rows, b, row, c, cRow);
      return;
    }
    run(left, a, firstRow, rows, b, row, scratch, row);
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < columns; j++) {
        Memory.set(c + r * cRow + 4L * j, Memory.get(scratch + r * row + 4L * j));
      }
    }
  }

  /** Memory for {@link #runSome} in bytes. */
  default long scratchBytes() {
    return 4L * rows() * columns();
  }

  /** The same sums in the same order without vectors. */
  final class Scalar implements ProductTile {
    private static final int COLUMNS = 16;

    private final boolean depthwise;

    private Scalar(boolean depthwise) {
      this.depthwise = depthwise;
    }

    @Override
    public int rows() {
      return 1;
    }

    @Override
    public int columns() {
      return COLUMNS;
    }

    @Override
    public void run(Left left, long a, int firstRow, int rows, long b, long bRow, long c, long cRow) {
      Memory.clear(c, 4L * COLUMNS);
      long row = a + 4L * left.rows()[firstRow];
      long right = b;
      for (int offset : left.inner()) {
        for (int j = 0; j < COLUMNS; j++) {
          float x = Memory.get(row + 4L * offset + (depthwise ? 4L * j : 0));
          Memory.set(c + 4L * j, Math.fma(x, Memory.get(right + 4L * j), Memory.get(c + 4L * j)));
        }
        right += bRow;
      }
    }

    @Override
    public void add(long from, long to, int rows) {
      for (long i = 0; i < 4L * rows * COLUMNS; i += 4) {
        Memory.set(to + i, Memory.get(to + i) + Memory.get(from + i));
      }
    }

    @Override
    public void copy(long from, long row, int rows, long to) {
      for (int r = 0; r < rows; r++) {
        Memory.copy(from + r * row, to + 4L * r * COLUMNS, 4L * COLUMNS);
      }
    }
  }
}
