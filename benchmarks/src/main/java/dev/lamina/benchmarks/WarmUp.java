package dev.lamina.benchmarks;

import java.util.concurrent.TimeUnit;

/**
 * Runs something until it gets no faster. Warm-up of a fixed length is either waste or too short: vectors in
 * interpreted code are a thousand times slower than compiled, and a large expression takes the compiler seconds on a
 * busy machine.
 */
public final class WarmUp {
  private static final long ROUND = TimeUnit.MILLISECONDS.toNanos(300);
  private static final long LONGEST = TimeUnit.SECONDS.toNanos(20);

  /** Rounds without gain that end it. */
  private static final int PATIENCE = 4;

  /** What counts as a gain: a fifth less time. */
  private static final double GAIN = 0.8;

  private WarmUp() {}

  /** Runs {@code body} for {@value #PATIENCE} rounds beyond the last one that was faster, 20 s at most. */
  public static void of(Runnable body) {
    double best = Double.POSITIVE_INFINITY;
    int idle = 0;
    long begin = System.nanoTime();
    while (idle < PATIENCE && System.nanoTime() - begin < LONGEST) {
      double time = round(body);
      idle = time < GAIN * best ? 0 : idle + 1;
      best = Math.min(best, time);
    }
  }

  /** The mean time of a run in one round. */
  private static double round(Runnable body) {
    long begin = System.nanoTime();
    long runs = 0;
    long elapsed;
    do {
      body.run();
      runs++;
      elapsed = System.nanoTime() - begin;
    } while (elapsed < ROUND);
    return (double) elapsed / runs;
  }
}
