package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.net.URL;
import java.net.URLConnection;

/**
 * MNIST, out of the jar: 60,000 handwritten digits to learn from and 10,000 to test with, 28 × 28 grey values, light on
 * dark (LeCun, Cortes and Burges; CC BY-SA 3.0).
 */
public record Mnist() implements DataSource {
  private static final int CLASSES = 10;

  @Override
  public String name() {
    return "mnist";
  }

  @Override
  public Dataset train(Arena arena) {
    return read("train", "MNIST", arena);
  }

  @Override
  public Dataset test(Arena arena) {
    return read("t10k", "MNIST test", arena);
  }

  private static Dataset read(String prefix, String name, Arena arena) {
    HostTensor images = withChannel(resource(prefix + "-images-idx3-ubyte.gz", arena));
    HostTensor labels = Labels.toI32(resource(prefix + "-labels-idx1-ubyte.gz", arena), arena);
    return Dataset.labelled(name, images, labels, Labels.numbered(CLASSES));
  }

  /** Grey images [n, h, w] as [n, h, w, 1], over the same memory. */
  static HostTensor withChannel(HostTensor images) {
    Shape shape = images.shape();
    Shape withChannel = Shape.of(shape.dim(0), shape.dim(1), shape.dim(2), 1);
    return HostTensor.over(images.segment(), new TensorType(withChannel, images.type().dtype()));
  }

  private static HostTensor resource(String file, Arena arena) {
    URL place = Mnist.class.getResource("mnist/" + file);
    if (place == null) {
      throw new BadInputException("MNIST's " + file + " is missing in this jar; build it again");
    }
    try {
      URLConnection connection = place.openConnection();
      try (InputStream in = connection.getInputStream()) {
        return Idx.read(file, in, connection.getContentLengthLong(), arena);
      }
    } catch (IOException e) {
      throw new BadInputException(
          "MNIST's " + file + " cannot be read from this jar (" + e.getMessage() + "); build it again", e);
    }
  }
}
