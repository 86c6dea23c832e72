package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.WinogradTiles.POINTS;

import dev.lamina.device.cpu.WinogradTiles.Runs;
import dev.lamina.tensor.Shape;

/**
 * The source's side of Winograd's algorithm: overlapping tiles of 6×6 pixels, of some of the channels of an image
 * [n,h,w,c] in a frame of zeros.
 */
final class WinogradSource {
  private final Shape image;
  private final int size;
  private final int tileRows;
  private final int tileColumns;
  private final long channels;
  private final long pixel;
  private final long row;
  private final int top;
  private final int width;
  private final int firstColumn;
  private final int before;
  private final int columns;
  private final Runs pixels;
  private final Runs tiles;

  /**
   * Tiles for a result of {@code height} by {@code columns} pixels.
   *
   * @param size pixels of a result's tile along one dimension
   * @param top rows of zeros above the image; negative if rows are cut off
   * @param left columns of zeros in front of it; negative if columns are cut off
   * @param channels how many are transformed together, whole vectors
   */
  WinogradSource(Shape image, int size, int height, int columns, int top, int left, int channels) {
    this.image = image;
    this.size = size;
    this.top = top;
    this.channels = 4L * channels;
    tileRows = Math.ceilDiv(height, size);
    tileColumns = Math.ceilDiv(columns, size);
    width = size * tileColumns + POINTS - size;
    pixel = 4L * image.dim(3);
    row = image.dim(2) * pixel;
    firstColumn = Math.max(0, -left);
    before = Math.clamp(left, 0, width);
    this.columns = Math.max(0, Math.min(image.dim(2) - firstColumn, width - before));
    pixels = Runs.gather(this.columns, this.channels, pixel);
    tiles = Runs.gather(tileColumns, this.channels, size * this.channels);
  }

  /** Rows of tiles of all images. */
  int rows() {
    return tileRows * image.dim(0);
  }

  /** Rows of tiles of an image. */
  int tileRows() {
    return tileRows;
  }

  /** Tiles of a row. */
  int tileColumns() {
    return tileColumns;
  }

  private long scratchRow() {
    return width * channels;
  }

  /** What {@link #transform} needs: columns of tiles done, and a row of zeros. */
  long scratchBytes() {
    return Memory.aligned(POINTS * scratchRow() + row);
  }

  /** Puts zeros where {@link #transform} expects them. */
  void clear(long scratch) {
    for (int i = 0; i < POINTS; i++) {
      long at = scratch + i * scratchRow();
      Memory.clear(at, before * channels);
      Memory.clear(at + (before + columns) * channels, (width - before - columns) * channels);
    }
    Memory.clear(scratch + POINTS * scratchRow(), row);
  }

  /**
   * One row of tiles.
   *
   * @param x the first of the channels of the first image
   * @param tileRow counted over all images
   * @param values where the first of 36 values of the first tile goes, and behind it those of the next tiles; values
   *     lie {@code value} bytes apart
   */
  void transform(long x, int tileRow, long scratch, long values, long value) {
    long from = x + tileRow / tileRows * 4L * image.sliceSize() + firstColumn * pixel;
    int first = tileRow % tileRows * size - top;
    long zeros = scratch + POINTS * scratchRow();
    WinogradTiles.source(
        row(from, first, zeros),
        row(from, first + 1, zeros),
        row(from, first + 2, zeros),
        row(from, first + 3, zeros),
        row(from, first + 4, zeros),
        row(from, first + 5, zeros),
        pixels,
        scratch + before * channels,
        scratchRow());
    for (int i = 0; i < POINTS; i++) {
      long d = scratch + i * scratchRow();
      WinogradTiles.source(
          d,
          d + channels,
          d + 2 * channels,
          d + 3 * channels,
          d + 4 * channels,
          d + 5 * channels,
          tiles,
          values + POINTS * i * value,
          value);
    }
  }

  private long row(long from, int index, long zeros) {
    return index >= 0 && index < image.dim(1) ? from + index * row : zeros;
  }
}
