package dev.lamina.device.cpu;

/** Packs the right factor of products into panels, [inner][columns of a tile], with zeros behind the last column. */
final class Panel {
  /** Elements of a cache line: what is read of one column before the next one. */
  private static final int LINE = 16;

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
      for (int j = 0; j < valid; j++) {
        long source = from + j * column;
        long target = to + 4L * j;
        for (int k = first; k < last; k++) {
          Memory.set(target + 4L * k * columns, Memory.get(source + 4L * k));
        }
      }
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
