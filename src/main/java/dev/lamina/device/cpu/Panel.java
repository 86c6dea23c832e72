package dev.lamina.device.cpu;

/** Packs the right factor of products into panels, [inner][columns of a tile], with zeros behind the last column. */
final class Panel {
  /** Elements of a cache line: what is read of one column before the next one. */
  private static final int LINE = 16;

  /** The first of two floats that are read as one number, whose low bytes come first. */
  private static final long LOW = 0xffffffffL;

  private Panel() {}

  /**
   * From columns that lie contiguous.
   *
   * @param from the first column
   * @param column bytes from one column to the next
   * @param inner elements of a column
   * @param valid columns that there are
   */
  static void ofColumns(ProductTile tile, long from, long column, int inner, int valid, long to) {
    int columns = tile.columns();
    if (valid < columns) {
      Memory.clear(to, 4L * inner * columns);
    }
    for (int first = 0; first < inner; first += LINE) {
      int last = Math.min(inner, first + LINE);
      int j = 0;
      for (; j + 1 < valid; j += 2) {
        twoColumns(from + j * column, from + (j + 1) * column, first, last, to + 4L * j, 4L * columns);
      }
      if (j < valid) {
        for (int k = first; k < last; k++) {
          Memory.set(to + 4L * ((long) k * columns + j), Memory.get(from + j * column + 4L * k));
        }
      }
    }
  }

  /** Two elements of two columns at a time: half as many accesses as elements. */
  private static void twoColumns(long a, long b, int first, int last, long to, long row) {
    int k = first;
    long at = to + first * row;
    for (; k + 1 < last; k += 2) {
      long x = ScalarAccess.getLong(a + 4L * k);
      long y = ScalarAccess.getLong(b + 4L * k);
      ScalarAccess.setLong(at, x & LOW | y << 32);
      ScalarAccess.setLong(at + row, x >>> 32 | y & ~LOW);
      at += 2 * row;
    }
    if (k < last) {
      Memory.set(at, Memory.get(a + 4L * k));
      Memory.set(at + 4, Memory.get(b + 4L * k));
    }
  }

  /**
   * From rows that lie contiguous.
   *
   * @param from the first row
   * @param row bytes from one row to the next
   * @param inner rows
   * @param valid columns that there are
   */
  static void ofRows(ProductTile tile, long from, long row, int inner, int valid, long to) {
    int columns = tile.columns();
    if (valid == columns) {
      tile.copy(from, row, inner, to);
      return;
    }
    for (int k = 0; k < inner; k++) {
      for (int j = 0; j < columns; j++) {
        Memory.set(to + 4L * ((long) k * columns + j), j < valid ? Memory.get(from + k * row + 4L * j) : 0);
      }
    }
  }
}
