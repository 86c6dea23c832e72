package dev.lamina.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder of images that are learned in a moment. */
final class Stripes {
  private static final int CLASSES = 3;
  private static final int SIDE = 6;

  private Stripes() {}

  /** Makes {@code folder}, with 120 images to train and 30 to test. */
  static Path write(Path folder) throws IOException {
    Files.createDirectory(folder);
    write(folder, "train", 120);
    write(folder, "t10k", 30);
    return folder;
  }

  /** Images of 6 × 6 with a bright stripe whose place is the class. */
  static void write(Path data, String part, int count) throws IOException {
    ByteBuffer images = ByteBuffer.allocate(16 + count * SIDE * SIDE);
    ByteBuffer labels = ByteBuffer.allocate(8 + count);
    images.putInt(0x803).putInt(count).putInt(SIDE).putInt(SIDE);
    labels.putInt(0x801).putInt(count);
    for (int i = 0; i < count; i++) {
      labels.put((byte) (i % CLASSES));
      for (int p = 0; p < SIDE * SIDE; p++) {
        int background = (i * 37 + p * 11) % 50;
        images.put((byte) (p / SIDE / 2 == i % CLASSES ? 200 + background : background));
      }
    }
    Files.write(data.resolve(part + "-images-idx3-ubyte"), images.array());
    Files.write(data.resolve(part + "-labels-idx1-ubyte"), labels.array());
  }
}
