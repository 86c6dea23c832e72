package dev.lamina.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;

class ChartGridTest {
  private static final int WIDTH = 80;
  private static final int HEIGHT = 60;

  @TempDir Path folder;

  /** Empty ones, told apart by their backgrounds. */
  private static List<XYChart> charts(Color... backgrounds) {
    List<XYChart> charts = new ArrayList<>();
    for (Color background : backgrounds) {
      XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).build();
      chart.addSeries("line", new double[] {0, 1}, new double[] {0, 1});
      chart.getStyler().setChartBackgroundColor(background).setLegendVisible(false);
      charts.add(chart);
    }
    return charts;
  }

  /** The colour in the corner of a cell. */
  private static Color corner(BufferedImage picture, int column, int row) {
    return new Color(picture.getRGB(column * WIDTH + 1, row * HEIGHT + 1));
  }

  @Test
  void chartsStandRowByRowAndTheRestIsWhite() throws IOException {
    Path file = folder.resolve("charts.png");
    new ChartGrid(charts(Color.RED, Color.GREEN, Color.BLUE), 2).write(file);
    BufferedImage picture = ImageIO.read(file.toFile());
    assertEquals(2 * WIDTH, picture.getWidth());
    assertEquals(2 * HEIGHT, picture.getHeight());
    assertEquals(Color.RED, corner(picture, 0, 0));
    assertEquals(Color.GREEN, corner(picture, 1, 0));
    assertEquals(Color.BLUE, corner(picture, 0, 1));
    assertEquals(Color.WHITE, corner(picture, 1, 1));
  }

  @Test
  void thereAreNoEmptyColumns() {
    BufferedImage picture = new ChartGrid(charts(Color.RED), 4).picture();
    assertEquals(WIDTH, picture.getWidth());
    assertThrows(IllegalArgumentException.class, () -> new ChartGrid(List.of(), 1));
  }
}
