package dev.lamina.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** Small IDX files for tests. */
final class IdxFiles {
  private IdxFiles() {}

  /** A file's bytes: header for elements of type {@code code} and the given data as it is. */
  static byte[] idx(int code, int[] dims, byte... data) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * dims.length + data.length);
    bytes.put((byte) 0).put((byte) 0).put((byte) code).put((byte) dims.length);
    for (int dim : dims) {
      bytes.putInt(dim);
    }
    return bytes.put(data).array();
  }

  static byte[] labels(int... labels) {
    byte[] data = new byte[labels.length];
    for (int i = 0; i < labels.length; i++) {
      data[i] = (byte) labels[i];
    }
    return idx(8, new int[] {labels.length}, data);
  }

  /** Images whose bytes count on from {@code first}. */
  static byte[] images(int first, int... dims) {
    int size = 1;
    for (int dim : dims) {
      size *= dim;
    }
    byte[] data = new byte[size];
    for (int i = 0; i < size; i++) {
      data[i] = (byte) (first + i);
    }
    return idx(8, dims, data);
  }

  static byte[] gzip(byte[] content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** A whole data set of 2 × 3 images, 4 to train on and 2 to test with, of classes 0 to 2. */
  static void writeDataset(Path folder) throws IOException {
    Files.write(folder.resolve("train-images-idx3-ubyte"), images(0, 4, 2, 3));
    Files.write(folder.resolve("train-labels-idx1-ubyte.gz"), gzip(labels(2, 0, 1, 0)));
    Files.write(folder.resolve("t10k-images-idx3-ubyte.gz"), gzip(images(100, 2, 2, 3)));
    Files.write(folder.resolve("t10k-labels-idx1-ubyte"), labels(1, 2));
  }
}
