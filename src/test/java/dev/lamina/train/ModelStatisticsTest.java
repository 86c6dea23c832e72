package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.conformance.Conformance;
import dev.lamina.device.Device;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.Identity;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.recurrent.Gru;
import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.nn.recurrent.Rnn;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What is seen inside a model is what is there, and looking changes nothing. */
class ModelStatisticsTest {
  private static final int BATCH = 6;
  private static final int INPUTS = 4;
  private static final int HIDDEN = 5;
  private static final int TIME = 4;
  private static final double RATE = 0.25;

  @TestFactory
  Stream<DynamicTest> theFiguresAreThoseOfAPlainLoop() {
    return onEachDevice(ModelStatisticsTest::figures);
  }

  private static Stream<DynamicTest> onEachDevice(Consumer<Device> test) {
    return Conformance.onEachDevice(provider -> {
      try (Device device = Conformance.open(provider)) {
        test.accept(device);
      }
    });
  }

  private static void figures(Device device) {
    Layer layers =
        new Sequential(
            new Dense(HIDDEN).init(new Normal(1)), new ReLU(), new Dense(3).init(new Normal(4)), new Sigmoid());
    try (Arena arena = Arena.ofShared();
        CompiledModel model = CompiledModel.compile(device, spec(layers, true))) {
      model.initialise();
      HostTensor x = noise(arena, TensorType.f32(BATCH, INPUTS));
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
      for (int i = 0; i < BATCH; i++) {
        labels.set(i, i % 3);
      }
      var weights = model.weights(arena);
      model.observe(x, labels);
      model.update(x, labels, RATE);
      ModelStatistics statistics = model.takeStatistics(1);

      assertEquals(1, statistics.step());
      assertEquals(BATCH, statistics.examples());
      assertEquals(
          List.of("dense1", "relu1", "dense2", "sigmoid1"),
          statistics.layers().stream().map(LayerStatistics::path).toList());
      double[] first = dense(x.toDoubles(), weights.get("dense1.weight"), weights.get("dense1.bias"), INPUTS);
      double[] rectified = Arrays.stream(first).map(v -> Math.max(0, v)).toArray();
      double[] second = dense(rectified, weights.get("dense2.weight"), weights.get("dense2.bias"), HIDDEN);
      double[] last = Arrays.stream(second).map(v -> 1 / (1 + Math.exp(-v))).toArray();
      assertOutputs(first, statistics.layers().get(0));
      assertOutputs(rectified, statistics.layers().get(1));
      assertOutputs(second, statistics.layers().get(2));
      assertOutputs(last, statistics.layers().get(3));

      // Of softmax cross-entropy with respect to its input, and from there to that of the sigmoid.
      double[] lastGradient = lossGradient(last);
      double[] beforeSigmoid = new double[last.length];
      Arrays.setAll(beforeSigmoid, i -> lastGradient[i] * last[i] * (1 - last[i]));
      assertGradients(lastGradient, statistics.layers().get(3));
      assertGradients(beforeSigmoid, statistics.layers().get(2));

      LayerStatistics relu = statistics.layers().get(1);
      assertEquals(share(rectified, v -> v == 0), relu.zeros(), 1e-6);
      for (int unit = 0; unit < HIDDEN; unit++) {
        double peak = 0;
        for (int i = 0; i < BATCH; i++) {
          peak = Math.max(peak, rectified[i * HIDDEN + unit]);
        }
        assertEquals(peak, relu.unitPeaks().get(unit), 1e-4 * (1 + peak));
      }
      double saturated = share(second, v -> Math.abs(v) > 5);
      assertTrue(saturated > 0 && saturated < 1, "the test needs both kinds, got " + saturated);
      assertEquals(saturated, statistics.layers().get(3).saturated(), 1e-6);
      assertTrue(Double.isNaN(relu.saturated()) && Double.isNaN(statistics.layers().get(0).zeros()));

      // SGD without decay: what an update subtracts is the rate times the gradient.
      var after = model.weights(arena);
      for (WeightStatistics weight : statistics.weights()) {
        double[] old = weights.get(weight.name()).toDoubles();
        double[] now = after.get(weight.name()).toDoubles();
        double[] difference = new double[old.length];
        Arrays.setAll(difference, i -> now[i] - old[i]);
        assertEquals(norm(old), weight.norm(), 1e-4 * (1 + norm(old)), weight.name());
        assertEquals(norm(difference), weight.updateNorm(), 1e-4 * (1e-3 + norm(difference)), weight.name());
        assertTrue(weight.updateNorm() > 0, weight.name());
        assertEquals(RATE * weight.gradientNorm(), weight.updateNorm(), 1e-3 * weight.updateNorm(), weight.name());
      }
      assertEquals(4, statistics.weights().size());
    }
  }

  @TestFactory
  Stream<DynamicTest> ofLargeLayersTheFirstExamplesAreLookedAt() {
    return onEachDevice(ModelStatisticsTest::large);
  }

  private static void large(Device device) {
    int units = 35_000; // of which three examples have less than 2¹⁷ values, and four more
    Layer layers = new Sequential(new Dense(units).init(new Normal(1)), new ReLU(), new Dense(3));
    try (Arena arena = Arena.ofShared();
        CompiledModel model = CompiledModel.compile(device, spec(layers, true))) {
      model.initialise();
      HostTensor x = noise(arena, TensorType.f32(BATCH, INPUTS));
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH)).fill(1);
      var weights = model.weights(arena);
      model.observe(x, labels);
      model.update(x, labels, RATE);
      LayerStatistics relu = model.takeStatistics(1).layers().get(1);

      double[] all =
          Arrays.stream(dense(x.toDoubles(), weights.get("dense1.weight"), weights.get("dense1.bias"), INPUTS))
              .map(v -> Math.max(0, v))
              .toArray();
      assertOutputs(Arrays.copyOf(all, 3 * units), relu);
      assertEquals(3 * units, relu.gradientHistogram().counts().stream().mapToLong(Long::longValue).sum());
      for (int unit = 0; unit < 100; unit++) {
        double peak = 0;
        for (int i = 0; i < BATCH; i++) {
          peak = Math.max(peak, all[i * units + unit]);
        }
        assertEquals(peak, relu.unitPeaks().get(unit), 1e-4 * (1 + peak), "of the whole batch");
      }
    }
  }

  private static ModelSpec spec(Layer layers, boolean observed) {
    return ModelSpec.of(layers, TensorType.f32(INPUTS), new SoftmaxCrossEntropy())
        .optimizer(new Sgd())
        .batch(BATCH)
        .precision(Precision.FP32)
        .seed(7)
        .observed(observed)
        .build();
  }

  private static double[] dense(double[] x, HostTensor weight, HostTensor bias, int inputs) {
    int units = (int) bias.size();
    double[] y = new double[x.length / inputs * units];
    for (int i = 0; i < y.length; i++) {
      y[i] = bias.get(i % units);
      for (int k = 0; k < inputs; k++) {
        y[i] += x[i / units * inputs + k] * weight.get((long) (i % units) * inputs + k);
      }
    }
    return y;
  }

  /** Of the mean over the batch, for labels 0, 1, 2, 0, … */
  private static double[] lossGradient(double[] outputs) {
    double[] gradient = new double[outputs.length];
    for (int i = 0; i < BATCH; i++) {
      double sum = 0;
      for (int k = 0; k < 3; k++) {
        sum += Math.exp(outputs[3 * i + k]);
      }
      for (int k = 0; k < 3; k++) {
        gradient[3 * i + k] = (Math.exp(outputs[3 * i + k]) / sum - (i % 3 == k ? 1 : 0)) / BATCH;
      }
    }
    return gradient;
  }

  private static void assertGradients(double[] expected, LayerStatistics layer) {
    double mean = Arrays.stream(expected).average().orElseThrow();
    double deviation = Math.sqrt(Arrays.stream(expected).map(v -> (v - mean) * (v - mean)).average().orElseThrow());
    assertEquals(mean, layer.gradientMean(), 1e-4 * deviation, layer.path());
    assertEquals(deviation, layer.gradientDeviation(), 1e-4 * deviation, layer.path());
    assertHistogram(expected, layer.gradientHistogram(), layer.path() + "'s gradient");
  }

  private static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(v -> v * v).sum());
  }

  private static double share(double[] values, java.util.function.DoublePredicate condition) {
    return Arrays.stream(values).filter(condition).count() / (double) values.length;
  }

  private static void assertOutputs(double[] expected, LayerStatistics layer) {
    double mean = Arrays.stream(expected).average().orElseThrow();
    double deviation = Math.sqrt(Arrays.stream(expected).map(v -> (v - mean) * (v - mean)).average().orElseThrow());
    assertEquals(mean, layer.mean(), 1e-4 * (1 + Math.abs(mean)), layer.path());
    assertEquals(deviation, layer.deviation(), 1e-4 * (1 + deviation), layer.path());
    assertHistogram(expected, layer.histogram(), layer.path());
    assertTrue(layer.gradientDeviation() > 0, layer.path());
  }

  private static void assertHistogram(double[] expected, LayerStatistics.Histogram histogram, String path) {
    double low = Arrays.stream(expected).min().orElseThrow();
    double high = Arrays.stream(expected).max().orElseThrow();
    assertEquals(low, histogram.low(), 1e-4 * Math.max(Math.abs(low), Math.abs(high)), path);
    assertEquals(high, histogram.high(), 1e-4 * Math.max(Math.abs(low), Math.abs(high)), path);
    int bins = histogram.counts().size();
    double rounding = 1e-5 * (high - low);
    long counted = 0;
    for (int bin = 0; bin < bins; bin++) {
      counted += histogram.counts().get(bin);
      double end = low + (bin + 1) * (high - low) / bins;
      // A value at an edge may lie on either side.
      long least = Arrays.stream(expected).filter(v -> v < end - rounding).count();
      long most = Arrays.stream(expected).filter(v -> v < end + rounding).count();
      assertTrue(least <= counted && counted <= most, path + ", bin " + bin + ": " + counted);
    }
    assertEquals(expected.length, counted, path);
  }

  /** A look at the only recurrent layer of a model, on noise. */
  private static LayerStatistics recurrent(Device device, Layer layer) {
    ModelSpec spec =
        ModelSpec.of(
                new Sequential(layer, new Flatten(), new Dense(3)), TensorType.f32(TIME, 2), new SoftmaxCrossEntropy())
            .optimizer(new Sgd())
            .batch(BATCH)
            .precision(Precision.FP32)
            .seed(7)
            .observed(true)
            .build();
    try (Arena arena = Arena.ofShared();
        CompiledModel model = CompiledModel.compile(device, spec)) {
      model.initialise();
      HostTensor x = noise(arena, TensorType.f32(BATCH, TIME, 2));
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
      model.observe(x, labels);
      model.update(x, labels, RATE);
      LayerStatistics seen = model.takeStatistics(1).layers().getFirst();
      if (!seen.unitPeaks().isEmpty()) {
        try (UnitSurvey survey = new UnitSurvey(model, Set.of(seen.path()))) {
          survey.see(x);
          survey.see(x);
          int dead = (int) Math.round(seen.deadUnits() * seen.unitPeaks().size());
          assertEquals(List.of(new DeadUnits(seen.path(), seen.unitPeaks().size(), dead, 2 * BATCH)), survey.dead());
        }
      }
      return seen;
    }
  }

  private static HostTensor noise(Arena arena, TensorType type) {
    HostTensor x = HostTensor.allocate(arena, type);
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < x.size(); i++) {
      x.set(i, random.nextGaussian());
    }
    return x;
  }

  /** With weights of 0 every gate is given its bias, 6; the memory grows by less than 1 a step. */
  @TestFactory
  Stream<DynamicTest> saturatedGatesAreCounted() {
    Initializer none = new Constant(0);
    Initializer six = new Constant(6);
    return onEachDevice(device -> {
      Lstm lstm = new Lstm(4, false, 0, none, none, six, 6);
      // The first step has no forget gate; in each there is a tanh of the memory too, which is not saturated.
      assertEquals(15.0 / 19, recurrent(device, lstm).saturated(), 1e-6);
      assertEquals(1, recurrent(device, new Gru(4, false, 0, none, none, six)).saturated(), 1e-6);
      assertEquals(0, recurrent(device, new Gru(4, false, 0, none, none, none)).saturated());
      Rnn tanh = new Rnn(4, Rnn.Nonlinearity.TANH, true, 0, none, none, six);
      assertEquals(1, recurrent(device, tanh).saturated(), 1e-6);
    });
  }

  /** Half of the units are 0 in every step, the others 1, 0, 1, and 0 in the last. */
  @TestFactory
  Stream<DynamicTest> aRecurrentUnitThatLivedInOneStepIsNotDead() {
    Initializer halves =
        (bias, _) -> {
          for (int i = 0; i < 4; i++) {
            bias.set(i, i < 2 ? -1 : 1);
          }
        };
    Initializer switches =
        (matrix, _) -> {
          for (int i = 0; i < 4; i++) {
            matrix.set(5 * i, -5);
          }
        };
    return onEachDevice(device -> {
      for (boolean sequences : new boolean[] {true, false}) {
        Rnn relu = new Rnn(4, Rnn.Nonlinearity.RELU, sequences, 0, new Constant(0), switches, halves);
        LayerStatistics seen = recurrent(device, relu);
        assertEquals(List.of(0.0, 0.0, 1.0, 1.0), seen.unitPeaks());
        assertEquals(0.5, seen.deadUnits());
      }
    });
  }

  /** Of 1e-26, whose square no float has. */
  @TestFactory
  Stream<DynamicTest> gradientsThatHaveAllButVanishedAreMeasured() {
    double tiny = 1e-26;
    Layer layers =
        new Sequential(
            new Dense(HIDDEN).init(new Normal(1)), new Identity(), new Dense(3, new Constant(tiny), new Constant(0)));
    return onEachDevice(device -> {
      try (Arena arena = Arena.ofShared();
          CompiledModel model = CompiledModel.compile(device, spec(layers, true))) {
        model.initialise();
        HostTensor x = noise(arena, TensorType.f32(BATCH, INPUTS));
        HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
        var weights = model.weights(arena);
        weights.get("dense2.weight").set(0, 2 * tiny);
        model.load(weights);
        model.observe(x, labels);
        model.update(x, labels, RATE);
        ModelStatistics seen = model.takeStatistics(1);
        // All outputs are 0 but for rounding, so the loss's gradient is (−2, 1, 1) / 3 of a batch's share, for each
        // example; through the second layer's weights all of it but that of the one weight that differs is lost.
        double each = -2.0 / 3 / BATCH * tiny;
        double deviation = Math.abs(each) * Math.sqrt((HIDDEN - 1.0) / HIDDEN / HIDDEN);
        assertEquals(deviation, seen.layers().getFirst().gradientDeviation(), 1e-3 * deviation);
        double squares = 0;
        for (int k = 0; k < INPUTS; k++) {
          double sum = 0;
          for (int i = 0; i < BATCH; i++) {
            sum += each * x.get((long) i * INPUTS + k);
          }
          squares += sum * sum;
        }
        assertEquals("dense1.weight", seen.weights().getFirst().name());
        assertEquals(Math.sqrt(squares), seen.weights().getFirst().gradientNorm(), 1e-3 * Math.sqrt(squares));
      }
    });
  }

  @Test
  void aModelThatIsNotObservedSaysSo() {
    try (Device device = new ReferenceDevice();
        CompiledModel model = CompiledModel.compile(device, spec(new Dense(3), false))) {
      assertThrows(IllegalStateException.class, () -> model.takeStatistics(1));
    }
  }
}
