package dev.lamina.nn;

import dev.lamina.gradients.GradientCheck;
import dev.lamina.nn.Scope.Mode;
import dev.lamina.nn.activation.Maxout;
import dev.lamina.nn.activation.PReLU;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.recurrent.Gru;
import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.nn.recurrent.Rnn;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every layer's gradients, for its input and its parameters, against central differences. */
public class LayerGradientsTest {
  private static final Shape VECTORS = Shape.of(4, 5);
  private static final Shape IMAGES = Shape.of(2, 5, 6, 4);
  private static final Shape SEQUENCES = Shape.of(2, 4, 3);

  /** Eight examples, so that gates of eight units are views. */
  private static final Shape ROWS = Shape.of(8, 3, 2, 1);

  private static Arguments of(Layer layer, Shape input, Mode mode) {
    return Arguments.of(layer, input, mode);
  }

  /** Layers of all kinds, each with the shape of its input and a mode. */
  public static Stream<Arguments> layers() {
    Layer conv = new Conv2d(4, 3).same();
    return Stream.of(
        of(new Dense(3), VECTORS, Mode.TRAINING),
        of(new Dense(3).withoutBias(), VECTORS, Mode.TRAINING),
        of(new Conv2d(3, 3), IMAGES, Mode.TRAINING),
        of(new Conv2d(3, 3).same().stride(2), IMAGES, Mode.TRAINING),
        of(new Conv2d(2, 2).padding(new Border.Zeros(0, 1, 2, 0)).dilation(2), IMAGES, Mode.TRAINING),
        of(new Conv2d(6, 3).groups(2), IMAGES, Mode.TRAINING),
        of(new Conv2d(4, 3).groups(4).same(), IMAGES, Mode.TRAINING),
        of(new MaxPool2d(2), IMAGES, Mode.TRAINING),
        of(new MaxPool2d(3, 2, 1), IMAGES, Mode.TRAINING),
        of(new AvgPool2d(3, 2, 1), IMAGES, Mode.TRAINING),
        of(new GlobalAveragePool(), IMAGES, Mode.TRAINING),
        of(new Flatten(), IMAGES, Mode.TRAINING),
        of(new Reshape(-1, 2), IMAGES, Mode.TRAINING),
        of(new BatchNorm(), VECTORS, Mode.TRAINING),
        of(new BatchNorm(), IMAGES, Mode.TRAINING),
        of(new BatchNorm(), IMAGES, Mode.EVALUATION),
        of(new Dropout(0.4), IMAGES, Mode.TRAINING),
        of(new PReLU(), IMAGES, Mode.TRAINING),
        of(new PReLU(true), IMAGES, Mode.TRAINING),
        of(new Maxout(3, 4), VECTORS, Mode.TRAINING),
        of(new Rnn(3), SEQUENCES, Mode.TRAINING),
        of(new Rnn(4).with(Rnn.Nonlinearity.LINEAR).withoutBias(), SEQUENCES, Mode.TRAINING),
        of(new Lstm(3), SEQUENCES, Mode.TRAINING),
        of(new Lstm(4).sequences().withoutBias(), SEQUENCES, Mode.TRAINING),
        of(new Gru(3), SEQUENCES, Mode.TRAINING),
        of(new Gru(4).sequences().withoutBias(), SEQUENCES, Mode.TRAINING),
        of(new Sequential(new Lstm(8).sequences(), new Gru(8)), ROWS, Mode.TRAINING),
        of(new Sequential(conv, new BatchNorm(), new Tanh(), new Flatten(), new Dense(2)), IMAGES, Mode.TRAINING),
        of(new Sequential(conv, new BatchNorm(), new ReLU(), new MaxPool2d(2), new Tanh()), IMAGES, Mode.TRAINING),
        of(new Residual(new Sequential(conv, new BatchNorm(), new Tanh())), IMAGES, Mode.TRAINING),
        of(new Residual(new Conv2d(3, 3).padding(1).stride(2), new Conv2d(3, 1).stride(2)), IMAGES, Mode.TRAINING),
        of(new Parallel(Parallel.Merge.CONCAT, new Conv2d(2, 1), new Named("wide", conv)), IMAGES, Mode.TRAINING),
        of(new Parallel(Parallel.Merge.SUM, new Conv2d(4, 1), conv, new Tanh()), IMAGES, Mode.TRAINING));
  }

  @ParameterizedTest
  @MethodSource("layers")
  void gradientsAreTheSlopesThatDifferencesShow(Layer layer, Shape input, Mode mode) {
    new GradientCheck()
        .check(
            (graph, in) -> {
              var step = graph.constant(TensorType.of(DType.I32), 3);
              return layer.forward(in.getFirst(), Scope.root(graph, mode, new Parameters(), DType.F64, 9, step));
            },
            input);
  }
}
