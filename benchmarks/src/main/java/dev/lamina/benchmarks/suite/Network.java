package dev.lamina.benchmarks.suite;

import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.models.Architectures;
import dev.lamina.optim.Adam;
import dev.lamina.optim.Momentum;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.InputScaling;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Precision;
import java.util.Collections;

/**
 * A network and the batch that one step takes.
 *
 * @param name by which {@link Architectures} knows it
 * @param batch images of a step
 * @param side of an image, in pixels
 */
record Network(String name, int batch, int side) {
  private static final long SEED = 2024;

  /** With images of the size that the network is made for. */
  static Network of(String name, int batch) {
    return new Network(name, batch, Architectures.isForImageNet(name) ? 224 : name.equals("resnet20") ? 32 : 28);
  }

  int channels() {
    return isDigits() ? 1 : 3;
  }

  int classes() {
    return Architectures.isForImageNet(name) ? 1000 : 10;
  }

  /** The default network of {@code lamina train}, with its optimizer; the others have momentum, as in their papers. */
  private boolean isDigits() {
    return name.equals("small-cnn");
  }

  TensorType images() {
    return TensorType.of(DType.U8, batch, side, side, channels());
  }

  ModelSpec spec(Precision precision) {
    TensorType example = TensorType.of(DType.U8, side, side, channels());
    var scaling =
        new InputScaling(1 / 255.0, Collections.nCopies(channels(), 0.5), Collections.nCopies(channels(), 0.25));
    return ModelSpec.of(Architectures.create(name, classes(), example.shape()), example, new SoftmaxCrossEntropy())
        .preparation(scaling)
        .optimizer(isDigits() ? new Adam() : new Momentum())
        .batch(batch)
        .precision(precision)
        .seed(SEED)
        .build();
  }
}
