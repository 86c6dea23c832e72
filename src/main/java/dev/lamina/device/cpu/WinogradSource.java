package dev.lamina.device.cpu;

import dev.lamina.device.cpu.WinogradTiles.Runs;
import dev.lamina.tensor.Shape;

/**
 * The source's side of Winograd's algorithm: overlapping tiles of cells (see {@link WinogradCells}), of some of the
 * channels of an image [n,h,w,c] in a frame of zeros.
 *
 * <p>Pixels with whole vectors of channels are read where they lie. Others are copied into rows of cells first, of
 * which neighbouring rows of tiles share some.
 */
final class WinogradSource {
  private final Shape image;
  private final WinogradCells cells;
  private final WinogradTiles transforms;
  private final int points;
  private final int size;
  private final int stride;
  private final int tileRows;
  private final int tileColumns;
  private final long cell;
  private final long pixel;
  private final long row;
  private final int top;
  private final int left;
  private final int width;
  private final boolean copied;

  /** Pixels of a row of the image, of one column of the cells. */
  private final Runs[] inside;

  private final Runs cellRow;
  private final Runs tiles;

  /**
   * Tiles for a result of {@code height} by {@code columns} pixels.
   *
   * @param top rows of zeros above the image; negative if rows are cut off
   * @param left columns of zeros in front of it; negative if columns are cut off
   */
  WinogradSource(
      Shape image, WinogradCells cells, WinogradTiles transforms, int height, int columns, int top, int left) {
    this.image = image;
    this.cells = cells;
    this.transforms = transforms;
    this.top = top + cells.zeros();
    this.left = left + cells.zeros();
    points = transforms.points();
    size = transforms.size();
    stride = cells.stride();
    cell = 4L * cells.width();
    tileRows = Math.ceilDiv(height, size);
    tileColumns = Math.ceilDiv(columns, size);
    width = size * tileColumns + points - size;
    pixel = 4L * image.dim(3);
    row = image.dim(2) * pixel;
    copied = cells.channels() % Lanes.COUNT != 0;
    inside = new Runs[stride];
    for (int x = 0; x < stride; x++) {
      int count = Math.max(0, Math.ceilDiv(end() - first(x), stride));
      inside[x] = new Runs(count, 4L * cells.channels(), stride * pixel, cell);
    }
    cellRow = Runs.one(scratchRow());
    tiles = Runs.gather(tileColumns, cell, size * cell);
  }

  /** The first column of the frame within the image that is column {@code x} of a cell. */
  private int first(int x) {
    int before = Math.max(0, left);
    return before + Math.floorMod(x - before, stride);
  }

  /** The column of the frame behind the last one within the image. */
  private int end() {
    return Math.min(width * stride, left + image.dim(2));
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
    return width * cell;
  }

  /** What {@link #transform} needs: columns of tiles done, a row of zeros, and rows of cells if they are copied. */
  long scratchBytes() {
    return cellsAt() + (copied ? points * scratchRow() : 0);
  }

  private long zerosAt() {
    return points * scratchRow();
  }

  private long cellsAt() {
    return Memory.aligned(zerosAt() + row);
  }

  /** Puts zeros where {@link #transform} expects them. */
  void clear(long scratch) {
    Memory.clear(scratch + zerosAt(), scratchBytes() - zerosAt());
    if (copied) {
      return;
    }
    for (int i = 0; i < points * cells.pixels(); i++) {
      int x = i % stride;
      int first = first(x) / stride;
      long at = scratch + i / cells.pixels() * scratchRow() + i % cells.pixels() * inside[x].bytes();
      for (int c = 0; c < width; c++) {
        if (c < first || c >= first + inside[x].count()) {
          Memory.clear(at + c * cell, inside[x].bytes());
        }
      }
    }
  }

  /**
   * One row of tiles.
   *
   * @param x the first of the channels of the first image
   * @param tileRow counted over all images
   * @param next whether the call before, with the same scratch, was for the row of tiles before
   * @param values where the first value of the first tile goes, and behind it those of the next tiles; values lie
   *     {@code value} bytes apart
   */
  void transform(long x, int tileRow, boolean next, long scratch, long values, long value) {
    long from = x + tileRow / tileRows * 4L * image.sliceSize();
    int first = tileRow % tileRows * size;
    if (copied) {
      int known = next && first > 0 ? points - size : 0;
      for (int i = known; i < points; i++) {
        copy(from, first + i, scratch);
      }
      columnsOfCells(scratch, first);
    } else {
      for (int i = 0; i < cells.pixels(); i++) {
        columnsOfPixels(from, first, i, scratch);
      }
    }
    for (int i = 0; i < points; i++) {
      long d = scratch + i * scratchRow();
      transforms.source(
          d,
          d + cell,
          d + 2 * cell,
          d + 3 * cell,
          d + 4 * cell,
          d + 5 * cell,
          tiles,
          values + points * i * value,
          value);
    }
  }

  /** The columns of a row of tiles, from copied cells. */
  private void columnsOfCells(long scratch, int first) {
    transforms.source(
        cells(scratch, first),
        cells(scratch, first + 1),
        cells(scratch, first + 2),
        cells(scratch, first + 3),
        cells(scratch, first + 4),
        cells(scratch, first + 5),
        cellRow,
        scratch,
        scratchRow());
  }

  /** The columns of a row of tiles, of one pixel of all cells. */
  private void columnsOfPixels(long from, int first, int index, long scratch) {
    int column = first(index % stride);
    long zeros = scratch + zerosAt();
    long x = (column - left) * pixel;
    int y = first * stride + index / stride;
    transforms.source(
        pixels(from, y, zeros) + x,
        pixels(from, y + stride, zeros) + x,
        pixels(from, y + 2 * stride, zeros) + x,
        pixels(from, y + 3 * stride, zeros) + x,
        pixels(from, y + 4 * stride, zeros) + x,
        pixels(from, y + 5 * stride, zeros) + x,
        inside[index % stride],
        scratch + column / stride * cell + 4L * index * cells.channels(),
        scratchRow());
  }

  /** A row of the image, counted with the frame's. */
  private long pixels(long from, int index, long zeros) {
    int y = index - top;
    return y >= 0 && y < image.dim(1) ? from + y * row : zeros;
  }

  /** A row of copied cells. */
  private long cells(long scratch, int index) {
    return scratch + cellsAt() + index % points * scratchRow();
  }

  /** Copies a row of cells. */
  private void copy(long from, int index, long scratch) {
    int first = Math.max(0, left);
    for (int i = 0; i < stride; i++) {
      long pixels = pixels(from, index * stride + i, scratch + zerosAt()) - left * pixel;
      long to = cells(scratch, index) + 4L * i * stride * cells.channels();
      // Pixels lie side by side in the image as in a cell: a part of one, whole ones, and a part again.
      int whole = Math.min(end(), Math.ceilDiv(first, stride) * stride);
      int last = end() - (end() - whole) % stride;
      copy(pixels, first, 1, whole - first, to);
      copy(pixels, whole, (last - whole) / stride, stride, to);
      copy(pixels, last, 1, end() - last, to);
    }
  }

  /** Copies some pixels side by side, from a column of the frame on, and as many of each of the next cells. */
  private void copy(long pixels, int column, int count, int together, long to) {
    TileRows.copyRuns(
        pixels + column * pixel,
        stride * pixel,
        count,
        to + column / stride * cell + 4L * (column % stride) * cells.channels(),
        cell,
        together * cells.channels());
  }
}
