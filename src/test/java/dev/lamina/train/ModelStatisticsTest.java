package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.conformance.Conformance;
import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.Normal;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What is seen inside a model is what is there, and looking changes nothing. */
class ModelStatisticsTest {
  private static final int BATCH = 6;
  private static final int INPUTS = 4;
  private static final int HIDDEN = 5;
  private static final double RATE = 0.25;

  @TestFactory
  Stream<DynamicTest> theFiguresAreThoseOfAPlainLoop() {
    return Conformance.devices().stream()
        .map(provider -> DynamicTest.dynamicTest(provider.name(), () -> figures(provider)));
  }

  private static void figures(DeviceProvider provider) {
    Conformance.unavailable(provider)
        .ifPresent(reason -> Conformance.absent(provider.name(), reason, System.getenv("LAMINA_REQUIRE")));
    Layer layers =
        new Sequential(
            new Dense(HIDDEN).init(new Normal(1)), new ReLU(), new Dense(3).init(new Normal(4)), new Sigmoid());
    try (Arena arena = Arena.ofShared();
        Device device = Conformance.open(provider);
        CompiledModel model = CompiledModel.compile(device, spec(layers, true))) {
      model.initialise();
      HostTensor x = HostTensor.allocate(arena, TensorType.f32(BATCH, INPUTS));
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
      SplittableRandom random = new SplittableRandom(3);
      for (int i = 0; i < x.size(); i++) {
        x.set(i, random.nextGaussian());
      }
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
      double[] first = dense(values(x), weights.get("dense1.weight"), weights.get("dense1.bias"), INPUTS);
      double[] rectified = Arrays.stream(first).map(v -> Math.max(0, v)).toArray();
      double[] second = dense(rectified, weights.get("dense2.weight"), weights.get("dense2.bias"), HIDDEN);
      double[] last = Arrays.stream(second).map(v -> 1 / (1 + Math.exp(-v))).toArray();
      assertOutputs(first, statistics.layers().get(0));
      assertOutputs(rectified, statistics.layers().get(1));
      assertOutputs(second, statistics.layers().get(2));
      assertOutputs(last, statistics.layers().get(3));

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
        double[] old = values(weights.get(weight.name()));
        double[] now = values(after.get(weight.name()));
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

  private static ModelSpec spec(Layer layers, boolean observed) {
    return new ModelSpec(
        layers,
        TensorType.f32(INPUTS),
        null,
        new SoftmaxCrossEntropy(),
        new Sgd(),
        null,
        BATCH,
        1,
        BATCH,
        Precision.FP32,
        7,
        null,
        observed,
        null);
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

  private static double[] values(HostTensor tensor) {
    double[] values = new double[(int) tensor.size()];
    Arrays.setAll(values, tensor::get);
    return values;
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
    double low = Arrays.stream(expected).min().orElseThrow();
    double high = Arrays.stream(expected).max().orElseThrow();
    assertEquals(low, layer.histogram().low(), 1e-4 * (1 + Math.abs(low)), layer.path());
    assertEquals(high, layer.histogram().high(), 1e-4 * (1 + Math.abs(high)), layer.path());
    int bins = layer.histogram().counts().size();
    double rounding = 1e-5 * (high - low);
    long counted = 0;
    for (int bin = 0; bin < bins; bin++) {
      counted += layer.histogram().counts().get(bin);
      double end = low + (bin + 1) * (high - low) / bins;
      // A value at an edge may lie on either side.
      long least = Arrays.stream(expected).filter(v -> v < end - rounding).count();
      long most = Arrays.stream(expected).filter(v -> v < end + rounding).count();
      assertTrue(least <= counted && counted <= most, layer.path() + ", bin " + bin + ": " + counted);
    }
    assertEquals(expected.length, counted, layer.path());
    assertTrue(layer.gradientDeviation() > 0, layer.path());
  }

  /** Dropout's stream, running statistics, the optimizer's slots: all that a look could disturb. */
  @Test
  void lookingChangesNothing() {
    Layer layers =
        new Sequential(
            new Conv2d(4, 5).stride(3), new BatchNorm(), new ReLU(), new Flatten(), new Dropout(0.3), new Dense(10));
    try (Arena arena = Arena.ofShared();
        Device device = new ReferenceDevice()) {
      Dataset data = TinyData.bands(arena, 64, 1);
      List<ModelStatistics> seen = new ArrayList<>();
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void observed(ModelStatistics statistics) {
              seen.add(statistics);
            }
          };
      List<byte[]> unseen = trained(device, layers, data, 0, listener);
      assertEquals(List.of(), seen);
      List<byte[]> looked = trained(device, layers, data, 3, listener);
      assertEquals(List.of(1L, 4L, 7L), seen.stream().map(ModelStatistics::step).toList());
      assertEquals(List.of(1, 1, 2), seen.stream().map(ModelStatistics::epoch).toList());
      for (int i = 0; i < unseen.size(); i++) {
        assertArrayEquals(unseen.get(i), looked.get(i));
      }
    }
  }

  private static List<byte[]> trained(Device device, Layer layers, Dataset data, int every, TrainingListener listener) {
    Trainer trainer =
        new Trainer(device, layers).epochs(2).batch(16).validationShare(0).statisticsEvery(every).listener(listener);
    try (Arena arena = Arena.ofConfined();
        TrainedModel trained = trainer.fit(data)) {
      return trained.compiled().state(arena).values().stream()
          .map(tensor -> tensor.segment().toArray(ValueLayout.JAVA_BYTE))
          .toList();
    }
  }

  @Test
  void aNetOfDeadAndSaturatedUnitsIsToldOf() {
    Layer layers =
        new Sequential(
            new Dense(8, new Normal(0.1), new Constant(-100)),
            new ReLU(),
            new Dense(8, new Normal(0.1), new Constant(50)),
            new Sigmoid(),
            new Dense(3));
    List<String> said = new ArrayList<>();
    try (Arena arena = Arena.ofShared();
        Device device = new ReferenceDevice()) {
      Dataset data = TinyData.clouds(arena, 60, 0.1, 1);
      new Trainer(device, layers)
          .epochs(3)
          .batch(10)
          .validationShare(0)
          .statisticsEvery(2)
          .listener(new Diagnosis(said::add))
          .fit(data)
          .close();
    }
    String all = String.join("\n", said);
    assertTrue(
        all.contains("relu1: 100 % of its 8 units were zero for all of the 20 examples looked at in the second half"),
        all);
    assertTrue(all.contains("sigmoid1: 100 % of its inputs lay beyond ±5"), all);
    assertEquals(said.stream().distinct().toList(), said, "each finding is told once");
  }

  @Test
  void aModelThatIsNotObservedSaysSo() {
    try (Device device = new ReferenceDevice();
        CompiledModel model = CompiledModel.compile(device, spec(new Dense(3), false))) {
      assertThrows(IllegalStateException.class, () -> model.takeStatistics(1));
    }
  }
}
