package dev.lamina.chart;

import dev.lamina.io.AtomicFile;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.internal.chartpart.Chart;

/**
 * Charts of one size in one picture, row by row; the last row may be shorter.
 *
 * @param charts at least one
 * @param columns at most; fewer where there are fewer charts
 */
public record ChartGrid(List<? extends Chart<?, ?>> charts, int columns) {
  public ChartGrid {
    charts = List.copyOf(charts);
    if (charts.isEmpty() || columns < 1) {
      throw new IllegalArgumentException("a picture has a chart and a column at least");
    }
  }

  /**
   * Replaces {@code file} with the picture as PNG.
   *
   * @throws IOException if it cannot be encoded
   * @throws dev.lamina.io.BadInputException if the file cannot be written
   */
  public void write(Path file) throws IOException {
    var bytes = new ByteArrayOutputStream();
    // One with a cache in a file could not be used while the process ends, which is when an interrupted run draws.
    try (var stream = new MemoryCacheImageOutputStream(bytes)) {
      ImageIO.write(picture(), "png", stream);
    }
    AtomicFile.write(file, channel -> AtomicFile.writeFully(channel, ByteBuffer.wrap(bytes.toByteArray())));
  }

  BufferedImage picture() {
    int width = charts.getFirst().getWidth();
    int height = charts.getFirst().getHeight();
    int across = Math.min(columns, charts.size());
    int down = Math.ceilDiv(charts.size(), across);
    var picture = new BufferedImage(across * width, down * height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = picture.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, picture.getWidth(), picture.getHeight());
    for (int i = 0; i < charts.size(); i++) {
      graphics.drawImage(BitmapEncoder.getBufferedImage(charts.get(i)), i % across * width, i / across * height, null);
    }
    graphics.dispose();
    return picture;
  }
}
