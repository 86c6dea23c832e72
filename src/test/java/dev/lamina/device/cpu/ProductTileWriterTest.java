package dev.lamina.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tiles of other sizes than this machine's too. */
class ProductTileWriterTest {
  /** The same sums in the same order: equal to the last bit. */
  @ParameterizedTest
  @CsvSource({"1,1", "8,1", "6,2", "8,2", "5,3", "2,4"})
  void isAProduct(int rows, int vectors) {
    assumeTrue(VectorSupport.FOUND.bits() > 0, "tiles are made of vectors");
    ProductTile tile = ProductTileWriter.tile(rows, vectors);
    int columns = vectors * Lanes.COUNT;
    assertEquals(rows, tile.rows());
    assertEquals(columns, tile.columns());
    SplittableRandom random = new SplittableRandom(rows * 10L + vectors);
    try (Arena arena = Arena.ofConfined()) {
      for (int some = 1; some <= rows; some++) {
        int inner = random.nextInt(0, 40);
        int firstRow = random.nextInt(0, 5);
        long a = filled(arena, random, 1000);
        long b = filled(arena, random, inner * columns);
        long c = filled(arena, random, (rows + 1) * 2 * columns);
        int[] rowOffsets = random.ints(firstRow + some, 0, 500).toArray();
        var left = new ProductTile.Left(rowOffsets, random.ints(inner, 0, 500).toArray());
        float untouched = Memory.get(c + 4L * some * 2 * columns);
        tile.run(left, a, firstRow, some, b, 4L * columns, c, 8L * columns);
        for (int r = 0; r < some; r++) {
          for (int j = 0; j < columns; j++) {
            float expected = 0;
            for (int k = 0; k < inner; k++) {
              float x = Memory.get(a + 4L * (rowOffsets[firstRow + r] + left.inner()[k]));
              expected = Math.fma(x, Memory.get(b + 4L * (k * columns + j)), expected);
            }
            assertEquals(expected, Memory.get(c + 4L * (r * 2 * columns + j)), "row " + r + ", column " + j);
          }
        }
        assertEquals(untouched, Memory.get(c + 4L * some * 2 * columns), "the row behind the last");
      }
    }
  }

  private static long filled(Arena arena, SplittableRandom random, int count) {
    long address = arena.allocate(4L * Math.max(1, count), Memory.ALIGNMENT).address();
    for (int i = 0; i < count; i++) {
      Memory.set(address + 4L * i, (float) random.nextDouble(-1, 1));
    }
    return address;
  }
}
