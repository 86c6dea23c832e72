package dev.lamina.cli;

import dev.lamina.chart.ChartGrid;
import dev.lamina.train.LearningRateFinder.Point;
import dev.lamina.train.RateCurve;
import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The loss over the learning rate, on a logarithmic axis. */
final class RatePlot {
  private static final int WIDTH = 900;
  private static final int HEIGHT = 450;

  /** An explosion has no end; more than this many times the first loss is left out, or all else would be flat. */
  private static final double TOP = 2;

  private RatePlot() {}

  /** Draws {@code curve} to {@code file} as PNG. */
  static void write(Path file, String title, RateCurve curve) throws IOException {
    new ChartGrid(List.of(chart(title, curve)), 1).write(file);
  }

  static XYChart chart(String title, RateCurve curve) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title + ": loss by learning rate")
            .xAxisTitle("learning rate")
            .yAxisTitle("loss")
            .build();
    double first = curve.points().getFirst().smoothed();
    double top = Double.isFinite(first) && first > 0 ? TOP * first : 1;
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setLegendPosition(LegendPosition.InsideNW);
    chart.getStyler().setYAxisDecimalPattern("0.########"); // the library's own writes 0.05 as .05
    chart.getStyler().setXAxisDecimalPattern("0E0");
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setYAxisMin(0.0).setYAxisMax(top);
    add(chart, "loss of each batch", curve.points(), Point::loss, top, new Color(0xB0C4DE), 1);
    add(chart, "smoothed", curve.points(), Point::smoothed, top, new Color(0x1F4E9E), 2.5f);
    curve
        .suggestion()
        .ifPresent(found -> {
          mark(chart, "steepest", found.steepest(), top, new Color(0x2E8B57));
          mark(chart, "a tenth of the lowest", found.tenth(), top, new Color(0xD2691E));
        });
    return chart;
  }

  private static void add(
      XYChart chart,
      String name,
      List<Point> points,
      ToDoubleFunction<Point> value,
      double top,
      Color color,
      float width) {
    List<Point> shown = points.stream().filter(point -> value.applyAsDouble(point) <= top).toList();
    if (!shown.isEmpty()) {
      double[] rates = shown.stream().mapToDouble(Point::rate).toArray();
      XYSeries series = chart.addSeries(name, rates, shown.stream().mapToDouble(value).toArray());
      series.setMarker(SeriesMarkers.NONE).setLineColor(color).setLineWidth(width);
    }
  }

  private static void mark(XYChart chart, String name, double rate, double top, Color color) {
    String label = String.format(Locale.ROOT, "%s: %.1e", name, rate);
    XYSeries series = chart.addSeries(label, new double[] {rate, rate}, new double[] {0, top});
    float[] dashes = {6, 4};
    series
        .setMarker(SeriesMarkers.NONE)
        .setLineColor(color)
        .setLineStyle(new BasicStroke(1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_BEVEL, 1, dashes, 0));
  }
}
