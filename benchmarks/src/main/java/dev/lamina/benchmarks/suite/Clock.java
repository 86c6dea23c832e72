package dev.lamina.benchmarks.suite;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Times what runs on a device, in windows of many runs, from an idle device to an idle device. */
final class Clock {
  /** Long beside the wait at its end, some 10 µs. */
  private static final long WINDOW = TimeUnit.MILLISECONDS.toNanos(50);

  private static final int LEAST_WINDOWS = 3;

  private final Runnable synchronize;
  private final long nanoseconds;

  /**
   * A clock for one device.
   *
   * @param synchronize waits until it has done all
   * @param seconds for which each measurement goes on
   */
  Clock(Runnable synchronize, double seconds) {
    this.synchronize = synchronize;
    nanoseconds = (long) (seconds * 1e9);
  }

  /**
   * Nanoseconds of one run.
   *
   * @param median of the windows
   * @param least of the windows
   * @param most of the windows
   * @param runs that were timed
   */
  record Time(double median, double least, double most, long runs) {
    double milliseconds() {
      return median * 1e-6;
    }
  }

  /** Runs {@code body} until it is warm and then for the time of this clock. */
  Time time(Runnable body) {
    body.run();
    long runs = 1;
    double once = window(body, 1);
    // What the first runs compile and record is not to be in the estimate.
    for (int round = 0; round < 3; round++) {
      runs = Math.max(1, (long) (WINDOW / once));
      once = window(body, Math.min(runs, 1000));
    }
    runs = Math.max(1, (long) (WINDOW / once));
    List<Double> windows = new ArrayList<>();
    long end = System.nanoTime() + nanoseconds;
    while (windows.size() < LEAST_WINDOWS || System.nanoTime() < end) {
      windows.add(window(body, runs));
    }
    Collections.sort(windows);
    return new Time(windows.get(windows.size() / 2), windows.getFirst(), windows.getLast(), runs * windows.size());
  }

  private double window(Runnable body, long runs) {
    synchronize.run();
    long begin = System.nanoTime();
    for (long i = 0; i < runs; i++) {
      body.run();
    }
    synchronize.run();
    return (double) (System.nanoTime() - begin) / runs;
  }

  /** Nanoseconds that the call itself takes while the device has nothing else to do: the host's share. */
  double call(Runnable body, int times) {
    double[] calls = new double[times];
    for (int i = 0; i < times; i++) {
      synchronize.run();
      long begin = System.nanoTime();
      body.run();
      calls[i] = System.nanoTime() - begin;
    }
    synchronize.run();
    Arrays.sort(calls);
    return calls[times / 2];
  }
}
