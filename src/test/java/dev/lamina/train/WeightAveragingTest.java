package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.MemoryLimit;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Adam;
import dev.lamina.optim.Momentum;
import dev.lamina.optim.WeightAveraging;
import dev.lamina.optim.schedule.Cosine;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.recipe.RecipeText;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Averages of weights, against the same means on the host. */
class WeightAveragingTest {
  private static final int BATCH = 16;
  private static final double DECAY = 0.8;

  private final Arena arena = Arena.ofShared();

  @AfterEach
  void close() {
    arena.close();
  }

  private static Device open(String name) {
    return new Devices().open(name, new DeviceOptions(2));
  }

  /** The norm is in front: what its batches have does not depend on weights. */
  private static Layer layers() {
    return new Sequential(new BatchNorm(), new Dense(12), new ReLU(), new Dropout(0.2), new Dense(3));
  }

  private static ModelSpec spec(WeightAveraging averaging) {
    return ModelSpec.of(layers(), TensorType.f32(6), new SoftmaxCrossEntropy())
        .optimizer(new Momentum())
        .batch(BATCH)
        .precision(Precision.FP32)
        .seed(3)
        .averaging(averaging)
        .build();
  }

  private HostTensor inputs(Dataset data, int batch) {
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(BATCH, 6));
    for (int i = 0; i < BATCH; i++) {
      for (int j = 0; j < 6; j++) {
        inputs.set(i * 6L + j, data.input(batch * BATCH + i).get(j));
      }
    }
    return inputs;
  }

  private HostTensor labels(Dataset data, int batch) {
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, BATCH));
    for (int i = 0; i < BATCH; i++) {
      labels.set(i, data.label(batch * BATCH + i));
    }
    return labels;
  }

  /** What the model consists of, without its averages and what belongs to training. */
  private Map<String, double[]> own(CompiledModel model) {
    Map<String, double[]> own = new LinkedHashMap<>();
    Map<String, HostTensor> state = model.state(arena);
    model.parameters().all().forEach(d -> own.put(d.variable().name(), state.get(d.variable().name()).toDoubles()));
    return own;
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "reference"})
  void anExponentialAverageIsTheWeightedMeanOfAllWeightsSoFar(String name) {
    Dataset data = TinyData.clouds(arena, 6 * BATCH, 0.5, 1);
    try (Device device = open(name);
        CompiledModel plain = CompiledModel.compile(device, spec(null));
        CompiledModel model = CompiledModel.compile(device, spec(new WeightAveraging.Ema(DECAY)))) {
      plain.initialise();
      model.initialise();
      Map<String, double[]> sums = new LinkedHashMap<>();
      double weights = 0;
      for (int step = 0; step < 6; step++) {
        plain.update(inputs(data, step), labels(data, step), 0.1);
        model.update(inputs(data, step), labels(data, step), 0.1);
        weights = DECAY * weights + 1 - DECAY;
        for (Map.Entry<String, double[]> entry : own(model).entrySet()) {
          double[] sum = sums.computeIfAbsent(entry.getKey(), key -> new double[entry.getValue().length]);
          for (int i = 0; i < sum.length; i++) {
            sum[i] = DECAY * sum[i] + (1 - DECAY) * entry.getValue()[i];
          }
        }
        Map<String, HostTensor> averaged = model.weights(arena);
        for (Map.Entry<String, double[]> entry : sums.entrySet()) {
          double corrected = weights;
          double[] expected = Arrays.stream(entry.getValue()).map(v -> v / corrected).toArray();
          // Six steps of a few roundings each, of values below 4.
          assertArrayEquals(expected, averaged.get(entry.getKey()).toDoubles(), 1e-5, entry.getKey());
        }
      }
      own(plain).forEach((key, value) -> assertArrayEquals(value, own(model).get(key), key + " is learned as without"));
      assertFalse(plain.state(arena).keySet().stream().anyMatch(key -> key.startsWith("average.")));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "reference"})
  void averagesAreWhatPredicts(String name) {
    Dataset data = TinyData.clouds(arena, 3 * BATCH, 0.5, 1);
    try (Device device = open(name);
        CompiledModel plain = CompiledModel.compile(device, spec(null));
        CompiledModel model = CompiledModel.compile(device, spec(new WeightAveraging.Ema(DECAY)))) {
      model.initialise();
      for (int step = 0; step < 3; step++) {
        model.update(inputs(data, step), labels(data, step), 0.1);
      }
      HostTensor expected = HostTensor.allocate(arena, plain.predictionType());
      HostTensor predicted = HostTensor.allocate(arena, model.predictionType());
      plain.load(model.weights(arena));
      plain.predict(inputs(data, 0), expected);
      model.predict(inputs(data, 0), predicted);
      assertArrayEquals(expected.toDoubles(), predicted.toDoubles());
      // A saved model that is loaded again is judged by what was saved.
      model.load(plain.weights(arena));
      model.predict(inputs(data, 0), predicted);
      assertArrayEquals(expected.toDoubles(), predicted.toDoubles());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "reference"})
  void aMeanCountsFromWhereItBeginsAndNormsSeeTheDataAgain(String name) {
    Dataset data = TinyData.clouds(arena, 4 * BATCH, 0.5, 1);
    try (Device device = open(name);
        CompiledModel model = CompiledModel.compile(device, spec(new WeightAveraging.Swa()))) {
      model.initialise();
      List<Map<String, double[]>> counted = new ArrayList<>();
      for (int step = 0; step < 4; step++) {
        model.update(inputs(data, step), labels(data, step), 0.1);
        model.average(step > 0);
        if (step == 0) {
          own(model).forEach((key, value) -> assertArrayEquals(value, model.weights(arena).get(key).toDoubles(), key));
        } else {
          counted.add(own(model));
        }
      }
      assertTrue(model.averagesStatistics());
      double[] means = new double[6];
      for (int batch = 0; batch < 4; batch++) {
        model.followAveraged(inputs(data, batch), batch + 1);
        for (int i = 0; i < BATCH * 6; i++) {
          means[i % 6] += inputs(data, batch).get(i) / (4 * BATCH);
        }
      }
      Map<String, HostTensor> averaged = model.weights(arena);
      for (String weight : List.of("dense1.weight", "dense2.bias", "batchnorm1.weight")) {
        double[] expected = new double[counted.getFirst().get(weight).length];
        counted.forEach(one -> {
          for (int i = 0; i < expected.length; i++) {
            expected[i] += one.get(weight)[i] / 3;
          }
        });
        assertArrayEquals(expected, averaged.get(weight).toDoubles(), 1e-6, weight);
      }
      assertArrayEquals(means, averaged.get("batchnorm1.running_mean").toDoubles(), 1e-6);
    }
  }

  @Test
  void aModelThatAveragesNothingSaysSo() {
    try (Device device = open("reference");
        CompiledModel plain = CompiledModel.compile(device, spec(null));
        CompiledModel model = CompiledModel.compile(device, spec(new WeightAveraging.Ema(DECAY)))) {
      assertThrows(IllegalStateException.class, () -> model.average(true));
      assertFalse(model.averagesStatistics());
      HostTensor images = HostTensor.allocate(arena, TensorType.f32(BATCH, 6));
      assertThrows(IllegalStateException.class, () -> plain.followAveraged(images, 1));
      // One copy of weights, biases, γ, β and the two running statistics, each in its own place.
      long copies = model.memory().variables() - plain.memory().variables();
      assertTrue(copies > 0 && copies <= plain.memory().variables(), copies + " bytes of copies");
    }
  }

  @Test
  void aModelGivesBackAllItsMemory() {
    // Far less than any machine has free: what is left of it is known to the byte.
    DeviceOptions options = new DeviceOptions(2).withMemoryLimit(new MemoryLimit.Bytes(1 << 22));
    try (Device device = new Devices().open("reference", options)) {
      long before = device.availableMemory();
      try (CompiledModel model = CompiledModel.compile(device, spec(new WeightAveraging.Swa()))) {
        assertTrue(device.availableMemory() <= before - model.memory().total());
      }
      assertEquals(before, device.availableMemory());
    }
  }

  private Trainer trainer(Device device, WeightAveraging averaging) {
    Trainer trainer =
        new Trainer(device, layers())
            .optimizer(new Adam(), 0.01)
            .schedule(new Cosine())
            .epochs(4)
            .batch(BATCH)
            .validationShare(0.2)
            .seed(5);
    return trainer.options(trainer.options().with(averaging));
  }

  @Test
  void aRunThatWasStoppedEndsWithTheSameAverages(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    try (Device device = open("reference")) {
      for (WeightAveraging averaging : List.of(new WeightAveraging.Ema(0.9), new WeightAveraging.Swa(0.5, 0.02))) {
        Path to = folder.resolve(averaging.getClass().getSimpleName());
        Checkpoints whole = new Checkpoints(to.resolve("whole"));
        Checkpoints broken = new Checkpoints(to.resolve("broken"));
        trainer(device, averaging).checkpoints(whole, "").fit(data).close();
        // In the middle of the third epoch, and with the end of it, when one model is in the mean.
        trainer(device, averaging).checkpoints(broken, "").listener(new StopAt(25)).fit(data).close();
        trainer(device, averaging).checkpoints(broken, "").resume().listener(new StopAt(30)).fit(data).close();
        trainer(device, averaging).checkpoints(broken, "").resume().fit(data).close();
        SameBits.assertSameBits(whole.last(), broken.last());
        SameBits.assertSameBits(whole.best(), broken.best());
        assertTrue(Safetensors.read(whole.last(), arena).tensors().containsKey("average.dense1.weight"));
        assertFalse(Safetensors.read(whole.best(), arena).tensors().containsKey("average.dense1.weight"));
      }
    }
  }

  @Test
  void aMeanBeginsAnewWhereARunIsMadeLonger(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    WeightAveraging averaging = new WeightAveraging.Swa(0.5, 0.02);
    Checkpoints run = new Checkpoints(folder);
    try (Device device = open("reference")) {
      trainer(device, averaging).checkpoints(run, "").fit(data).close();
      assertEquals(2, models(run));
      // The fifth of ten does not count.
      trainer(device, averaging).epochs(10).checkpoints(run, "").listener(new StopAt(55)).resume().fit(data).close();
      assertEquals(0, models(run));
      trainer(device, averaging).epochs(10).checkpoints(run, "").resume().fit(data).close();
      assertEquals(5, models(run));
      // Of twenty, none of those that are done.
      trainer(device, averaging).epochs(20).checkpoints(run, "").resume().fit(data).close();
      assertEquals(10, models(run));
    }
  }

  private double models(Checkpoints run) {
    return Safetensors.read(run.last(), arena).tensors().get("average.models").get(0);
  }

  @Test
  void weightsThatDoNotCountAreTakenAsTheyAre() {
    Dataset data = TinyData.clouds(arena, 4 * BATCH, 0.5, 1);
    try (Device device = open("cpu");
        CompiledModel model = CompiledModel.compile(device, spec(new WeightAveraging.Swa()))) {
      model.initialise();
      for (boolean counts : new boolean[] {true, true, false}) {
        model.update(inputs(data, 0), labels(data, 0), 0.1);
        model.average(counts);
      }
      own(model).forEach((key, value) -> assertArrayEquals(value, model.weights(arena).get(key).toDoubles(), key));
    }
  }

  @Test
  void theModelOfARunIsOneOfItsMeans() {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    try (Device device = open("reference")) {
      // Rates that only destroy what the first epochs have learned, and no patience at all.
      Trainer trainer = trainer(device, new WeightAveraging.Swa(0.5, 30.0)).earlyStopping(new EarlyStopping(1, 0.5));
      try (TrainedModel trained = trainer.epochs(6).fit(data)) {
        List<EpochReport> epochs = trained.report().epochs();
        assertTrue(trained.report().bestEpoch() > 3, trained.report().bestEpoch() + " is before the mean");
        assertTrue(epochs.size() > 4, epochs.size() + " epochs: it stopped before the mean");
        assertTrue(epochs.get(2).validation().loss() < epochs.get(5 - 1).validation().loss());
      }
    }
  }

  @Test
  void theRateOfAMeanTakesOverWhereItBegins() {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    List<Double> rates = new ArrayList<>();
    TrainingListener watch =
        new TrainingListener() {
          @Override
          public void epochEnded(EpochReport report) {
            rates.add(report.rate());
          }
        };
    try (Device device = open("reference")) {
      trainer(device, new WeightAveraging.Swa(0.5, 0.02)).listener(watch).fit(data).close();
    }
    assertEquals(List.of(0.02, 0.02), rates.subList(2, 4));
    assertTrue(rates.get(1) < 0.01, rates.toString());
    assertEquals(4, new WeightAveraging.Swa(0.75, null).epochsBefore(6));
  }

  @Test
  void recipesHaveOneOfThem() {
    RecipeText text = new RecipeText();
    assertEquals(new WeightAveraging.Ema(0.999), text.parse("r", "ema: 0.999", List.of()).options().averaging());
    assertEquals(
        new WeightAveraging.Swa(0.5, 0.05),
        text.parse("r", "swa: {from: 0.5, lr: 0.05}", List.of()).options().averaging());
    assertEquals(new WeightAveraging.Swa(), text.parse("r", "swa: {}", List.of()).options().averaging());
    assertEquals(null, text.parse("r", "", List.of()).options().averaging());
    for (String wrong : List.of("{ema: 0.9, swa: {from: 0.5}}", "ema: 1", "swa: {from: 1}", "swa: {lr: 0}")) {
      assertThrows(BadInputException.class, () -> text.parse("r", wrong, List.of()), wrong);
    }
  }
}
