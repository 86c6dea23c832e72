package dev.lamina.study;

import java.util.ArrayList;
import java.util.List;

/**
 * Curves over common axes.
 *
 * @param title above the panel
 * @param x what the horizontal axis shows, with its unit
 * @param y what the vertical axis shows, with its unit
 * @param scale of the axes
 * @param small whether it is one of many, with little room for words
 * @param curves what is drawn
 */
public record Panel(String title, String x, String y, Scale scale, boolean small, List<Curve> curves) {

  /** How numbers are laid out along the axes. */
  public enum Scale {
    LINEAR(false, false),
    LOG_X(true, false),
    LOG_Y(false, true),
    LOG_BOTH(true, true);

    private final boolean logX;
    private final boolean logY;

    Scale(boolean logX, boolean logY) {
      this.logX = logX;
      this.logY = logY;
    }

    boolean logX() {
      return logX;
    }

    boolean logY() {
      return logY;
    }
  }

  /** How a curve is drawn. */
  public enum Style {
    LINE,
    DASHED,
    POINTS,
    CROSSES,
    /** A filled area of steps: a histogram. */
    BARS
  }

  /**
   * Points in the order in which they are joined.
   *
   * @param name for the legend
   */
  public record Curve(String name, double[] x, double[] y, Style style) {
    public Curve {
      if (x.length != y.length) {
        throw new IllegalArgumentException(name + ": " + x.length + " abscissas for " + y.length + " ordinates");
      }
    }
  }

  public Panel {
    curves = List.copyOf(curves);
  }

  /** A panel without curves. */
  public static Panel of(String title, String x, String y, Scale scale) {
    return new Panel(title, x, y, scale, false, List.of());
  }

  /** With a line more. */
  public Panel line(String name, double[] xs, double[] ys) {
    return with(new Curve(name, xs, ys, Style.LINE));
  }

  /** With a curve more. */
  public Panel with(Curve curve) {
    List<Curve> all = new ArrayList<>(curves);
    all.add(curve);
    return new Panel(title, x, y, scale, small, all);
  }

  /** The same panel as one of many. */
  public Panel shrunk() {
    return new Panel(title, x, y, scale, true, curves);
  }

  /**
   * A small histogram.
   *
   * @param low where the first bin begins
   * @param high where the last one ends
   */
  public static Panel histogram(String title, double low, double high, double[] counts) {
    double width = (high - low) / counts.length;
    double[] xs = new double[2 * counts.length + 2];
    double[] ys = new double[xs.length];
    xs[0] = low;
    for (int i = 0; i < counts.length; i++) {
      xs[2 * i + 1] = low + i * width;
      xs[2 * i + 2] = low + (i + 1) * width;
      ys[2 * i + 1] = counts[i];
      ys[2 * i + 2] = counts[i];
    }
    xs[xs.length - 1] = high;
    return of(title, "", "", Scale.LINEAR).with(new Curve("count", xs, ys, Style.BARS)).shrunk();
  }
}
