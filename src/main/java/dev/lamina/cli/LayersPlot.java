package dev.lamina.cli;

import dev.lamina.chart.ChartGrid;
import dev.lamina.train.LayerStatistics;
import dev.lamina.train.LayerStatistics.Histogram;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.WeightStatistics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
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

  /** Two layers side by side, the outputs of each beside their gradients. */
  private static final int COLUMNS = 4;

  private LayersPlot() {}

  /** Draws {@code looks}, at least one, and the histograms of the last one to files as PNG. */
  static void write(Path curves, Path histograms, List<ModelStatistics> looks) throws IOException {
    save(curves(looks), 1, curves);
    save(histograms(looks.getLast()), COLUMNS, histograms);
  }

  private static void save(List<? extends Chart<?, ?>> charts, int columns, Path file) throws IOException {
    if (!charts.isEmpty()) {
      new ChartGrid(charts, columns).write(file);
    }
  }

  static List<XYChart> curves(List<ModelStatistics> looks) {
    List<XYChart> charts = new ArrayList<>();
    charts.add(ofLayers("mean of outputs", false, looks, LayerStatistics::mean));
    charts.add(ofLayers("standard deviation of outputs", false, looks, LayerStatistics::deviation));
    charts.add(ofLayers("standard deviation of gradients", true, looks, LayerStatistics::gradientDeviation));
    charts.add(ofLayers("zeros, % of an activation's outputs", false, looks, layer -> 100 * layer.zeros()));
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
    for (int i : some(IntStream.range(0, weights.size()).filter(i -> weights.get(i).multiplies()).toArray())) {
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
      LayerStatistics layer = layers.get(i);
      charts.add(histogram(layer.path() + ": outputs", layer.histogram(), count -> count));
      // Most of them are next to 0; on a plain scale nothing else could be seen.
      charts.add(histogram(layer.path() + ": gradients (log)", layer.gradientHistogram(), Math::log1p));
    }
    return charts;
  }

  private static CategoryChart histogram(String title, Histogram histogram, DoubleUnaryOperator height) {
    CategoryChart chart = new CategoryChartBuilder().width(SMALL).height(SMALL).title(title).build();
    chart.getStyler().setLegendVisible(false);
    chart.getStyler().setAvailableSpaceFill(1);
    chart.getStyler().setPlotGridLinesVisible(false).setXAxisMaxLabelCount(4);
    chart.getStyler().setYAxisTicksVisible(false);
    int bins = histogram.counts().size();
    double width = (histogram.high() - histogram.low()) / bins;
    List<Double> heights = histogram.counts().stream().map(count -> height.applyAsDouble(count)).toList();
    if (!Double.isFinite(width)) {
      chart.setTitle(title + " (not all finite)");
      chart.addSeries("values", List.of(0.0), List.of(0.0));
    } else if (width == 0) {
      chart.addSeries("values", List.of(histogram.low()), heights.subList(0, 1));
    } else {
      chart.addSeries(
          "values", IntStream.range(0, bins).mapToObj(b -> histogram.low() + (b + 0.5) * width).toList(), heights);
    }
    double largest = Math.max(Math.abs(histogram.low()), Math.abs(histogram.high()));
    chart.getStyler().setXAxisDecimalPattern(largest < 0.1 ? "0.#E0" : "0.##");
    return chart;
  }
}
