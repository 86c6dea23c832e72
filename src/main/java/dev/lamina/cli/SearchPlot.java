package dev.lamina.cli;

import dev.lamina.chart.ChartGrid;
import dev.lamina.search.Choice;
import dev.lamina.search.Interval;
import dev.lamina.search.Outcome;
import dev.lamina.search.Range;
import dev.lamina.search.SearchReport;
import dev.lamina.search.Space;
import dev.lamina.search.TrialTable;
import dev.lamina.search.Value;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The validation figure of every trial by each of its values: a picture for each parameter. */
final class SearchPlot {
  private static final int WIDTH = 560;
  private static final int HEIGHT = 420;
  private static final int COLUMNS = 3;

  /** Longer names of options would run into each other. */
  private static final int LABEL = 14;

  /** Of a double behind the point, where figures are about 1. */
  private static final int MOST_DIGITS = 15;

  private static final Color BEST = new Color(0xD62728);
  private static final Color BAD = new Color(0x7F7F7F);
  private static final List<Color> STAGES =
      List.of(new Color(0x1F77B4), new Color(0x2CA02C), new Color(0x9467BD), new Color(0xFF7F0E));

  private SearchPlot() {}

  /** Draws all that is judged to {@code file} as PNG. */
  static void write(Path file, String title, SearchReport report) throws IOException {
    new ChartGrid(charts(title, report), COLUMNS).write(file);
  }

  /** One for each parameter. */
  static List<XYChart> charts(String title, SearchReport report) {
    List<Space.Parameter> parameters = report.plan().space().parameters();
    return IntStream.range(0, parameters.size()).mapToObj(i -> chart(title, report, parameters.get(i), i)).toList();
  }

  private static XYChart chart(String title, SearchReport report, Space.Parameter parameter, int index) {
    boolean isAccuracy = report.best().map(Outcome::isClassification).orElse(true);
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title + ": " + parameter.path())
            .xAxisTitle(axisTitle(parameter))
            .yAxisTitle(isAccuracy ? "validation accuracy in %" : "validation loss")
            .build();
    chart.getStyler().setDefaultSeriesRenderStyle(XYSeriesRenderStyle.Scatter);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideS);
    chart.getStyler().setLegendLayout(LegendLayout.Horizontal);
    chart.getStyler().setYAxisDecimalPattern(pattern(figures(report)));
    chart.getStyler().setMarkerSize(8);
    axis(chart, parameter.range());
    for (int stage = 1; stage <= report.plan().stages(); stage++) {
      int wanted = stage;
      String name = report.plan().stages() == 1 ? "trials" : "stage " + stage;
      add(
          chart,
          name,
          report,
          index,
          outcome -> outcome.isGood() && outcome.stage() == wanted,
          STAGES.get((stage - 1) % STAGES.size()),
          SeriesMarkers.CIRCLE);
    }
    add(chart, "diverged or failed", report, index, outcome -> !outcome.isGood(), BAD, SeriesMarkers.CROSS);
    report
        .best()
        .ifPresent(best ->
            add(chart, "best", report, index, outcome -> outcome.trial() == best.trial(), BEST, SeriesMarkers.DIAMOND));
    return chart;
  }

  /** Numbers as the library writes them: it never comes to an end over labels of one's own that do not suit it. */
  private static void axis(XYChart chart, Range range) {
    chart.getStyler().setXAxisDecimalPattern("0.########");
    switch (range) {
      case Interval interval -> {
        double low = x(interval, interval.low());
        double high = x(interval, interval.high());
        double room = 0.04 * (high - low); // so that no marker is cut off
        chart.getStyler().setXAxisMin(low - room).setXAxisMax(high + room);
      }
      case Choice choice ->
          chart.getStyler().setXAxisMin(-1.0).setXAxisMax((double) Math.max(2, choice.options().size()));
    }
  }

  /** The axis says what its numbers are where they are not the values themselves. */
  private static String axisTitle(Space.Parameter parameter) {
    return switch (parameter.range()) {
      case Interval interval when interval.kind() == Interval.Kind.LOG_UNIFORM ->
          "log10 of " + parameter.path() + " (" + TrialTable.range(interval) + ")";
      case Interval _ -> parameter.path();
      case Choice choice ->
          IntStream.range(0, choice.options().size())
              .mapToObj(i -> i + ": " + shortened(choice.options().get(i).line()))
              .collect(Collectors.joining(", "));
    };
  }

  private static String shortened(String text) {
    return text.length() <= LABEL ? text : text.substring(0, LABEL - 1) + "…";
  }

  /** Powers of ten are drawn by their exponents: ticks then lie well in narrow ranges too. */
  private static double x(Range range, double number) {
    return range instanceof Interval interval && interval.kind() == Interval.Kind.LOG_UNIFORM
        ? Math.log10(number)
        : number;
  }

  private static void add(
      XYChart chart,
      String name,
      SearchReport report,
      int parameter,
      Predicate<Outcome> which,
      Color color,
      Marker marker) {
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    Range range = report.plan().space().parameters().get(parameter).range();
    for (Outcome outcome : report.last()) {
      if (which.test(outcome)) {
        Value value = report.trial(outcome).values().get(parameter);
        x.add(x(range, value.number()));
        y.add(outcome.isGood() ? y(outcome) : floor(report));
      }
    }
    if (!x.isEmpty()) {
      chart.addSeries(name, x, y).setMarker(marker).setMarkerColor(color);
    }
  }

  private static double y(Outcome outcome) {
    return outcome.isClassification() ? 100 * outcome.accuracy() : outcome.loss();
  }

  /** Where those stand that have no figure: as the worst that has one. */
  private static double floor(SearchReport report) {
    List<Double> figures = figures(report);
    return figures.isEmpty() ? 0 : figures.getLast();
  }

  /** The best first. */
  private static List<Double> figures(SearchReport report) {
    return report.last().stream().filter(Outcome::isGood).sorted(Outcome.BEST_FIRST).map(SearchPlot::y).toList();
  }

  /**
   * Numbers with as many digits as tell apart a hundredth of what the figures span: where these are few the library
   * writes them themselves at the axis, thirds with all their digits, and does not come to an end over two that read
   * alike.
   */
  static String pattern(List<Double> figures) {
    double low = figures.stream().mapToDouble(Double::doubleValue).min().orElse(0);
    double high = figures.stream().mapToDouble(Double::doubleValue).max().orElse(1);
    double span = high > low ? high - low : Math.max(Math.abs(high), Double.MIN_NORMAL) / 10;
    int digits = Math.clamp((int) Math.ceil(-Math.log10(span / 100)), 0, MOST_DIGITS);
    return digits == 0 ? "0" : "0." + "#".repeat(digits);
  }
}
