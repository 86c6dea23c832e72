package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.cpu.CpuProvider;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.nn.recurrent.Gru;
import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.nn.recurrent.Rnn;
import dev.lamina.nn.recurrent.Rnn.Nonlinearity;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GradientsThroughTimeTest {
  private static final int BATCH = 4;
  private static final int TIME = 12;

  private static SequencedMap<String, double[]> norms(Layer model, Device device, Precision precision) {
    try (device;
        Arena arena = Arena.ofConfined();
        CompiledModel compiled = CompiledModel.compile(device, spec(model, precision))) {
      compiled.initialise();
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
      try (GradientsThroughTime probe = new GradientsThroughTime(compiled)) {
        return probe.norms(inputs(arena), labels);
      }
    }
  }

  private static ModelSpec spec(Layer model, Precision precision) {
    return ModelSpec.of(model, TensorType.f32(TIME, 3), new SoftmaxCrossEntropy())
        .optimizer(new Sgd())
        .batch(BATCH)
        .precision(precision)
        .seed(3)
        .build();
  }

  private static HostTensor inputs(Arena arena) {
    SplittableRandom random = new SplittableRandom(8);
    HostTensor x = HostTensor.allocate(arena, TensorType.f32(BATCH, TIME, 3));
    for (long i = 0; i < x.size(); i++) {
      x.set(i, random.nextGaussian());
    }
    return x;
  }

  private static SequencedMap<String, double[]> exact(Layer model) {
    return norms(model, new ReferenceProvider().open(new DeviceOptions(1)), Precision.FP64);
  }

  private static Rnn linear(double scale) {
    return new Rnn(5).with(Nonlinearity.LINEAR).init(new Xavier(), new Orthogonal(scale));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1, 1.5})
  void throughAScaledRotationTheNormIsMultipliedByTheScaleInEachStep(double scale) {
    double[] norms = exact(new Sequential(linear(scale), new Dense(3))).get("rnn1");
    assertEquals(TIME, norms.length);
    for (int t = 0; t < TIME; t++) {
      double expected = norms[TIME - 1] * Math.pow(scale, TIME - 1 - t);
      // The matrix is orthogonal to a few roundings of double, in each of the steps.
      assertEquals(expected, norms[t], TIME * 1e-14 * expected, "step " + t);
    }
    assertTrue(norms[TIME - 1] > 1e-3);
  }

  @Test
  void whatVanishesIsStillSeenInFloat() {
    Layer model = new Sequential(linear(1e-3), new Dense(3));
    double[] norms = norms(model, new CpuProvider().open(new DeviceOptions(1)), Precision.FP32).get("rnn1");
    // 1e-33 of the last: its square is no float any more.
    assertEquals(1, norms[1] / norms[TIME - 1] / 1e-30, 1e-4);
    assertTrue(norms[0] > 0);
  }

  @Test
  void eachRecurrentLayerIsSeenUnderItsPathOnTheCpuAsOnTheReference() {
    Layer model = new Sequential(new Lstm(8).sequences(), new Gru(8).sequences(), new Rnn(4), new Dense(3));
    SequencedMap<String, double[]> exact = exact(model);
    assertEquals("[lstm1, gru1, rnn1]", exact.keySet().toString());
    norms(model, new CpuProvider().open(new DeviceOptions(1)), Precision.FP32)
        .forEach((layer, values) -> {
          for (int t = 0; t < TIME; t++) {
            double wanted = exact.get(layer)[t];
            assertEquals(wanted, values[t], 1e-4 * wanted, layer + " at step " + t);
          }
        });
  }

  @Test
  void theLastStepHasAsManyStepsBehindItAsTheGradientGoesBack() {
    double[] norms = exact(new Sequential(linear(1).truncated(5), new Dense(3))).get("rnn1");
    for (int t = 0; t < TIME; t++) {
      assertEquals(t < 7, norms[t] == 0, "step " + t + ": " + norms[t]);
    }
  }

  @Test
  void ofSequencesTheGradientIsCutAtMultiplesFromTheBegin() {
    Layer lastOf = new Sequential(linear(1).truncated(5).sequences(), new Rnn(5).truncated(1), new Dense(3));
    double[] norms = exact(lastOf).get("rnn1");
    for (int t = 0; t < TIME; t++) {
      assertEquals(t < 10, norms[t] == 0, "step " + t + ": " + norms[t]);
    }
  }

  /** At a rate of 1 plain descent moves the weights by their gradient. */
  @Test
  void theGradientOfAllWeightsIsAsLongAsTheStepThatFollows() {
    Layer model = new Sequential(linear(1), new Dense(3));
    try (Device device = new CpuProvider().open(new DeviceOptions(1));
        Arena arena = Arena.ofConfined();
        CompiledModel compiled = CompiledModel.compile(device, spec(model, Precision.FP32))) {
      compiled.initialise();
      HostTensor x = inputs(arena);
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
      Map<String, HostTensor> before = compiled.weights(arena);
      double length;
      try (GradientsThroughTime probe = new GradientsThroughTime(compiled)) {
        probe.norms(x, labels);
        length = probe.ofWeights();
      }
      compiled.update(x, labels, 1);
      double squares = 0;
      for (var weight : compiled.weights(arena).entrySet()) {
        for (long i = 0; i < weight.getValue().size(); i++) {
          squares += Math.pow(weight.getValue().get(i) - before.get(weight.getKey()).get(i), 2);
        }
      }
      assertTrue(length > 0.1);
      assertEquals(Math.sqrt(squares), length, 1e-5 * length);
    }
  }

  @Test
  void aModelWithoutTimeIsRefused() {
    Layer model = new Sequential(new Flatten(), new Dense(3).init(new Constant(1)));
    String message = assertThrows(IllegalArgumentException.class, () -> exact(model)).getMessage();
    assertEquals("the model has no recurrent layer, so no gradient goes through time", message);
  }
}
