package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Coefficients;
import dev.lamina.data.Dataset;
import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.Preprocessing;
import dev.lamina.data.Preprocessing.Basis;
import dev.lamina.data.Preprocessing.Pca;
import dev.lamina.data.Preprocessing.Per;
import dev.lamina.data.Preprocessing.Whiten;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.io.SafetensorsFile;
import dev.lamina.loss.MeanSquaredError;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Adam;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Preprocessing as a part of trained models. */
class PreparedInputsTest {
  private final Arena arena = Arena.ofShared();
  private final Device device = new Devices().open("reference", DeviceOptions.DEFAULT);

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  static List<Preprocessing> kinds() {
    return List.of(
        new Preprocessing.None(),
        new Preprocessing.Mean(),
        new Preprocessing.Mean(Per.PIXEL),
        new Preprocessing.ZScore(),
        new Preprocessing.ZScore(Per.PIXEL),
        new Preprocessing.MinMax(),
        Pca.components(7),
        Pca.share(0.9),
        new Whiten(Basis.PCA, 0.01),
        new Whiten(Basis.ZCA, 0.01));
  }

  static List<Preprocessing> kindsWithNumbers() {
    return kinds().stream().filter(kind -> !(kind instanceof Preprocessing.None)).toList();
  }

  /** Images [4,3,2] with a bright row that says the class, and a pixel that is always the same. */
  static Dataset images(Arena arena, int count) {
    SplittableRandom random = new SplittableRandom(6);
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, count, 4, 3, 2));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, count));
    for (int n = 0; n < count; n++) {
      labels.set(n, n % 3);
      for (int i = 0; i < 24; i++) {
        images.set(n * 24L + i, i == 23 ? 9 : random.nextInt(100) + (i / 6 == n % 3 ? 100 : 0));
      }
    }
    return Dataset.labelled("images", images, labels, List.of("a", "b", "c"));
  }

  private static Layer classifier() {
    return new Sequential(new Flatten(), new Dense(8), new ReLU(), new Dense(3));
  }

  private Trainer trainer(Preprocessing preprocessing) {
    return new Trainer(device, classifier())
        .optimizer(new Adam(), 0.01)
        .preprocessing(preprocessing)
        .epochs(2)
        .batch(10)
        .validationShare(0.25)
        .seed(3);
  }

  private static List<HostTensor> inputs(Dataset data) {
    return IntStream.range(0, data.size()).mapToObj(data::input).toList();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aSavedModelPreparesInputsAsItWasTrainedTo(Preprocessing preprocessing, @TempDir Path folder) {
    Dataset data = images(arena, 60);
    Path file = folder.resolve("model.safetensors");
    double[][] before;
    FittedPreprocessing fitted;
    try (TrainedModel trained = trainer(preprocessing).fit(data)) {
      before = trained.predict(inputs(data.take(5)));
      fitted = trained.preprocessing();
      trained.save(file);
    }
    SafetensorsFile saved = Safetensors.read(file, arena);
    fitted.parts().forEach((name, _) -> assertTrue(saved.tensors().containsKey("preprocessing." + name), name));
    try (TrainedModel loaded = TrainedModel.load(file, classifier(), new SoftmaxCrossEntropy(), device)) {
      assertArrayEquals(before, loaded.predict(inputs(data.take(5))));
      assertEquals(fitted.kind(), loaded.preprocessing().kind());
      assertEquals(fitted.output(), loaded.preprocessing().output());
    }
  }

  /** Every number that a model is given comes from what it is trained on: what is held out could be anything. */
  @ParameterizedTest
  @MethodSource("kindsWithNumbers")
  void whatIsHeldOutLeavesNoTraceInTheNumbers(Preprocessing preprocessing) {
    Dataset data = images(arena, 60);
    FittedPreprocessing first;
    try (TrainedModel trained = trainer(preprocessing).fit(data)) {
      first = trained.preprocessing();
    }
    FittedPreprocessing whole = preprocessing.fit(data);
    Dataset held = data.split(0.25, 3).validation();
    for (int i = 0; i < held.size(); i++) {
      held.input(i).fill(i % 2 * 255);
    }
    try (TrainedModel trained = trainer(preprocessing).fit(data)) {
      assertEquals(first.output(), trained.preprocessing().output());
      first
          .parts()
          .forEach((name, part) -> assertArrayEquals(values(part), values(trained.preprocessing().parts().get(name))));
    }
    if (preprocessing instanceof Preprocessing.Mean) {
      assertNotEquals(whole.offset().get(0), first.offset().get(0), "a fit of all would have shown");
    }
  }

  private static double[] values(Coefficients part) {
    return IntStream.range(0, (int) part.shape().size()).mapToDouble(part::get).toArray();
  }

  @Test
  void aRunGoesOnWithTheNumbersThatItBeganWith(@TempDir Path folder) {
    Dataset data = images(arena, 60);
    Checkpoints whole = new Checkpoints(folder.resolve("whole"));
    Checkpoints broken = new Checkpoints(folder.resolve("broken"));
    trainer(Pca.share(0.9)).checkpoints(whole, "").fit(data).close();
    trainer(Pca.share(0.9)).checkpoints(broken, "").listener(new StopAt(5)).fit(data).close();
    FittedPreprocessing fitted = Pca.share(0.9).fit(data.split(0.25, 3).training());
    try (TrainedModel finished = trainer(Pca.share(0.9)).checkpoints(broken, "").resume().fit(data)) {
      assertEquals(fitted.output(), finished.preprocessing().output());
      // Those of the file, not those of a second fit, which are not rounded.
      assertEquals((float) fitted.components().get(1), finished.preprocessing().components().get(1));
    }
    SameBits.assertSameBits(whole.last(), broken.last());
    SameBits.assertSameBits(whole.best(), broken.best());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aRunThatTookTheNumbersOfAModelGoesOnWithThem(Preprocessing preprocessing, @TempDir Path folder) {
    Dataset data = images(arena, 60);
    Path model = folder.resolve("model.safetensors");
    try (TrainedModel trained = trainer(preprocessing).fit(data)) {
      trained.save(model);
    }
    Checkpoints whole = new Checkpoints(folder.resolve("whole"));
    Checkpoints broken = new Checkpoints(folder.resolve("broken"));
    trainer(null).from(model).checkpoints(whole, "").fit(data).close();
    trainer(null).from(model).checkpoints(broken, "").listener(new StopAt(5)).fit(data).close();
    try (TrainedModel finished = trainer(null).from(model).checkpoints(broken, "").resume().fit(data)) {
      assertEquals(preprocessing.fit(data).kind(), finished.preprocessing().kind());
    }
    SameBits.assertSameBits(whole.last(), broken.last());
    SameBits.assertSameBits(whole.best(), broken.best());
  }

  /** Files once had mean and deviation of the channels in their description, and no tensors of them. */
  @Test
  void filesOfEarlierVersionsKeepTheirMeaning(@TempDir Path folder) {
    Dataset data = images(arena, 60);
    Path file = folder.resolve("model.safetensors");
    Path scaled = folder.resolve("scaled.safetensors");
    Path raw = folder.resolve("raw.safetensors");
    double[][] expected;
    FittedPreprocessing fitted;
    try (TrainedModel trained = trainer(new Preprocessing.ZScore()).fit(data)) {
      expected = trained.predict(inputs(data.take(5)));
      fitted = trained.preprocessing();
      trained.save(file);
    }
    String start = "{\"dtype\":\"U8\",\"shape\":[4,3,2],\"normalization\":";
    String end = ",\"classes\":[\"a\",\"b\",\"c\"]}";
    String numbers =
        "{\"mean\":[%s,%s],\"std\":[%s,%s]}"
            .formatted(
                fitted.offset().get(0), fitted.offset().get(1), 1 / fitted.scale().get(0), 1 / fitted.scale().get(1));
    writeEarlier(file, scaled, start + numbers + end);
    writeEarlier(file, raw, start + "null" + end);
    try (TrainedModel loaded = TrainedModel.load(scaled, classifier(), new SoftmaxCrossEntropy(), device)) {
      assertArrayEquals(expected, loaded.predict(inputs(data.take(5))));
    }
    try (TrainedModel loaded = TrainedModel.load(raw, classifier(), new SoftmaxCrossEntropy(), device)) {
      assertEquals(FittedPreprocessing.Kind.NONE, loaded.preprocessing().kind());
    }
  }

  private void writeEarlier(Path from, Path to, String description) {
    SafetensorsFile file = Safetensors.read(from, arena);
    var tensors = new LinkedHashMap<>(file.tensors());
    tensors.keySet().removeAll(Set.of("preprocessing.offset", "preprocessing.scale"));
    Safetensors.write(to, tensors, Map.of("lamina.model", description));
  }

  @Test
  void aFileThatLostItsNumbersIsRefused(@TempDir Path folder) {
    Path file = folder.resolve("model.safetensors");
    try (TrainedModel trained = trainer(Pca.components(3)).fit(images(arena, 60))) {
      trained.save(file);
    }
    SafetensorsFile saved = Safetensors.read(file, arena);
    var tensors = new LinkedHashMap<>(saved.tensors());
    tensors.remove("preprocessing.components");
    Safetensors.write(file, tensors, saved.metadata());
    String line =
        assertThrows(
                BadInputException.class, () -> TrainedModel.load(file, classifier(), new SoftmaxCrossEntropy(), device))
            .getMessage();
    assertTrue(line.startsWith(file + ": preprocessing PCA: 'components' is missing"), line);
  }

  @Test
  void layersForImagesDoNotTakeComponents() {
    Layer convolution = new Sequential(new Conv2d(2, 3), new Flatten(), new Dense(3));
    Dataset data = images(arena, 60);
    String line =
        assertThrows(
                IllegalArgumentException.class,
                () -> new Trainer(device, convolution).preprocessing(Pca.components(5)).batch(10).fit(data))
            .getMessage();
    assertTrue(line.startsWith("preprocessing pca makes vectors of 5 out of inputs [4,3,2], and a layer wants"), line);
    assertTrue(line.contains("conv2d1: "), line);
    new Trainer(device, convolution).preprocessing(new Whiten(Basis.ZCA)).batch(10).epochs(1).fit(data).close();
  }

  /** With a loss of regression a model without layers predicts what it was going to be given. */
  @ParameterizedTest
  @MethodSource("kinds")
  void programsPrepareInputsAsTheHostDoes(Preprocessing preprocessing) {
    Dataset data = images(arena, 40);
    FittedPreprocessing fitted = preprocessing.fit(data);
    Dataset expected = fitted.apply(data, arena);
    ModelSpec spec =
        ModelSpec.of((x, _) -> x, data.inputType(), new MeanSquaredError())
            .preparation(new PreparedInputs(fitted))
            .evaluationBatch(40)
            .precision(Precision.FP64)
            .build();
    try (CompiledModel model = CompiledModel.compile(device, spec)) {
      model.initialise();
      HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, 40, 4, 3, 2));
      for (int i = 0; i < 40 * 24; i++) {
        images.set(i, data.input(i / 24).get(i % 24));
      }
      HostTensor prepared = HostTensor.allocate(arena, model.predictionType());
      model.predict(images, prepared);
      int width = (int) fitted.output().size();
      for (int i = 0; i < 40 * width; i++) {
        float value = (float) prepared.get(i);
        assertEquals(expected.input(i / width).get(i % width), value, Math.ulp(Math.max(1f, Math.abs(value))));
      }
    }
  }
}
