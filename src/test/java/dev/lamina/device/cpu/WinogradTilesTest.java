package dev.lamina.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lamina.device.cpu.WinogradTiles.Runs;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The transforms in one dimension, of runs of vectors with gaps between them. */
class WinogradTilesTest {
  private static final int RUNS = 3;
  private static final double TOLERANCE = 1e-5;

  private final SplittableRandom random = new SplittableRandom(1);

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5})
  void productsOfValuesAreAConvolutionAndItsFiltersGradient(int taps) {
    assumeTrue(VectorSupport.FOUND.bits() > 0, "transforms are of vectors");
    WinogradTiles tiles = WinogradTiles.of(taps);
    int points = tiles.points();
    int size = tiles.size();
    assertEquals(size + taps - 1, points);
    int floats = 2 * Lanes.COUNT;
    long bytes = 4L * floats;
    // Runs of two vectors: side by side among the values, with a gap of one in front of what is read or written there.
    Runs gather = Runs.gather(RUNS, bytes, bytes + Lanes.BYTES);
    Runs scatter = Runs.scatter(RUNS, bytes, bytes + Lanes.BYTES);
    long apart = RUNS * (bytes + Lanes.BYTES);
    try (Arena arena = Arena.ofConfined()) {
      long d = filled(arena, points * apart);
      long g = filled(arena, taps * apart);
      long dy = filled(arena, size * apart);
      long sources = filled(arena, points * apart);
      long filters = filled(arena, points * apart);
      long gradients = filled(arena, points * apart);
      tiles.source(d, d + apart, d + 2 * apart, d + 3 * apart, d + 4 * apart, d + 5 * apart, gather, sources, apart);
      tiles.filter(g, apart, gather, filters, apart);
      tiles.resultGradient(dy, dy + apart, dy + 2 * apart, dy + 3 * apart, gather, gradients, apart);
      multiply(sources, filters, points * apart);
      multiply(sources, gradients, points * apart);
      long y = filled(arena, 4 * apart);
      long dg = filled(arena, taps * apart);
      float gap = Memory.get(y + bytes);
      tiles.result(filters, apart, scatter, y, y + apart, y + 2 * apart, y + 3 * apart);
      tiles.filterGradient(gradients, apart, scatter, dg, apart);
      for (int run = 0; run < RUNS; run++) {
        for (int i = 0; i < floats; i++) {
          long at = run * (bytes + Lanes.BYTES) + 4L * i;
          for (int j = 0; j < size; j++) {
            double sum = 0;
            for (int k = 0; k < taps; k++) {
              sum += (double) Memory.get(d + (j + k) * apart + at) * Memory.get(g + k * apart + at);
            }
            assertEquals(sum, Memory.get(y + j * apart + at), TOLERANCE, "pixel " + j);
          }
          for (int k = 0; k < taps; k++) {
            double sum = 0;
            for (int j = 0; j < size; j++) {
              sum += (double) Memory.get(d + (j + k) * apart + at) * Memory.get(dy + j * apart + at);
            }
            assertEquals(sum, Memory.get(dg + k * apart + at), TOLERANCE, "tap " + k);
          }
        }
      }
      assertEquals(gap, Memory.get(y + bytes), "between two runs");
    }
  }

  private static void multiply(long factors, long values, long bytes) {
    for (long i = 0; i < bytes; i += 4) {
      Memory.set(values + i, Memory.get(values + i) * Memory.get(factors + i));
    }
  }

  private long filled(Arena arena, long bytes) {
    long address = arena.allocate(bytes, Memory.ALIGNMENT).address();
    for (long i = 0; i < bytes; i += 4) {
      Memory.set(address + i, (float) random.nextDouble(-1, 1));
    }
    return address;
  }
}
