package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.train.run.RunFolder;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.knowm.xchart.XYChart;

class TrainingPlotTest {

  @Test
  void numbersBelowOneHaveTheirZero() {
    List<XYChart> charts =
        TrainingPlot.charts("a model", List.of(new RunFolder.Point(1, 0.3, 0.9, 0.2, 0.93), point(2), point(3)));
    assertEquals(2, charts.size());
    for (XYChart chart : charts) {
      String pattern = chart.getStyler().getYAxisDecimalPattern();
      DecimalFormat format = new DecimalFormat(pattern, DecimalFormatSymbols.getInstance(Locale.ROOT));
      assertEquals("0.05", format.format(0.05));
      assertEquals("0.000012", format.format(0.000012));
      assertEquals("99", format.format(99));
    }
  }

  @Test
  void aRegressionHasNoAccuracyToShow() {
    RunFolder.Point point = new RunFolder.Point(1, 0.3, Double.NaN, 0.2, Double.NaN);
    assertEquals(1, TrainingPlot.charts("a model", List.of(point)).size());
  }

  private static RunFolder.Point point(int epoch) {
    return new RunFolder.Point(epoch, 0.04 / epoch, 0.95, 0.05, 0.95);
  }
}
