package dev.lamina.study;

import dev.lamina.io.AtomicFile;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;

/** Draws sheets of small pictures as PNG. */
final class PictureDrawing {
  /** Pixels along each side of a value: what is 28 wide can be looked at. */
  private static final int SCALE = 3;

  private static final int GAP = 4;
  private static final int TITLE = 34;
  private static final int FONT = 15;

  private PictureDrawing() {}

  /**
   * Writes {@code pictures} to {@code file}, all or nothing.
   *
   * @throws IOException if the picture cannot be encoded
   */
  static void write(Pictures pictures, Path file) throws IOException {
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image(pictures), "png", bytes);
    AtomicFile.write(file, channel -> AtomicFile.writeFully(channel, ByteBuffer.wrap(bytes.toByteArray())));
  }

  static BufferedImage image(Pictures pictures) {
    int height = pictures.values().getFirst().length / pictures.width();
    int rows = Math.ceilDiv(pictures.values().size(), pictures.columns());
    int stepX = pictures.width() * SCALE + GAP;
    int stepY = height * SCALE + GAP;
    BufferedImage image =
        new BufferedImage(pictures.columns() * stepX + GAP, rows * stepY + GAP + TITLE, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    try {
      graphics.setColor(Color.WHITE);
      graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
      graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, FONT));
      graphics.setColor(Color.BLACK);
      graphics.drawString(pictures.title(), GAP, TITLE - GAP - FONT / 2);
      for (int i = 0; i < pictures.values().size(); i++) {
        int left = GAP + i % pictures.columns() * stepX;
        int top = TITLE + i / pictures.columns() * stepY;
        draw(graphics, pictures.values().get(i), pictures.width(), left, top);
      }
    } finally {
      graphics.dispose();
    }
    return image;
  }

  private static void draw(Graphics2D graphics, double[] values, int width, int left, int top) {
    double largest = Arrays.stream(values).map(Math::abs).max().orElse(0);
    for (int i = 0; i < values.length; i++) {
      float grey = largest > 0 ? (float) (0.5 + 0.5 * values[i] / largest) : 0.5f;
      graphics.setColor(new Color(grey, grey, grey));
      graphics.fillRect(left + i % width * SCALE, top + i / width * SCALE, SCALE, SCALE);
    }
  }
}
