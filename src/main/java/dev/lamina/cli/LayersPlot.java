package dev.lamina.cli;

import dev.lamina.chart.ChartGrid;
import dev.lamina.train.LayerStatistics;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.WeightStatistics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** What was seen inside a model: curves by layer over the updates, and the last histograms. */
final class LayersPlot {
  private static final int WIDTH = 900;
  private static final int HEIGHT = 400;
  private static final int SMALL = 300;

  /** In a picture with more, nothing can be read. */
  private static final int MOST_LINES = 16;

  private static final int COLUMNS = 4;

  private LayersPlot() {}

  /** Draws {@code looks}, at least one, and the histograms of the last one to files as PNG. */
  static void write(Path curves, Path histograms, List<ModelStatistics> looks, ModelStatistics last)
      throws IOException {
    save(curves(looks), 1, curves);
    save(histograms(last), COLUMNS, histograms);
  }

  private static void save(List<? extends Chart<?, ?>> charts, int columns, Path file) throws IOException {
    if (!charts.isEmpty()) {
      new ChartGrid(charts, columns).write(file);
    }
  }

  static List<XYChart> curves(List<ModelStatistics> looks) {
    List<XYChart> charts = new ArrayList<>();
    charts.add(ofLayers("standard deviation of outputs", false, looks, LayerStatistics::deviation));
    charts.add(ofLayers("standard deviation of gradients", true, looks, LayerStatistics::gradientDeviation));
    charts.add(ofLayers("dead ReLUs, % of units", false, looks, layer -> 100 * layer.deadUnits()));
    charts.add(ofLayers("saturated, % of inputs", false, looks, layer -> 100 * layer.saturated()));
    charts.add(ofWeights(looks));
    charts.stream()
        .filter(chart -> chart.getTitle().contains("%"))
        .forEach(chart -> chart.getStyler().setYAxisMin(0.0).setYAxisMax(100.0));
    charts.removeIf(chart -> chart.getSeriesCollection().isEmpty());
    return charts;
  }

  private static XYChart ofLayers(
      String title, boolean logarithmic, List<ModelStatistics> looks, ToDoubleFunction<LayerStatistics> figure) {
    XYChart chart = chart(title, logarithmic);
    List<LayerStatistics> layers = looks.getFirst().layers();
    for (int i :
        some(
            IntStream.range(0, layers.size())
                .filter(i -> !Double.isNaN(figure.applyAsDouble(layers.get(i))))
                .toArray())) {
      line(chart, layers.get(i).path(), looks, logarithmic, look -> figure.applyAsDouble(look.layers().get(i)));
    }
    return chart;
  }

  private static XYChart ofWeights(List<ModelStatistics> looks) {
    XYChart chart = chart("size of an update as a share of the weight's (1e-3 is usual)", true);
    List<WeightStatistics> weights = looks.getFirst().weights();
    for (int i :
        some(IntStream.range(0, weights.size()).filter(i -> weights.get(i).name().endsWith("weight")).toArray())) {
      line(chart, weights.get(i).name(), looks, true, look -> look.weights().get(i).updateRatio());
    }
    return chart;
  }

  /** At equal distances, with the first and the last. */
  private static int[] some(int[] all) {
    if (all.length <= MOST_LINES) {
      return all;
    }
    return IntStream.range(0, MOST_LINES).map(i -> all[i * (all.length - 1) / (MOST_LINES - 1)]).toArray();
  }

  private static XYChart chart(String title, boolean logarithmic) {
    XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle("update").build();
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    chart.getStyler().setYAxisLogarithmic(logarithmic).setXAxisMaxLabelCount(8);
    return chart;
  }

  /** Without values that have no place on the axis. */
  private static void line(
      XYChart chart,
      String name,
      List<ModelStatistics> looks,
      boolean logarithmic,
      ToDoubleFunction<ModelStatistics> figure) {
    List<ModelStatistics> drawn =
        looks.stream()
            .filter(look -> Double.isFinite(figure.applyAsDouble(look)))
            .filter(look -> !logarithmic || figure.applyAsDouble(look) > 0)
            .toList();
    if (!drawn.isEmpty()) {
      chart
          .addSeries(
              name,
              drawn.stream().mapToDouble(ModelStatistics::step).toArray(),
              drawn.stream().mapToDouble(figure).toArray())
          .setMarker(SeriesMarkers.NONE);
    }
  }

  static List<CategoryChart> histograms(ModelStatistics look) {
    List<CategoryChart> charts = new ArrayList<>();
    List<LayerStatistics> layers = look.layers();
    for (int i : some(IntStream.range(0, layers.size()).toArray())) {
      LayerStatistics.Histogram histogram = layers.get(i).histogram();
      int bins = histogram.counts().size();
      double width = (histogram.high() - histogram.low()) / bins;
      if (!(width > 0) || Double.isInfinite(width)) {
        continue;
      }
      CategoryChart chart = new CategoryChartBuilder().width(SMALL).height(SMALL).title(layers.get(i).path()).build();
      chart.getStyler().setLegendVisible(false);
      chart.getStyler().setAvailableSpaceFill(1);
      chart.getStyler().setPlotGridLinesVisible(false).setXAxisMaxLabelCount(4).setXAxisDecimalPattern("0.##");
      chart.getStyler().setYAxisTicksVisible(false);
      chart.addSeries(
          "values",
          IntStream.range(0, bins).mapToObj(b -> histogram.low() + (b + 0.5) * width).toList(),
          histogram.counts());
      charts.add(chart);
    }
    return charts;
  }
}
