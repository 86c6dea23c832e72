package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import java.util.List;

/**
 * How a matrix [rows][channels] is laid over blocks, as {@code rows.cuh} reads it.
 *
 * @param width channels of a thread
 * @param most threads side by side over the channels at most, a power of two
 */
record ChannelTile(int rows, int channels, int width, int most) {
  /** Threads that read neighbouring memory together. */
  static final int WARP = 32;

  /** Rows that a thread should sum up before it is worth another part. */
  private static final int ENOUGH_ROWS = 16;

  /** Blocks that are enough for every multiprocessor of a large GPU. */
  private static final int ENOUGH_BLOCKS = 1024;

  /** With up to a warp side by side. */
  ChannelTile(int rows, int channels, int width) {
    this(rows, channels, width, WARP);
  }

  /** Threads side by side over the channels. */
  int across() {
    return Math.min(most, ReduceLaunches.powerOfTwo((channels + width - 1) / width));
  }

  /** Channels of a block: a power of two, 256 at most. */
  int together() {
    return across() * width;
  }

  /** Rows that a block takes together. */
  int lines() {
    return Launch.BLOCK / across();
  }

  /** Blocks side by side over the channels. */
  int tiles() {
    return (channels + together() - 1) / together();
  }

  /** Parts that sums over rows are cut into. */
  int sumParts() {
    return sumParts(1);
  }

  /** Parts that {@code sums} sums over rows, each in blocks of its own, are cut into. */
  int sumParts(int sums) {
    long enough = ENOUGH_BLOCKS / ((long) Math.max(1, tiles()) * sums);
    return Math.clamp(Math.min(rows / ((long) lines() * ENOUGH_ROWS), enough), 1, ENOUGH_BLOCKS);
  }

  /** Parts for work on each element alone. */
  int elementParts() {
    return Math.clamp(
        Math.min(rows / ((long) lines() * 4), Launch.MOST_BLOCKS / Math.max(1, tiles())), 1, Launch.MOST_BLOCKS);
  }

  /** Blocks of a kernel that cuts the rows into {@code parts}. */
  int grid(int parts) {
    return tiles() * parts;
  }

  /** The parameters {@code rows, channels, across, tiles}. */
  List<Argument> arguments() {
    return List.of(
        new Argument.Int32(rows),
        new Argument.Int32(channels),
        new Argument.Int32(across()),
        new Argument.Int32(tiles()));
  }
}
