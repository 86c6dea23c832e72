package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Loads pictures of any size and colour as a model's input. */
public final class Images {
  /** More would need gigabytes for what ends as a few thousand pixels, and a small file can claim any size. */
  private static final long MAX_PIXELS = 100_000_000;

  /** The JPEG decoder fills up with grey what is missing, and only warns; other warnings of it cost no pixel. */
  private static final String JPEG_LOSS = "premature end";

  private Images() {}

  /**
   * Reads a picture (PNG, JPEG, GIF or BMP) and brings it to {@code shape}, without regard to its proportions: an axis
   * is averaged over areas where it shrinks, and interpolated linearly where it grows. Colour becomes grey by luma
   * (ITU-R BT.601), grey becomes colour by repetition, and what is transparent lies on white.
   *
   * @param shape [height, width, channels], with 1 or 3 channels
   * @throws BadInputException if the file is no readable picture
   * @throws IllegalArgumentException if the shape is not that of an image with 1 or 3 channels
   */
  public static Picture load(Path file, Shape shape, Arena arena) {
    if (shape.rank() != 3 || shape.size() == 0 || (shape.dim(2) != 1 && shape.dim(2) != 3)) {
      throw new IllegalArgumentException("pictures become [height,width,1] or [height,width,3], not " + shape);
    }
    BufferedImage image = decode(file);
    int channels = shape.dim(2);
    Resampling across = Resampling.of(image.getWidth(), shape.dim(1));
    Resampling down = Resampling.of(image.getHeight(), shape.dim(0));
    float[][] narrowed = new float[image.getHeight()][]; // [source row][width · channels]
    for (int y = 0; y < narrowed.length; y++) {
      narrowed[y] = across.alongRow(row(image, y, channels), channels);
    }
    float[][] resized = down.alongColumns(narrowed); // [height][width · channels]
    HostTensor pixels = HostTensor.allocate(arena, new TensorType(shape, DType.U8));
    int rowLength = shape.dim(1) * channels;
    for (int i = 0; i < pixels.size(); i++) {
      pixels.set(i, Math.clamp(Math.round(resized[i / rowLength][i % rowLength]), 0, 255));
    }
    return new Picture(pixels, borderMean(pixels));
  }

  private static BufferedImage decode(Path file) {
    if (Files.isDirectory(file)) {
      throw new BadInputException("cannot read " + file + ": it is a folder; name a picture");
    }
    // Memory, not ImageIO's default: that copies every stream into a temporary file.
    try (InputStream in = Files.newInputStream(file);
        ImageInputStream stream = new MemoryCacheImageInputStream(in)) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(stream);
      if (!readers.hasNext()) {
        throw new BadInputException(file + ": is no picture in a known format (PNG, JPEG, GIF, BMP)");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(stream, true, true);
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels > MAX_PIXELS) {
          throw new BadInputException(
              file + ": has " + pixels + " pixels, at most " + MAX_PIXELS + " are read; make it smaller");
        }
        AtomicReference<String> loss = new AtomicReference<>();
        reader.addIIOReadWarningListener((_, warning) -> {
          if (warning.contains(JPEG_LOSS)) {
            loss.set(warning);
          }
        });
        BufferedImage image = reader.read(0);
        if (loss.get() != null) {
          throw new IOException(loss.get());
        }
        return image;
      } finally {
        reader.dispose();
      }
    } catch (BadInputException e) {
      throw e;
    } catch (FileSystemException e) {
      throw BadInputException.access("read", file, e);
    } catch (IOException | RuntimeException e) { // decoders meet broken files with exceptions of every kind
      throw new BadInputException(
          file
              + ": the picture cannot be decoded ("
              + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage())
              + "); is the file whole?",
          e);
    }
  }

  /** Row {@code y} as [width · channels], from 0 to 255. */
  private static float[] row(BufferedImage image, int y, int channels) {
    int width = image.getWidth();
    float[] row = new float[width * channels];
    int bands = image.getRaster().getNumBands();
    if (bands <= 2 && !(image.getColorModel() instanceof IndexColorModel)) {
      // Not getRGB: it takes Java's grey for linear light and brightens it.
      int[] grey = image.getRaster().getSamples(0, y, width, 1, 0, (int[]) null);
      float greyScale = 255f / ((1 << image.getColorModel().getComponentSize(0)) - 1);
      int[] alpha = bands == 2 ? image.getRaster().getSamples(0, y, width, 1, 1, (int[]) null) : null;
      float alphaScale = bands == 2 ? 1f / ((1 << image.getColorModel().getComponentSize(1)) - 1) : 0;
      for (int i = 0; i < row.length; i++) {
        int x = i / channels;
        row[i] = onWhite(grey[x] * greyScale, alpha == null ? 1 : alpha[x] * alphaScale);
      }
      return row;
    }
    int[] argb = image.getRGB(0, y, width, 1, null, 0, width);
    for (int x = 0; x < width; x++) {
      float alpha = (argb[x] >>> 24) / 255f;
      float red = onWhite(argb[x] >> 16 & 0xff, alpha);
      float green = onWhite(argb[x] >> 8 & 0xff, alpha);
      float blue = onWhite(argb[x] & 0xff, alpha);
      if (channels == 1) {
        row[x] = 0.299f * red + 0.587f * green + 0.114f * blue;
      } else {
        row[3 * x] = red;
        row[3 * x + 1] = green;
        row[3 * x + 2] = blue;
      }
    }
    return row;
  }

  private static float onWhite(float value, float alpha) {
    return value * alpha + 255 * (1 - alpha);
  }

  private static double borderMean(HostTensor pixels) {
    int height = pixels.shape().dim(0);
    int width = pixels.shape().dim(1);
    int channels = pixels.shape().dim(2);
    double sum = 0;
    int count = 0;
    for (int i = 0; i < pixels.size(); i++) {
      int x = i / channels % width;
      int y = i / channels / width;
      if (x == 0 || y == 0 || x == width - 1 || y == height - 1) {
        sum += pixels.get(i);
        count++;
      }
    }
    return sum / count;
  }
}
