package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.train.LayerStatistics;
import dev.lamina.train.LayerStatistics.Histogram;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.WeightStatistics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;

class LayersPlotTest {
  private static final double NONE = Double.NaN;

  private static ModelStatistics look(long step, Histogram outputs, Histogram gradients) {
    var relu = new LayerStatistics("relu1", "relu", 0.3, 1, 0, 1e-3, 0.4, NONE, 0.5, List.of(), outputs, gradients);
    var dense = new LayerStatistics("dense1", "dense", 0.1, 1, 0, 1e-3, NONE, NONE, NONE, List.of(), outputs, outputs);
    return new ModelStatistics(step, 1, 10, List.of(relu, dense), List.of(new WeightStatistics("a.weight", 1, 1, 0.1)));
  }

  @Test
  void curvesAreOfTheLayersThatHaveSuchAFigure() {
    Histogram any = new Histogram(0, 1, List.of(1L, 2L));
    var charts = LayersPlot.curves(List.of(look(1, any, any), look(2, any, any)));
    assertEquals(
        List.of(
            "mean of outputs",
            "standard deviation of outputs",
            "standard deviation of gradients",
            "zeros, % of an activation's outputs",
            "dead ReLUs, % of units",
            "size of an update as a share of the weight's (1e-3 is usual)"),
        charts.stream().map(Chart::getTitle).toList());
    assertEquals(List.of("relu1", "dense1"), names(charts.getFirst()));
    assertEquals(List.of("relu1"), names(charts.get(3)));
    assertEquals(40, charts.get(3).getSeriesCollection().iterator().next().getYData()[1], 1e-9);
  }

  private static List<String> names(XYChart chart) {
    return chart.getSeriesCollection().stream().map(XYSeries::getName).toList();
  }

  /** A layer that is all zeros, or not finite, must not cost the picture, nor the places of the others. */
  @Test
  void eachLayerHasOutputsAndGradientsSideBySide(@TempDir Path folder) throws Exception {
    Histogram usual = new Histogram(-1e-5, 1e-5, List.of(3L, 4L));
    Histogram zeros = new Histogram(0, 0, List.of(7L, 0L));
    Histogram wild = new Histogram(NONE, NONE, List.of(0L, 0L));
    for (Histogram gradients : List.of(usual, zeros, wild)) {
      ModelStatistics look = look(1, zeros, gradients);
      assertEquals(
          List.of("relu1: outputs", "relu1: gradients", "dense1: outputs", "dense1: gradients"),
          LayersPlot.histograms(look).stream()
              .map(chart -> chart.getTitle().replaceAll("[,(].*", "").strip())
              .toList());
      Path histograms = folder.resolve("histograms.png");
      LayersPlot.write(folder.resolve("layers.png"), histograms, List.of(look));
      assertTrue(Files.size(histograms) > 1000);
    }
  }
}
