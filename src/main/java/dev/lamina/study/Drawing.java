package dev.lamina.study;

import dev.lamina.chart.ChartGrid;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws figures as PNG. */
public final class Drawing {
  private static final int WIDTH = 640;
  private static final int HEIGHT = 420;

  /** Ten of them side by side are as wide as a page. */
  private static final int SMALL_WIDTH = 190;

  private static final int SMALL_HEIGHT = 160;
  private static final int SMALL_FONT = 10;
  private static final int SMALL_LABELS = 3;

  /** Beyond so many decades the numbers between powers of ten would be written over each other. */
  private static final double MANY_DECADES = 1.5;

  /** With more points than this a line needs no marks to be read. */
  private static final int FEW_POINTS = 30;

  /** Told apart on white, and by most who see few colours (Okabe and Ito's, without the yellow, and three greys). */
  private static final Color[] COLORS = {
    new Color(0x0072B2),
    new Color(0xD55E00),
    new Color(0x009E73),
    new Color(0xCC79A7),
    new Color(0xE69F00),
    new Color(0x56B4E9),
    new Color(0x000000),
    new Color(0x8B4513),
    new Color(0x808080),
    new Color(0x6A3D9A)
  };

  private Drawing() {}

  /**
   * Draws {@code figure} to {@code file}.
   *
   * @throws IOException if the picture cannot be encoded
   */
  public static void write(Figure figure, Path file) throws IOException {
    new ChartGrid(figure.panels().stream().map(Drawing::chart).toList(), figure.columns()).write(file);
  }

  /**
   * Writes {@code pictures} to {@code file}, all or nothing.
   *
   * @throws IOException if they cannot be encoded
   */
  public static void write(Pictures pictures, Path file) throws IOException {
    PictureDrawing.write(pictures, file);
  }

  static XYChart chart(Panel panel) {
    XYChart chart =
        new XYChartBuilder()
            .width(panel.small() ? SMALL_WIDTH : WIDTH)
            .height(panel.small() ? SMALL_HEIGHT : HEIGHT)
            .title(panel.title())
            .xAxisTitle(panel.x())
            .yAxisTitle(panel.y())
            .build();
    var styler = chart.getStyler();
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setSeriesColors(COLORS);
    styler.setXAxisLogarithmic(panel.scale().logX()).setYAxisLogarithmic(panel.scale().logY());
    styler.setYAxisLogarithmicDecadeOnly(panel.scale().logY() && decades(panel) > MANY_DECADES);
    if (!panel.scale().logX()) {
      styler.setXAxisDecimalPattern("0.#####");
    }
    if (!panel.scale().logY()) {
      styler.setYAxisDecimalPattern("0.#####"); // the library's own writes 0.05 as .05
    }
    styler.setLegendPosition(LegendPosition.OutsideE);
    styler.setLegendVisible(panel.curves().size() > 1 && !panel.small());
    if (panel.small()) {
      Font font = new Font(Font.SANS_SERIF, Font.PLAIN, SMALL_FONT);
      styler.setChartTitleFont(font).setChartTitlePadding(2).setChartPadding(3);
      styler.setAxisTickLabelsFont(font).setAxisTitlesVisible(false);
      styler.setYAxisTicksVisible(false).setXAxisMaxLabelCount(SMALL_LABELS);
      styler.setXAxisTickLabelsFormattingFunction(Drawing::brief);
      styler.setPlotGridLinesVisible(false);
    }
    panel.curves().forEach(curve -> add(chart, panel, curve));
    return chart;
  }

  /** From the smallest positive ordinate to the largest. */
  private static double decades(Panel panel) {
    double[] logs =
        panel.curves().stream()
            .flatMapToDouble(curve -> Arrays.stream(curve.y()))
            .filter(y -> fits(y, true))
            .map(Math::log10)
            .toArray();
    return Arrays.stream(logs).max().orElse(0) - Arrays.stream(logs).min().orElse(0);
  }

  private static void add(XYChart chart, Panel panel, Panel.Curve curve) {
    int[] shown =
        IntStream.range(0, curve.x().length)
            .filter(i -> fits(curve.x()[i], panel.scale().logX()) && fits(curve.y()[i], panel.scale().logY()))
            .toArray();
    if (shown.length == 0) {
      return;
    }
    double[] xs = IntStream.of(shown).mapToDouble(i -> curve.x()[i]).toArray();
    double[] ys = IntStream.of(shown).mapToDouble(i -> curve.y()[i]).toArray();
    XYSeries series = chart.addSeries(curve.name(), xs, ys);
    series.setMarker(shown.length > FEW_POINTS || panel.small() ? SeriesMarkers.NONE : SeriesMarkers.CIRCLE);
    switch (curve.style()) {
      case LINE -> series.setLineWidth(1.5f);
      case DASHED -> {
        series.setLineStyle(
            new BasicStroke(1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, new float[] {6, 5}, 0));
        series.setMarker(SeriesMarkers.NONE);
      }
      case POINTS -> {
        series.setXYSeriesRenderStyle(XYSeriesRenderStyle.Scatter);
        series.setMarker(SeriesMarkers.CIRCLE);
      }
      case CROSSES -> {
        series.setXYSeriesRenderStyle(XYSeriesRenderStyle.Scatter);
        series.setMarker(SeriesMarkers.CROSS);
        series.setMarkerColor(Color.BLACK);
      }
      case BARS -> series.setXYSeriesRenderStyle(XYSeriesRenderStyle.Area);
    }
  }

  /** Two digits: there is no room for more. */
  private static String brief(double value) {
    double size = Math.abs(value);
    if (size != 0 && (size < 0.001 || size >= 10_000)) {
      return String.format(Locale.ROOT, "%.0e", value);
    }
    return new BigDecimal(value).round(new MathContext(2)).stripTrailingZeros().toPlainString();
  }

  /** What has no place on an axis is left out. */
  private static boolean fits(double value, boolean logarithmic) {
    return Double.isFinite(value) && (!logarithmic || value > 0);
  }
}
