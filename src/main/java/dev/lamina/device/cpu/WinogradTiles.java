package dev.lamina.device.cpu;

import dev.lamina.device.cpu.LinearLoopWriter.Places;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The transforms of Winograd's algorithm along one dimension, F({@link #size}, {@link #taps}), of vectors of channels:
 * tiles of {@link #points} pixels of the source make as many pixels of the result as {@link #size} says, with a filter
 * of {@link #taps} taps. Each is done for the columns of a tile first and then for its rows.
 *
 * <p>The algorithm multiplies polynomials (Toom and Cook; Winograd 1980; for convolutions Lavin and Gray 2015, section
 * 4): a filter and the gradient of a tile of the result are evaluated at some points, multiplied there, and Lagrange's
 * polynomials make the source's gradient of the products. What is computed here is the transpose of that, by the same
 * three matrices: evaluation of a result's tile ({@code A}) and of a filter ({@code G}, with what Lagrange's
 * polynomials are divided by), and the coefficients of Lagrange's polynomials ({@code B}).
 *
 * <p>The points are 0, ±3/4, ±3/2 and, where six are needed, infinity. The usual 0, ±1, ±2 would cost as much, and err
 * four times as much: powers of numbers on both sides of 1 stay closer together. All of these have an exact square.
 */
final class WinogradTiles {
  /** Numbers that differ in their sign alone lie side by side: {@link LinearLoopWriter} makes use of that. */
  private static final double[] POINTS = {0, 0.75, -0.75, 1.5, -1.5};

  /** By taps. */
  private static final Map<Integer, WinogradTiles> KNOWN = new ConcurrentHashMap<>();

  private final int size;
  private final int taps;
  private final LinearLoop source;
  private final LinearLoop result;
  private final LinearLoop resultGradient;
  private final LinearLoop filter;
  private final LinearLoop filterGradient;

  private WinogradTiles(int taps) {
    this.taps = taps;
    size = size(taps);
    String name = "Winograd" + size + "x" + taps;
    double[][] evaluated = powers(size);
    double[][] filters = powers(taps);
    double[][] lagrange = new double[points()][];
    for (int i = 0; i < points(); i++) {
      lagrange[i] = lagrange(i);
      if (i < POINTS.length) {
        double divisor = value(lagrange[i], POINTS[i]);
        for (int k = 0; k < taps; k++) {
          filters[i][k] /= divisor;
        }
      }
    }
    Places gathered = new Places(false, true);
    Places scattered = new Places(true, false);
    Places regular = new Places(true, true);
    source = LinearLoopWriter.byRows(name + "Source", lagrange, gathered);
    resultGradient = LinearLoopWriter.byRows(name + "ResultGradient", evaluated, gathered);
    filter = LinearLoopWriter.byRows(name + "Filter", filters, regular);
    result = LinearLoopWriter.byColumns(name + "Result", transposed(evaluated), scattered);
    filterGradient = LinearLoopWriter.byColumns(name + "FilterGradient", transposed(filters), regular);
  }

  /** For filters of {@code taps} taps along each dimension, if they {@link #exist}. */
  static WinogradTiles of(int taps) {
    return KNOWN.computeIfAbsent(taps, WinogradTiles::new);
  }

  /** Whether there are transforms for so many taps. */
  static boolean exist(int taps) {
    return taps >= 2 && taps <= 5;
  }

  /** Pixels of a result's tile along one dimension. */
  static int size(int taps) {
    return switch (taps) {
      case 2, 3 -> 4;
      case 4 -> 3;
      case 5 -> 2;
      default -> throw new IllegalArgumentException(taps + " taps");
    };
  }

  int size() {
    return size;
  }

  /** Taps of a filter along one dimension. */
  int taps() {
    return taps;
  }

  /** Values along one dimension of a transformed tile, and pixels of a source's tile: 5 or 6. */
  int points() {
    return size + taps - 1;
  }

  /** Values of a transformed tile. */
  int values() {
    return points() * points();
  }

  /** For each point its first powers; at infinity, the last of them alone. */
  private double[][] powers(int count) {
    double[][] powers = new double[points()][count];
    for (int i = 0; i < points(); i++) {
      for (int k = 0; k < count; k++) {
        powers[i][k] = i < POINTS.length ? Math.pow(POINTS[i], k) : k == count - 1 ? 1 : 0;
      }
    }
    return powers;
  }

  /** The coefficients of the product of (x − p) over all other finite points, from that of x⁰ on. */
  private double[] lagrange(int point) {
    double[] product = new double[points()];
    product[0] = 1;
    for (int i = 0; i < POINTS.length; i++) {
      if (i != point) {
        for (int k = points() - 1; k >= 0; k--) {
          product[k] = (k > 0 ? product[k - 1] : 0) - POINTS[i] * product[k];
        }
      }
    }
    return product;
  }

  private static double value(double[] polynomial, double x) {
    double value = 0;
    for (int k = polynomial.length - 1; k >= 0; k--) {
      value = value * x + polynomial[k];
    }
    return value;
  }

  private static double[][] transposed(double[][] matrix) {
    double[][] transposed = new double[matrix[0].length][matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      for (int k = 0; k < matrix[i].length; k++) {
        transposed[k][i] = matrix[i][k];
      }
    }
    return transposed;
  }

  /**
   * Where channels lie: {@code count} runs of {@code bytes} bytes, whole vectors, {@code from} bytes apart where they
   * are read and {@code to} where they are written.
   */
  record Runs(int count, long bytes, long from, long to) {
    /** One run. */
    static Runs one(long bytes) {
      return new Runs(1, bytes, bytes, bytes);
    }

    /** Written side by side. */
    static Runs gather(int count, long bytes, long from) {
      return new Runs(count, bytes, from, bytes);
    }

    /** Read side by side. */
    static Runs scatter(int count, long bytes, long to) {
      return new Runs(count, bytes, bytes, to);
    }
  }

  /**
   * {@code Bᵀ·d}: pixels of the source, of which there are only the first {@link #points}, to as many values, which are
   * written {@code step} bytes apart.
   */
  void source(long d0, long d1, long d2, long d3, long d4, long d5, Runs runs, long to, long step) {
    source.run(d0, d1, d2, d3, d4, d5, runs, to, step, 0, 0, 0, 0);
  }

  /**
   * {@code Aᵀ·m}: values, {@code step} bytes apart, to pixels of the result; there are only the first {@link #size} of
   * them.
   */
  void result(long m, long step, Runs runs, long y0, long y1, long y2, long y3) {
    result.run(m, step, 0, 0, 0, 0, runs, y0, y1, y2, y3, 0, 0);
  }

  /** {@code A·y}: such pixels of the result's gradient to values, which are written {@code step} bytes apart. */
  void resultGradient(long y0, long y1, long y2, long y3, Runs runs, long to, long step) {
    resultGradient.run(y0, y1, y2, y3, 0, 0, runs, to, step, 0, 0, 0, 0);
  }

  /** {@code G·g}: taps of the filter, {@code tap} bytes apart, to values, {@code step} bytes apart. */
  void filter(long g, long tap, Runs runs, long to, long step) {
    filter.run(g, tap, 0, 0, 0, 0, runs, to, step, 0, 0, 0, 0);
  }

  /** {@code Gᵀ·u}: values, {@code step} bytes apart, to taps of the filter's gradient, {@code tap} bytes apart. */
  void filterGradient(long u, long step, Runs runs, long to, long tap) {
    filterGradient.run(u, step, 0, 0, 0, 0, runs, to, tap, 0, 0, 0, 0);
  }
}
