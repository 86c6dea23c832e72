package dev.lamina.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Images that are learned in a moment, as IDX files: noise with a bright stripe of two rows, whose place is the class.
 *
 * @param classes how many places there are
 * @param side of the images, at least twice as many pixels
 */
public record Stripes(int classes, int side) {
  /** Images of 6 × 6 of three classes. */
  public static final Stripes THREE = new Stripes(3, 6);

  /** Images of 8 × 8 of four classes. */
  public static final Stripes FOUR = new Stripes(4, 8);

  /** Makes {@code folder}, with images to train and to test. */
  public Path write(Path folder, int training, int test) throws IOException {
    Files.createDirectories(folder);
    write(folder, "train", training);
    write(folder, "t10k", test);
    return folder;
  }

  /** Writes {@code part}, {@code train} or {@code t10k}, over the one that is there. */
  public void write(Path folder, String part, int count) throws IOException {
    ByteBuffer images = ByteBuffer.allocate(16 + count * side * side);
    ByteBuffer labels = ByteBuffer.allocate(8 + count);
    images.putInt(0x803).putInt(count).putInt(side).putInt(side);
    labels.putInt(0x801).putInt(count);
    for (int i = 0; i < count; i++) {
      labels.put((byte) (i % classes));
      for (int p = 0; p < side * side; p++) {
        int background = (i * 37 + p * 11 + i * p) % 50;
        images.put((byte) (p / side / 2 == i % classes ? 200 + background : background));
      }
    }
    Files.write(folder.resolve(part + "-images-idx3-ubyte"), images.array());
    Files.write(folder.resolve(part + "-labels-idx1-ubyte"), labels.array());
  }
}
