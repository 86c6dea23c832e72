package dev.lamina.study;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** How figures are written in tables and sentences, and small sums over the few that reach the host. */
public final class Numbers {
  /** Digits that count: published figures have three to four. */
  private static final MathContext DIGITS = new MathContext(4);

  private static final double LEAST_PLAIN = 1e-4;
  private static final double MOST_PLAIN = 1e6;

  private Numbers() {}

  /** Four digits; with an exponent where there would be many zeros. */
  public static String text(double value) {
    if (!Double.isFinite(value)) {
      return Double.isNaN(value) ? "not a number" : value > 0 ? "infinite" : "-infinite";
    }
    double size = Math.abs(value);
    if (value == Math.rint(value) && size < MOST_PLAIN) {
      return Long.toString((long) value);
    }
    if (size < LEAST_PLAIN || size >= MOST_PLAIN) {
      return String.format(Locale.ROOT, "%.3e", value);
    }
    return new BigDecimal(value).round(DIGITS).stripTrailingZeros().toPlainString();
  }

  /** A share as {@code 12.3 %}, without decimals it does not have. */
  public static String percent(double share) {
    double rounded = Math.rint(share * 1000) / 10;
    return text(rounded) + " %";
  }

  /** The arithmetic mean. */
  public static double mean(double... values) {
    return Arrays.stream(values).average().orElse(Double.NaN);
  }

  /** The arithmetic mean of a figure of {@code all}. */
  public static <T> double mean(List<T> all, ToDoubleFunction<T> figure) {
    return mean(each(all, figure));
  }

  /** A figure of each of {@code all}. */
  public static <T> double[] each(List<T> all, ToDoubleFunction<T> figure) {
    return all.stream().mapToDouble(figure).toArray();
  }

  /** The smallest; NaN if one of them is. */
  public static double least(double... values) {
    return Arrays.stream(values).min().orElseThrow();
  }

  /** The largest; NaN if one of them is. */
  public static double most(double... values) {
    return Arrays.stream(values).max().orElseThrow();
  }

  /** The standard deviation of the population from which {@code values} are a sample. */
  public static double deviation(double... values) {
    double mean = mean(values);
    return Math.sqrt(Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum() / (values.length - 1));
  }

  /** The value below which the share {@code q} of {@code values} lies, interpolated between neighbours. */
  public static double quantile(double q, double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double place = q * (sorted.length - 1);
    int below = (int) Math.floor(place);
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  /** {@code values} with NaN in place of those below {@code least}. */
  public static double[] atLeast(double least, double... values) {
    return Arrays.stream(values).map(value -> value < least ? Double.NaN : value).toArray();
  }

  /** The mean of each column of {@code rows}. */
  public static double[] columnMeans(double[][] rows) {
    double[] means = new double[rows[0].length];
    for (double[] row : rows) {
      for (int i = 0; i < means.length; i++) {
        means[i] += row[i] / rows.length;
      }
    }
    return means;
  }

  /** Where {@code count} equal parts of {@code whole} end. */
  public static double[] ends(int whole, int count) {
    double[] values = new double[count];
    Arrays.setAll(values, i -> (i + 1.0) * whole / count);
    return values;
  }

  /** {@code first}, {@code first + 1}, … */
  public static double[] counting(int first, int count) {
    double[] values = new double[count];
    Arrays.setAll(values, i -> first + i);
    return values;
  }
}
