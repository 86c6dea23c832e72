package dev.lamina.device.cpu;

import java.lang.foreign.Arena;

/**
 * Runs the tiles of products on a tiny problem until they have been compiled. Interpreted, each vector is an object and
 * a tile a thousand times slower, so the first convolutions of a training would take seconds; beside the loading of
 * data it costs nothing that anybody waits for.
 */
final class WarmUp implements Runnable {
  /** C2 compiles after some 15,000 rounds of the inner loop and a few hundred calls: this is three times as much. */
  private static final int CALLS = 1000;

  private static final int DEPTH = 48;

  private final int vectorBits;

  private WarmUp(int vectorBits) {
    this.vectorBits = vectorBits;
  }

  /** Begins in the background. */
  static void start(int vectorBits) {
    if (vectorBits > 0) {
      Thread thread = new Thread(new WarmUp(vectorBits), "lamina-warm-up");
      thread.setDaemon(true);
      thread.start();
    }
  }

  @Override
  public void run() {
    ProductTile narrow = ProductTile.of(vectorBits, 1);
    ProductTile wide = ProductTile.of(vectorBits, Integer.MAX_VALUE);
    try (Arena arena = Arena.ofConfined()) {
      long memory = arena.allocate(Math.max(bytes(wide), bytes(narrow)), Memory.ALIGNMENT).address();
      for (int call = 0; call < CALLS; call++) {
        run(wide, memory);
        run(narrow, memory);
      }
    }
  }

  private static long bytes(ProductTile tile) {
    return 4L * (tile.rows() * DEPTH + DEPTH * tile.columns() + tile.rows() * tile.columns());
  }

  private static void run(ProductTile tile, long memory) {
    ProductTile.Left left = ProductTile.Left.matrix(tile.rows(), DEPTH, DEPTH, 1);
    long b = memory + 4L * tile.rows() * DEPTH;
    long c = b + 4L * DEPTH * tile.columns();
    long row = 4L * tile.columns();
    tile.run(left, memory, 0, tile.rows(), b, row, c, row);
  }
}
