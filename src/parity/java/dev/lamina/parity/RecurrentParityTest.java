package dev.lamina.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.recurrent.RNN;
import ai.djl.training.GradientCollector;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Named;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.nn.recurrent.Gru;
import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.nn.recurrent.Rnn;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Precision;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Recurrent layers, two on top of each other, beside PyTorch's: loss and the gradients of all weights, in double. */
@Tag("parity")
class RecurrentParityTest {
  private static final int BATCH = 5;
  private static final int TIME = 7;
  private static final int FEATURES = 4;
  private static final int UNITS = 6;
  private static final int CLASSES = 3;

  /** Sums of a hundred products in double, fourteen steps one behind the other. */
  private static final double TOLERANCE = 1e-11;

  /** PyTorch's layer over [n, time, features] with weights {@code w} of ours: all its steps. */
  @FunctionalInterface
  private interface Theirs {
    NDArray steps(NDArray x, Map<String, NDArray> w, String layer, NDManager manager);
  }

  /** A layer that returns all its steps, and its namesake there. */
  private record Pair(String name, Layer lower, Layer upper, Theirs theirs) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Pair> layers() {
    var bias = new Normal(0.5);
    return Stream.of(
        new Pair("lstm", lstm(bias, true), lstm(bias, false), RecurrentParityTest::theirLstm),
        new Pair("gru", gru(bias, true), gru(bias, false), RecurrentParityTest::theirGru),
        new Pair(
            "rnn with tanh",
            rnn(Rnn.Nonlinearity.TANH, bias, true),
            rnn(Rnn.Nonlinearity.TANH, bias, false),
            (x, w, layer, manager) -> theirRnn(x, w, layer, manager, RNN.Activation.TANH)),
        new Pair(
            "rnn with relu",
            rnn(Rnn.Nonlinearity.RELU, bias, true),
            rnn(Rnn.Nonlinearity.RELU, bias, false),
            (x, w, layer, manager) -> theirRnn(x, w, layer, manager, RNN.Activation.RELU)));
  }

  private static Layer lstm(Normal bias, boolean sequences) {
    return new Lstm(UNITS, sequences, 0, new Xavier(), new Orthogonal(), bias, 1);
  }

  private static Layer gru(Normal bias, boolean sequences) {
    return new Gru(UNITS, sequences, 0, new Xavier(), new Orthogonal(), bias);
  }

  private static Layer rnn(Rnn.Nonlinearity nonlinearity, Normal bias, boolean sequences) {
    return new Rnn(UNITS, nonlinearity, sequences, 0, new Xavier(), new Orthogonal(), bias);
  }

  private static NDArray theirLstm(NDArray x, Map<String, NDArray> w, String layer, NDManager manager) {
    NDList states = new NDList(zeros(manager, 1, BATCH, UNITS), zeros(manager, 1, BATCH, UNITS));
    NDList weights = weights(w, layer, zeros(manager, 4 * UNITS));
    return x.getNDArrayInternal().lstm(x, states, weights, true, 1, 0, true, false, true).getFirst();
  }

  private static NDArray theirGru(NDArray x, Map<String, NDArray> w, String layer, NDManager manager) {
    NDArray candidate = w.get(layer + ".candidate_bias").reshape(UNITS);
    NDList weights = weights(w, layer, zeros(manager, 2 * UNITS).concat(candidate));
    NDArray state = zeros(manager, 1, BATCH, UNITS);
    return x.getNDArrayInternal().gru(x, state, weights, true, 1, 0, true, false, true).getFirst();
  }

  private static NDArray theirRnn(
      NDArray x, Map<String, NDArray> w, String layer, NDManager manager, RNN.Activation activation) {
    NDList weights = weights(w, layer, zeros(manager, UNITS));
    NDArray state = zeros(manager, 1, BATCH, UNITS);
    return x.getNDArrayInternal().rnn(x, state, weights, true, 1, activation, 0, true, false, true).getFirst();
  }

  /** In PyTorch's order; its second bias is zeros where ours is the sum of both. */
  private static NDList weights(Map<String, NDArray> w, String layer, NDArray second) {
    return new NDList(w.get(layer + ".weight"), w.get(layer + ".recurrent"), w.get(layer + ".bias"), second);
  }

  private static NDArray zeros(NDManager manager, long... shape) {
    return manager.zeros(new Shape(shape), DataType.FLOAT64);
  }

  @ParameterizedTest
  @MethodSource("layers")
  void lossAndGradientsArePyTorchs(Pair pair) {
    Layer network = new Sequential(new Named("lower", pair.lower), new Named("upper", pair.upper), new Dense(CLASSES));
    ModelSpec spec =
        ModelSpec.of(network, TensorType.f32(TIME, FEATURES), new SoftmaxCrossEntropy())
            .optimizer(new Sgd())
            .batch(BATCH)
            .precision(Precision.FP64)
            .seed(5)
            .build();
    try (Device device = new ReferenceProvider().open(DeviceOptions.DEFAULT);
        Arena arena = Arena.ofConfined();
        CompiledModel model = CompiledModel.compile(device, spec);
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      model.initialise();
      HostTensor x = HostTensor.allocate(arena, TensorType.f32(BATCH, TIME, FEATURES));
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
      SplittableRandom random = new SplittableRandom(17);
      for (long i = 0; i < x.size(); i++) {
        x.set(i, random.nextGaussian());
      }
      for (long i = 0; i < labels.size(); i++) {
        labels.set(i, random.nextInt(CLASSES));
      }
      SequencedMap<String, HostTensor> before = model.weights(arena);
      Map<String, NDArray> theirs = new LinkedHashMap<>();
      before.forEach((name, value) -> {
        NDArray array = array(manager, value);
        array.setRequiresGradient(true);
        theirs.put(name, array);
      });
      double loss = backward(pair, theirs, array(manager, x), labels, manager);
      model.update(x, labels, 1);
      assertEquals(loss, model.takeTrainingFigures().loss(), TOLERANCE);
      SequencedMap<String, HostTensor> after = model.weights(arena);
      // With rate 1 plain descent takes the gradient itself away.
      theirs.forEach((name, array) -> {
        double[] gradient = array.getGradient().toDoubleArray();
        double largest = 0;
        for (int i = 0; i < gradient.length; i++) {
          double ours = before.get(name).get(i) - after.get(name).get(i);
          assertEquals(gradient[i], ours, TOLERANCE, name + " element " + i);
          largest = Math.max(largest, Math.abs(ours));
        }
        assertTrue(largest > 1e-4, name + " has a gradient");
      });
    }
  }

  private static double backward(
      Pair pair, Map<String, NDArray> weights, NDArray x, HostTensor labels, NDManager manager) {
    try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
      NDArray lower = pair.theirs.steps(x, weights, "lower", manager);
      NDArray upper = pair.theirs.steps(lower, weights, "upper", manager);
      NDArray last = upper.get(":, -1");
      NDArray logits = last.matMul(weights.get("dense1.weight").transpose()).add(weights.get("dense1.bias"));
      long[] classes = LongStream.range(0, labels.size()).map(i -> (long) labels.get(i)).toArray();
      NDArray index = manager.create(classes, new Shape(classes.length, 1));
      NDArray loss = logits.logSoftmax(1).gather(index, 1).neg().mean();
      collector.backward(loss);
      return loss.getDouble();
    }
  }

  private static NDArray array(NDManager manager, HostTensor value) {
    Shape shape = new Shape(IntStream.of(value.shape().dims()).asLongStream().toArray());
    return manager.create(LongStream.range(0, value.size()).mapToDouble(value::get).toArray(), shape);
  }
}
