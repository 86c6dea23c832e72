package dev.lamina.device.cpu;

import dev.lamina.device.cpu.WinogradTiles.Runs;

/** A small matrix times vectors of floats. */
interface LinearLoop {

  /** How many vectors go in or out at most. */
  int MOST = 6;

  /**
   * Makes {@code y = M·x} of all vectors of the runs. Of the addresses only as many are used as M has columns, rows; of
   * a side at regular distances the first, and the second is the distance.
   */
  void run(
      long x0,
      long x1,
      long x2,
      long x3,
      long x4,
      long x5,
      Runs runs,
      long y0,
      long y1,
      long y2,
      long y3,
      long y4,
      long y5);
}
