package dev.lamina.benchmarks.compare;

import dev.lamina.tensor.HostTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Results on their way from one process to another. */
final class Floats {
  private Floats() {}

  /** The values of all tensors, one after the other. */
  static float[] of(List<HostTensor> tensors) {
    float[] values = new float[Math.toIntExact(tensors.stream().mapToLong(HostTensor::size).sum())];
    int at = 0;
    for (HostTensor tensor : tensors) {
      for (long i = 0; i < tensor.size(); i++) {
        values[at++] = (float) tensor.get(i);
      }
    }
    return values;
  }

  static void write(Path file, float[] values) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      channel
          .map(FileChannel.MapMode.READ_WRITE, 0, 4L * values.length)
          .order(ByteOrder.nativeOrder())
          .asFloatBuffer()
          .put(values);
    }
  }

  static float[] read(Path file) throws IOException {
    FloatBuffer buffer = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder()).asFloatBuffer();
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  /**
   * The root mean square of the differences, as a share of that of {@code b}; NaN is never near anything, nor is
   * nothing.
   */
  static double distance(float[] a, float[] b) {
    if (a.length != b.length || a.length == 0) {
      return Double.POSITIVE_INFINITY;
    }
    double difference = 0;
    double size = 0;
    for (int i = 0; i < a.length; i++) {
      difference += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
      size += (double) b[i] * b[i];
    }
    return difference == 0 ? 0 : Math.sqrt(difference / size);
  }
}
