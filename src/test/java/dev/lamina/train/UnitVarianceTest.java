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
import dev.lamina.loss.MeanSquaredError;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Parallel;
import dev.lamina.nn.Residual;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Lsuv;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Zeros;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Layer-sequential unit variance: what it promises about each layer, measured by other programs than its own. */
class UnitVarianceTest {
  private static final int DEPTH = 20;
  private static final int BATCH = 64;

  private final Arena arena = Arena.ofShared();

  @TempDir Path folder;

  @AfterEach
  void close() {
    arena.close();
  }

  private static ModelSpec spec(Layer model, TensorType example) {
    return ModelSpec.of(model, example, new MeanSquaredError())
        .optimizer(new Sgd())
        .batch(BATCH)
        .precision(Precision.FP32)
        .seed(3)
        .build();
  }

  private HostTensor gaussian(TensorType example) {
    HostTensor images = HostTensor.allocate(arena, new TensorType(example.shape().batched(BATCH), DType.F32));
    SplittableRandom random = new SplittableRandom(5);
    for (long i = 0; i < images.size(); i++) {
      images.set(i, 2 + 3 * random.nextGaussian());
    }
    return images;
  }

  private static double variance(HostTensor values) {
    double mean = 0;
    double squares = 0;
    for (long i = 0; i < values.size(); i++) {
      mean += values.get(i) / values.size();
    }
    for (long i = 0; i < values.size(); i++) {
      squares += (values.get(i) - mean) * (values.get(i) - mean) / values.size();
    }
    return squares;
  }

  /** The variance of what the first {@code count} of {@code layers} make, with the weights of the whole model. */
  private double varianceAfter(
      Device device,
      List<Layer> layers,
      int count,
      TensorType example,
      HostTensor images,
      Map<String, HostTensor> all) {
    ModelSpec spec = spec(new Sequential(layers.subList(0, count)), example);
    try (CompiledModel part = CompiledModel.compile(device, spec)) {
      part.load(all);
      HostTensor output = HostTensor.allocate(arena, part.predictionType());
      part.predict(images, output);
      return variance(output);
    }
  }

  private void assertUnitVariance(Device device, List<Layer> layers, TensorType example, boolean alsoBefore) {
    HostTensor images = gaussian(example);
    try (CompiledModel model = CompiledModel.compile(device, spec(new Sequential(layers), example))) {
      model.initialise();
      Map<String, HostTensor> orthonormal = model.state(arena);
      List<UnitVariance.Scaled> scaled = UnitVariance.apply(model, images);
      Map<String, HostTensor> state = model.state(arena);
      int next = 0;
      double farthest = 0;
      for (int i = 0; i < layers.size(); i++) {
        if (layers.get(i) instanceof Dense || layers.get(i) instanceof Conv2d) {
          double before = varianceAfter(device, layers, i + 1, example, images, orthonormal);
          double after = varianceAfter(device, layers, i + 1, example, images, state);
          farthest = Math.max(farthest, Math.abs(before - 1));
          assertEquals(before, scaled.get(next).before(), 1e-3 * before);
          assertEquals(1, after, 0.1, scaled.get(next).layer());
          assertEquals(after, scaled.get(next).after(), 1e-3);
          assertTrue(scaled.get(next).rounds() <= 10);
          next++;
        }
      }
      assertEquals(next, scaled.size());
      assertTrue(farthest > 0.5 || !alsoBefore, "the test proves nothing if it was so before: " + farthest);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void twentyDenseLayersHaveUnitVarianceWhateverFollowsThem(String name) {
    try (Device device = new Devices().open(name, DeviceOptions.DEFAULT)) {
      for (Layer activation : List.of(new Tanh(), new ReLU())) {
        List<Layer> layers = new ArrayList<>();
        for (int i = 0; i < DEPTH; i++) {
          layers.addAll(List.of(new Dense(24).init(new Lsuv()), activation));
        }
        assertUnitVariance(device, layers, TensorType.of(DType.F32, 16), true);
      }
    }
  }

  @Test
  void convolutionsToo() {
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      layers.addAll(List.of(new Conv2d(6, 3).same().init(new Lsuv()), new ReLU()));
    }
    layers.addAll(List.of(new Flatten(), new Dense(10).init(new Lsuv())));
    try (Device device = new Devices().open("cpu", DeviceOptions.DEFAULT)) {
      assertUnitVariance(device, layers, TensorType.of(DType.F32, 6, 6, 2), true);
    }
  }

  @Test
  void branchesAndBodiesAreScaledInTheOrderInWhichTheyEndAndNothingElseChanges() {
    Lsuv lsuv = new Lsuv();
    Layer model =
        new Sequential(
            new Conv2d(8, 3).same().init(lsuv),
            new BatchNorm(),
            new ReLU(),
            new Residual(
                new Sequential(new Conv2d(8, 3).same().init(lsuv), new BatchNorm(), new Conv2d(8, 1).init(lsuv)),
                new Conv2d(8, 1).init(new He())),
            new Parallel(
                Parallel.Merge.CONCAT, new Conv2d(4, 1).init(lsuv), new Conv2d(4, 3).same().init(new Orthogonal())),
            new Flatten(),
            new Dropout(0.3),
            new Dense(5).init(lsuv));
    TensorType example = TensorType.of(DType.F32, 6, 6, 2);
    try (Device device = new Devices().open("cpu", DeviceOptions.DEFAULT);
        CompiledModel compiled = CompiledModel.compile(device, spec(model, example))) {
      HostTensor images = gaussian(example);
      compiled.initialise();
      Map<String, HostTensor> before = compiled.state(arena);
      List<UnitVariance.Scaled> scaled = UnitVariance.apply(compiled, images);
      assertEquals(
          List.of("conv2d1", "residual1.body.conv2d1", "residual1.body.conv2d2", "parallel1.conv2d1", "dense1"),
          scaled.stream().map(UnitVariance.Scaled::layer).toList());
      scaled.forEach(layer -> assertEquals(1, layer.after(), 0.1, layer.toString()));
      Map<String, HostTensor> after = compiled.state(arena);
      before.forEach((variable, value) -> {
        boolean isScaled = scaled.stream().anyMatch(layer -> variable.equals(layer.layer() + ".weight"));
        if (!isScaled) {
          assertArrayEquals(value.toFloats(), after.get(variable).toFloats(), variable);
        }
      });
      UnitVariance.apply(compiled, images).forEach(again -> assertEquals(0, again.rounds(), "it was done: " + again));
    }
  }

  @Test
  void aLayerWhoseOutputDoesNotVaryIsRefusedInOneLine() {
    Layer model = new Sequential(new Dense(4).init(new Zeros()), new ReLU(), new Dense(3).init(new Lsuv()));
    TensorType example = TensorType.of(DType.F32, 2);
    try (Device device = new Devices().open("reference", DeviceOptions.DEFAULT);
        CompiledModel compiled = CompiledModel.compile(device, spec(model, example))) {
      compiled.initialise();
      String message =
          assertThrows(IllegalArgumentException.class, () -> UnitVariance.apply(compiled, gaussian(example)))
              .getMessage();
      assertTrue(message.contains("dense2") && message.contains("variance 0"), message);
    }
  }

  @Test
  void aLayerWithoutANameIsRefusedAndNotPassedOver() {
    TensorType example = TensorType.of(DType.F32, 2);
    try (Device device = new Devices().open("reference", DeviceOptions.DEFAULT);
        CompiledModel compiled = CompiledModel.compile(device, spec(new Dense(3).init(new Lsuv()), example))) {
      compiled.initialise();
      String message =
          assertThrows(IllegalArgumentException.class, () -> UnitVariance.apply(compiled, gaussian(example)))
              .getMessage();
      assertTrue(message.contains("'weight' is of no layer with a name"), message);
    }
  }

  @Test
  void anOutputThatIsNoNumberIsRefusedAndNotTakenForOne() {
    Layer model = new Sequential(new Dense(3).init(new Lsuv()), new Tanh());
    TensorType example = TensorType.of(DType.F32, 2);
    try (Device device = new Devices().open("reference", DeviceOptions.DEFAULT);
        CompiledModel compiled = CompiledModel.compile(device, spec(model, example))) {
      compiled.initialise();
      HostTensor images = gaussian(example);
      images.set(5, Double.NaN);
      String message =
          assertThrows(IllegalArgumentException.class, () -> UnitVariance.apply(compiled, images)).getMessage();
      assertTrue(message.contains("has variance NaN"), message);
    }
  }

  @Test
  void whoWatchesATrainingIsToldOfLayersThatDidNotGetThere() {
    // Of a variance of 25 that comes from the biases no factor of the weights takes anything away.
    Layer model =
        new Sequential(new Dense(30, new Lsuv(), new Normal(5)), new Tanh(), new Dense(3, new Lsuv(), new Zeros()));
    List<UnitVariance.Scaled> told = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void scaled(List<UnitVariance.Scaled> layers) {
            told.addAll(layers);
          }
        };
    try (Device device = new Devices().open("reference", DeviceOptions.DEFAULT)) {
      Trainer trainer = new Trainer(device, model).batch(10).epochs(1).listener(listener);
      weights(trainer, TinyData.clouds(arena, 60, 0.3, 1));
    }
    assertEquals(List.of("dense1", "dense2"), told.stream().map(UnitVariance.Scaled::layer).toList());
    assertFalse(told.get(0).isUnit(), told::toString);
    assertEquals(10, told.get(0).rounds());
    assertTrue(told.get(0).after() > 5, told::toString);
    assertTrue(told.get(1).isUnit(), told::toString);
  }

  @Test
  void aTrainerDoesItOnceAndNotAgainWhenItResumes() {
    Layer model =
        new Sequential(new Dense(8, new Lsuv(), new Constant(0.5)), new Tanh(), new Dense(3).init(new Lsuv()));
    Dataset data = TinyData.clouds(arena, 60, 0.3, 1);
    try (Device device = new Devices().open("reference", DeviceOptions.DEFAULT)) {
      float[] straight = weights(new Trainer(device, model).seed(2).batch(10).epochs(4), data);
      Checkpoints checkpoints = new Checkpoints(folder);
      weights(new Trainer(device, model).seed(2).batch(10).epochs(2).checkpoints(checkpoints, ""), data);
      Trainer again = new Trainer(device, model).seed(2).batch(10).epochs(4).checkpoints(checkpoints, "").resume();
      assertArrayEquals(straight, weights(again, data));
    }
  }

  @Test
  void aTrainerBeginsWithWeightsScaledOnItsFirstBatch() {
    Layer model = new Sequential(new Dense(8).init(new Lsuv()), new Tanh(), new Dense(3).init(new Lsuv()));
    Dataset data = TinyData.clouds(arena, 60, 0.3, 1);
    try (Device device = new Devices().open("reference", DeviceOptions.DEFAULT)) {
      Trainer still = new Trainer(device, model).optimizer(new Sgd(), 1e-30).batch(10).epochs(1).validationShare(0.2);
      Dataset training = data.split(0.2, 0).training();
      try (CompiledModel begun = CompiledModel.compile(device, still.spec(training))) {
        begun.initialise();
        float[] orthonormal = begun.state(arena).get("dense1.weight").toFloats();
        begun.initialise(training);
        float[] scaled = begun.state(arena).get("dense1.weight").toFloats();
        assertFalse(Arrays.equals(orthonormal, scaled));
        assertArrayEquals(scaled, weights(still, data));
      }
    }
  }

  private float[] weights(Trainer trainer, Dataset data) {
    try (TrainedModel trained = trainer.fit(data)) {
      return trained.compiled().state(arena).get("dense1.weight").toFloats();
    }
  }
}
