package dev.lamina.device.cpu;

import static dev.lamina.device.cpu.Lanes.COUNT;
import static dev.lamina.device.cpu.Lanes.FLOATS;
import static dev.lamina.device.cpu.Memory.ALL;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Pooling with a vector of channels, for vectors of at least 256 bits.
 *
 * <p>Pixels are written in their order, so the last vector of a pixel may write into the next one, whose own values
 * come later. Only at the end of a row, where the pixel behind may be another thread's, are channels that do not fill a
 * vector scalar code.
 */
final class VectorPoolLoops implements PoolLoops {
  private static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());

  /** As many bytes as a vector has floats. */
  private static final VectorSpecies<Byte> SMALL = VectorSpecies.of(byte.class, VectorShape.forBitSize(8 * COUNT));

  /** Channels in whole vectors. */
  private static int whole(int channels) {
    return channels / COUNT * COUNT;
  }

  /** Channels with those that the last vector holds too many. */
  private static int padded(int channels) {
    return (channels + COUNT - 1) / COUNT * COUNT;
  }

  /** How many of a row's {@code pixels} can be written {@linkplain #padded padded}. */
  private static int split(int pixels, int channels) {
    return Math.max(0, pixels + 1 - Math.ceilDiv(padded(channels), channels));
  }

  @Override
  public void max(PoolShape shape, long image, int y, long pooled, long winners) {
    int channels = shape.channels();
    int split = split(shape.outWidth(), channels);
    int firstRow = Math.max(0, shape.top(y));
    int lastRow = Math.min(shape.height(), shape.top(y) + shape.windowHeight());
    for (int x = 0; x < shape.outWidth(); x++) {
      int lanes = x < split ? padded(channels) : whole(channels);
      int firstColumn = Math.max(0, shape.left(x));
      int columns = Math.min(shape.width(), shape.left(x) + shape.windowWidth()) - firstColumn;
      int position = (firstRow - shape.top(y)) * shape.windowWidth() + firstColumn - shape.left(x);
      long from = image + 4 * (((long) firstRow * shape.width() + firstColumn) * channels);
      long out = ((long) y * shape.outWidth() + x) * channels;
      if (columns == 2 && lastRow - firstRow == 2 && shape.windowWidth() == 2) {
        square(from, from + 4L * shape.width() * channels, 4L * channels, lanes, pooled + 4 * out, winners + out);
      } else {
        window(
            from,
            lastRow - firstRow,
            columns,
            4L * shape.width() * channels,
            4L * channels,
            lanes,
            position,
            shape.windowWidth(),
            pooled + 4 * out,
            winners + out);
      }
    }
    Scalar.max(shape, image, y, pooled, winners, split, whole(channels));
  }

  /** The largest of 2x2 pixels: by far the most frequent window. */
  private static void square(long upper, long lower, long pixel, int channels, long pooled, long winners) {
    for (int c = 0; c < channels; c += COUNT) {
      FloatVector best = FloatVector.fromMemorySegment(FLOATS, ALL, upper + 4L * c, LITTLE_ENDIAN);
      FloatVector second = FloatVector.fromMemorySegment(FLOATS, ALL, upper + pixel + 4L * c, LITTLE_ENDIAN);
      FloatVector third = FloatVector.fromMemorySegment(FLOATS, ALL, lower + 4L * c, LITTLE_ENDIAN);
      FloatVector fourth = FloatVector.fromMemorySegment(FLOATS, ALL, lower + pixel + 4L * c, LITTLE_ENDIAN);
      // Not "greater": a NaN is neither, and stays once it is there.
      VectorMask<Float> wins =
          second.compare(VectorOperators.LE, best).not().and(best.compare(VectorOperators.EQ, best));
      best = best.blend(second, wins);
      IntVector winner = IntVector.zero(INTS).blend(1, wins.cast(INTS));
      wins = third.compare(VectorOperators.LE, best).not().and(best.compare(VectorOperators.EQ, best));
      best = best.blend(third, wins);
      winner = winner.blend(2, wins.cast(INTS));
      wins = fourth.compare(VectorOperators.LE, best).not().and(best.compare(VectorOperators.EQ, best));
      best = best.blend(fourth, wins);
      winner = winner.blend(3, wins.cast(INTS));
      best.intoMemorySegment(ALL, pooled + 4L * c, LITTLE_ENDIAN);
      ((ByteVector) winner.convertShape(VectorOperators.I2B, SMALL, 0))
          .intoMemorySegment(ALL, winners + c, LITTLE_ENDIAN);
    }
  }

  /** The largest of a window of any extents; {@code position} is that of its first pixel which lies in the image. */
  private static void window(
      long from,
      int rows,
      int columns,
      long rowStride,
      long pixel,
      int channels,
      int position,
      int windowWidth,
      long pooled,
      long winners) {
    for (int c = 0; c < channels; c += COUNT) {
      FloatVector best = FloatVector.fromMemorySegment(FLOATS, ALL, from + 4L * c, LITTLE_ENDIAN);
      IntVector winner = IntVector.broadcast(INTS, position);
      for (int row = 0; row < rows; row++) {
        long at = from + row * rowStride + 4L * c;
        for (int column = 0; column < columns; column++) {
          FloatVector value = FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN);
          VectorMask<Float> wins =
              value.compare(VectorOperators.LE, best).not().and(best.compare(VectorOperators.EQ, best));
          best = best.blend(value, wins);
          winner = winner.blend(position + row * windowWidth + column, wins.cast(INTS));
          at += pixel;
        }
      }
      best.intoMemorySegment(ALL, pooled + 4L * c, LITTLE_ENDIAN);
      ((ByteVector) winner.convertShape(VectorOperators.I2B, SMALL, 0))
          .intoMemorySegment(ALL, winners + c, LITTLE_ENDIAN);
    }
  }

  @Override
  public void maxGradient(PoolShape shape, long pooled, long winners, int y, long image) {
    int channels = shape.channels();
    int split = split(shape.width(), channels);
    int firstRow = shape.firstRow(y);
    int lastRow = shape.lastRow(y);
    for (int x = 0; x < shape.width(); x++) {
      int lanes = x < split ? padded(channels) : whole(channels);
      int firstColumn = shape.firstColumn(x);
      int lastColumn = shape.lastColumn(x);
      long out = image + 4 * (((long) y * shape.width() + x) * channels);
      for (int c = 0; c < lanes; c += COUNT) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int row = firstRow; row <= lastRow; row++) {
          for (int column = firstColumn; column <= lastColumn; column++) {
            long at = ((long) row * shape.outWidth() + column) * channels + c;
            int position = (y - shape.top(row)) * shape.windowWidth() + x - shape.left(column);
            IntVector winner =
                (IntVector)
                    ByteVector.fromMemorySegment(SMALL, ALL, winners + at, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
            FloatVector gradient = FloatVector.fromMemorySegment(FLOATS, ALL, pooled + 4 * at, LITTLE_ENDIAN);
            sum =
                sum.add(
                    FloatVector.zero(FLOATS)
                        .blend(gradient, winner.compare(VectorOperators.EQ, position).cast(FLOATS)));
          }
        }
        sum.intoMemorySegment(ALL, out + 4L * c, LITTLE_ENDIAN);
      }
    }
    Scalar.maxGradient(shape, pooled, winners, y, image, split, whole(channels));
  }

  @Override
  public void tiledMaxGradient(PoolShape shape, long pooled, long winners, int y, long image) {
    int channels = shape.channels();
    int columns = shape.windowWidth();
    int split = split(shape.outWidth() * columns, channels) / columns;
    for (int row = 0; row < shape.windowHeight(); row++) {
      long in = (long) y * shape.outWidth() * channels;
      long out = image + 4 * (((long) shape.top(y) + row) * shape.width() * channels);
      for (int x = 0; x < shape.outWidth(); x++) {
        spread(
            pooled + 4 * in,
            winners + in,
            x < split ? padded(channels) : whole(channels),
            row * columns,
            columns,
            4L * channels,
            out);
        in += channels;
        out += 4L * channels * columns;
      }
    }
    Scalar.tiledMaxGradient(shape, pooled, winners, y, image, split, whole(channels));
  }

  /** One row of a window: the gradient where the winner is, zero elsewhere. */
  private static void spread(long pooled, long winners, int channels, int first, int columns, long pixel, long image) {
    for (int column = 0; column < columns; column++) {
      for (int c = 0; c < channels; c += COUNT) {
        IntVector winner =
            (IntVector)
                ByteVector.fromMemorySegment(SMALL, ALL, winners + c, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        FloatVector gradient = FloatVector.fromMemorySegment(FLOATS, ALL, pooled + 4L * c, LITTLE_ENDIAN);
        FloatVector.zero(FLOATS)
            .blend(gradient, winner.compare(VectorOperators.EQ, first + column).cast(FLOATS))
            .intoMemorySegment(ALL, image + column * pixel + 4L * c, LITTLE_ENDIAN);
      }
    }
  }

  @Override
  public void average(PoolShape shape, long image, int y, long pooled) {
    int channels = shape.channels();
    int split = split(shape.outWidth(), channels);
    int firstRow = Math.max(0, shape.top(y));
    int lastRow = Math.min(shape.height(), shape.top(y) + shape.windowHeight());
    FloatVector area = FloatVector.broadcast(FLOATS, shape.area());
    for (int x = 0; x < shape.outWidth(); x++) {
      int lanes = x < split ? padded(channels) : whole(channels);
      int firstColumn = Math.max(0, shape.left(x));
      int lastColumn = Math.min(shape.width(), shape.left(x) + shape.windowWidth());
      long out = pooled + 4 * (((long) y * shape.outWidth() + x) * channels);
      for (int c = 0; c < lanes; c += COUNT) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int row = firstRow; row < lastRow; row++) {
          long at = image + 4 * (((long) row * shape.width() + firstColumn) * channels + c);
          for (int column = firstColumn; column < lastColumn; column++) {
            sum = sum.add(FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN));
            at += 4L * channels;
          }
        }
        sum.div(area).intoMemorySegment(ALL, out + 4L * c, LITTLE_ENDIAN);
      }
    }
    Scalar.average(shape, image, y, pooled, split, whole(channels));
  }

  @Override
  public void averageGradient(PoolShape shape, long pooled, int y, long image) {
    int channels = shape.channels();
    int split = split(shape.width(), channels);
    int firstRow = shape.firstRow(y);
    int lastRow = shape.lastRow(y);
    FloatVector area = FloatVector.broadcast(FLOATS, shape.area());
    for (int x = 0; x < shape.width(); x++) {
      int lanes = x < split ? padded(channels) : whole(channels);
      int firstColumn = shape.firstColumn(x);
      int lastColumn = shape.lastColumn(x);
      long out = image + 4 * (((long) y * shape.width() + x) * channels);
      for (int c = 0; c < lanes; c += COUNT) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int row = firstRow; row <= lastRow; row++) {
          long at = pooled + 4 * (((long) row * shape.outWidth() + firstColumn) * channels + c);
          for (int column = firstColumn; column <= lastColumn; column++) {
            sum = sum.add(FloatVector.fromMemorySegment(FLOATS, ALL, at, LITTLE_ENDIAN));
            at += 4L * channels;
          }
        }
        sum.div(area).intoMemorySegment(ALL, out + 4L * c, LITTLE_ENDIAN);
      }
    }
    Scalar.averageGradient(shape, pooled, y, image, split, whole(channels));
  }
}
