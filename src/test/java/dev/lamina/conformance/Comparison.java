package dev.lamina.conformance;

import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Holds a device's tensor against the oracle's, and says in a failure what is needed to find the cause. */
final class Comparison {
  private static final int SHOWN = 5;

  private Comparison() {}

  /**
   * What is wrong with {@code got}; empty if nothing is. NaN equals NaN, and what is infinite has to be that exactly.
   *
   * @param bounds values in double and allowed errors
   * @param want the oracle's stored values
   */
  static Optional<String> mismatches(HostTensor got, HostTensor want, Bounded bounds) {
    int count = 0;
    double worst = 0;
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < want.size(); i++) {
      double g = got.get(i);
      double w = want.get(i);
      double allowance = bounds.allowance(i);
      if (agree(g, w, allowance)) {
        continue;
      }
      double share = Math.abs(g - w) / allowance;
      worst = Double.isNaN(share) ? Double.POSITIVE_INFINITY : Math.max(worst, share);
      if (count++ < SHOWN) {
        lines.append(
            String.format(
                Locale.ROOT,
                "%n  %s: want %s, got %s, off by %.3g, which is %.3g of the %.3g allowed",
                coordinates(want.shape(), i),
                w,
                g,
                Math.abs(g - w),
                share,
                allowance));
      }
    }
    return count == 0
        ? Optional.empty()
        : Optional.of(
            count
                + " of "
                + want.size()
                + " elements of "
                + want.type()
                + " are wrong, the worst by "
                + String.format(Locale.ROOT, "%.3g", worst)
                + " of what is allowed; the first:"
                + lines);
  }

  private static boolean agree(double got, double want, double allowance) {
    if (got == want || (Double.isNaN(got) && Double.isNaN(want)) || allowance == Double.POSITIVE_INFINITY) {
      return true;
    }
    return Math.abs(got - want) <= allowance && Double.isFinite(want);
  }

  private static String coordinates(Shape shape, int flat) {
    int[] coordinates = new int[shape.rank()];
    int rest = flat;
    for (int axis = coordinates.length - 1; axis >= 0; axis--) {
      coordinates[axis] = rest % shape.dim(axis);
      rest /= shape.dim(axis);
    }
    return Arrays.toString(coordinates);
  }
}
