package dev.lamina.device.cpu;

/**
 * How a tensor [rows][channels] is walked when something is summed for each channel.
 *
 * <p>Some rows side by side count as one wide row, so that vectors are full whatever the number of channels: 16 rows of
 * 3 channels are 48 columns, and column i belongs to channel i mod 3. Wide rows are cut into chunks by size; rows that
 * do not fill a wide one are a last chunk of a single, shorter wide row. Each chunk leaves its sums, one float a
 * column, and {@link #fold} adds them up in double in their order.
 */
final class ChannelRows {
  /** Vectors have at most 16 lanes. */
  private static final int LANES = 16;

  /** Four vectors side by side hide the latency of an addition. */
  private static final int COLUMNS = 4 * LANES;

  /** Beyond this many columns, filling the last vector is not worth longer sums. */
  private static final int MOST_COLUMNS = 4096;

  /** A chunk is read twice, the second time from the second-level cache. */
  private static final int CHUNK_BYTES = 64 * 1024;

  /** Fewer wide rows leave too many sums behind. */
  private static final int LEAST_ROWS = 16;

  private final long rows;
  private final int channels;

  /** Rows in a wide row. */
  private final int together;

  private final int width;

  /** Wide rows in a chunk. */
  private final int rowsPerChunk;

  private final long wideRows;
  private final int wholeChunks;
  private final int chunks;

  /** A walk over {@code rows} rows of {@code channels} channels. */
  ChannelRows(long rows, int channels) {
    this.rows = rows;
    this.channels = channels;
    int count = LANES / Math.min(LANES, Integer.lowestOneBit(channels));
    while (count * channels < COLUMNS) {
      count *= 2;
    }
    together = count * channels > MOST_COLUMNS ? 1 : count;
    width = together * channels;
    rowsPerChunk = Math.max(LEAST_ROWS, CHUNK_BYTES / (4 * width));
    wideRows = rows / together;
    wholeChunks = Math.toIntExact((wideRows + rowsPerChunk - 1) / rowsPerChunk);
    chunks = wholeChunks + (wideRows * together == rows ? 0 : 1);
  }

  long rows() {
    return rows;
  }

  int channels() {
    return channels;
  }

  /** Rows in a wide row. */
  int together() {
    return together;
  }

  /** Columns of a wide row. */
  int width() {
    return width;
  }

  /** How many chunks there are, the short one included. */
  int chunks() {
    return chunks;
  }

  /** Flat index of the first element of a chunk. */
  long start(int chunk) {
    return (chunk < wholeChunks ? (long) chunk * rowsPerChunk : wideRows) * width;
  }

  /** Wide rows of a chunk. */
  int rowsOf(int chunk) {
    return chunk < wholeChunks ? (int) Math.min(rowsPerChunk, wideRows - (long) chunk * rowsPerChunk) : 1;
  }

  /** Columns of a chunk. */
  int widthOf(int chunk) {
    return chunk < wholeChunks ? width : (int) (rows - wideRows * together) * channels;
  }

  /** Bytes of {@code sums} sums a column for every chunk. */
  long partialBytes(int sums) {
    return Memory.aligned(4L * sums * width * chunks);
  }

  /** Where sum {@code which} of {@code sums} lies, one float a column. */
  long partial(long base, int chunk, int which, int sums) {
    return base + 4L * width * (chunk * (long) sums + which);
  }

  /** The sum of one kind of partial sum over all chunks, for one channel. */
  double fold(long base, int which, int sums, int channel) {
    double total = 0;
    for (int chunk = 0; chunk < chunks; chunk++) {
      long at = partial(base, chunk, which, sums);
      int columns = widthOf(chunk);
      for (int column = channel; column < columns; column += channels) {
        total += Memory.get(at + 4L * column);
      }
    }
    return total;
  }
}
