package dev.lamina.cli;

import dev.lamina.chart.ChartGrid;
import dev.lamina.train.run.RunFolder;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Curves of loss, and of accuracy where there is one, over the epochs. */
final class TrainingPlot {
  private static final int WIDTH = 900;
  private static final int HEIGHT = 450;

  private TrainingPlot() {}

  /** Draws {@code points} to {@code file} as PNG. */
  static void write(Path file, String title, List<RunFolder.Point> points) throws IOException {
    new ChartGrid(charts(title, points), 1).write(file);
  }

  /** One for the loss, and one for the accuracy where there is any. */
  static List<XYChart> charts(String title, List<RunFolder.Point> points) {
    List<XYChart> charts = new ArrayList<>();
    charts.add(chart(title + ": loss", "loss", points, RunFolder.Point::trainingLoss, RunFolder.Point::validationLoss));
    if (points.stream().anyMatch(point -> !Double.isNaN(point.trainingAccuracy()))) {
      charts.add(
          chart(
              title + ": accuracy",
              "accuracy in %",
              points,
              point -> 100 * point.trainingAccuracy(),
              point -> 100 * point.validationAccuracy()));
    }
    return charts;
  }

  private static XYChart chart(
      String title,
      String axis,
      List<RunFolder.Point> points,
      ToDoubleFunction<RunFolder.Point> training,
      ToDoubleFunction<RunFolder.Point> validation) {
    XYChart chart =
        new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle("epoch").yAxisTitle(axis).build();
    chart.getStyler().setLegendPosition(LegendPosition.InsideNE);
    if (!axis.equals("loss")) {
      chart.getStyler().setLegendPosition(LegendPosition.InsideSE);
    }
    chart.getStyler().setXAxisDecimalPattern("0");
    chart.getStyler().setYAxisDecimalPattern("0.########"); // the library's own writes 0.05 as .05
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setXAxisMin(1.0).setXAxisMax((double) Math.max(2, points.getLast().epoch()));
    add(chart, "training", points, training);
    add(chart, "validation", points, validation);
    return chart;
  }

  private static void add(
      XYChart chart, String name, List<RunFolder.Point> points, ToDoubleFunction<RunFolder.Point> value) {
    List<RunFolder.Point> known = points.stream().filter(point -> Double.isFinite(value.applyAsDouble(point))).toList();
    if (!known.isEmpty()) {
      double[] epochs = known.stream().mapToDouble(RunFolder.Point::epoch).toArray();
      chart.addSeries(name, epochs, known.stream().mapToDouble(value).toArray()).setMarker(SeriesMarkers.CIRCLE);
    }
  }
}
