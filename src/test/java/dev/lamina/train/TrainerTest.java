package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.graph.Tensor;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.loss.BinaryCrossEntropy;
import dev.lamina.loss.MeanSquaredError;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Reshape;
import dev.lamina.nn.Scope;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.recurrent.Gru;
import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.optim.Adam;
import dev.lamina.optim.Sgd;
import dev.lamina.optim.schedule.Cosine;
import dev.lamina.optim.schedule.ReduceOnPlateau;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TrainerTest {
  private final Arena arena = Arena.ofShared();
  private final Device device = new Devices().open("reference", DeviceOptions.DEFAULT);

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  /** Has everything that a continuation could lose: dropout's counter, running statistics, Adam's slots. */
  private static Layer classifier(int classes) {
    return new Sequential(new Dense(12), new BatchNorm(), new ReLU(), new Dropout(0.2), new Dense(classes));
  }

  /** Multiplies, so that what flows back is as many times larger. */
  private record Scaled(double factor) implements Layer {
    @Override
    public Tensor forward(Tensor x, Scope scope) {
      return x.times(factor);
    }
  }

  private Trainer clouds(int epochs) {
    return new Trainer(device, classifier(3))
        .optimizer(new Adam(), 0.01)
        .schedule(new Cosine())
        .epochs(epochs)
        .batch(16)
        .validationShare(0.2)
        .seed(5);
  }

  private static Map<String, HostTensor> tensors(Path file, Arena arena) {
    return Safetensors.read(file, arena).tensors();
  }

  @Test
  void exclusiveOrIsLearnedByOneLogit() {
    Layer model = new Sequential(new Dense(8), new Tanh(), new Dense(1));
    Trainer trainer =
        new Trainer(device, model)
            .loss(new BinaryCrossEntropy())
            .optimizer(new Adam(), 0.1)
            .epochs(200)
            .fullBatch()
            .validationShare(0);
    Dataset xor = TinyData.xor(arena);
    try (TrainedModel trained = trainer.fit(xor)) {
      assertEquals(1.0, trained.evaluate(xor).accuracy());
      double[][] probabilities = trained.predict(List.of(xor.input(0), xor.input(1), xor.input(2), xor.input(3)));
      assertTrue(probabilities[0][0] < 0.1 && probabilities[3][0] < 0.1, "0 and 0, 1 and 1 are false");
      assertTrue(probabilities[1][0] > 0.9 && probabilities[2][0] > 0.9, "0 and 1, 1 and 0 are true");
    }
  }

  /** The reference device rounds every activation to the narrow type; weights stay wide. */
  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"BF16", "FP16"})
  void mixedPrecisionLearnsWithWideWeights(Precision precision, @TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 300, 0.3, 1);
    Checkpoints checkpoints = new Checkpoints(folder);
    Trainer trainer = clouds(6).checkpoints(checkpoints, "");
    try (TrainedModel trained = trainer.options(trainer.options().with(precision)).fit(data)) {
      assertTrue(trained.evaluate(data).accuracy() > 0.95, () -> "accuracy " + trained.evaluate(data).accuracy());
    }
    tensors(checkpoints.last(), arena)
        .forEach((name, tensor) -> {
          boolean state = tensor.type().dtype().isFloating();
          assertTrue(!state || tensor.type().dtype() == DType.F32, name + " is " + tensor.type());
        });
  }

  /** 65504 is the largest number of 16 bits: the first gradients overflow until the scale has come down. */
  @Test
  void aLossScaleThatIsTooLargeComesDownAndTrainingGoesOn(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 300, 0.3, 1);
    Checkpoints checkpoints = new Checkpoints(folder);
    Layer steep = new Sequential(new Reshape(6), classifier(3), new Scaled(50));
    Trainer trainer =
        new Trainer(device, steep).optimizer(new Adam(), 0.01).epochs(6).batch(16).seed(5).checkpoints(checkpoints, "");
    try (TrainedModel trained = trainer.options(trainer.options().with(Precision.FP16)).fit(data)) {
      assertTrue(trained.evaluate(data).accuracy() > 0.95, () -> "accuracy " + trained.evaluate(data).accuracy());
      Map<String, HostTensor> state = tensors(checkpoints.last(), arena);
      double scale = state.get("training.loss_scale").get(0);
      assertTrue(scale >= 1 && scale < 65536, "loss scale " + scale);
      assertEquals(trained.report().steps(), (long) state.get("training.steps").get(0), "steps without update count");
    }
  }

  @Test
  void aRunThatWasStoppedInTheMiddleOfAnEpochEndsWithTheSameBits(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    Checkpoints whole = new Checkpoints(folder.resolve("whole"));
    Checkpoints broken = new Checkpoints(folder.resolve("broken"));
    clouds(4).checkpoints(whole, "").fit(data).close();
    for (long stop : new long[] {3, 14, 25}) {
      Trainer part = clouds(4).checkpoints(broken, "").listener(new StopAt(stop));
      try (TrainedModel interrupted = (stop == 3 ? part : part.resume()).fit(data)) {
        assertEquals(TrainingReport.End.INTERRUPTED, interrupted.report().end());
        assertEquals(stop, interrupted.report().steps());
      }
    }
    try (TrainedModel finished = clouds(4).checkpoints(broken, "").resume().fit(data)) {
      assertEquals(TrainingReport.End.FINISHED, finished.report().end());
      assertEquals(4, finished.report().completedEpochs());
    }
    SameBits.assertSameBits(whole.last(), broken.last());
    SameBits.assertSameBits(whole.best(), broken.best());
  }

  /**
   * A line of metrics that came after the checkpoint would be lost by a kill in between. A folder stands for the kill.
   */
  @Test
  void anEpochIsToldBeforeItsCheckpointIsWritten(@TempDir Path folder) throws IOException {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    List<Integer> told = new ArrayList<>();
    TrainingListener witness =
        new TrainingListener() {
          @Override
          public void epochEnded(EpochReport report) {
            told.add(report.epoch());
          }
        };
    Checkpoints checkpoints = new Checkpoints(folder);
    Files.createDirectories(checkpoints.last().resolve("in the way"));
    assertThrows(BadInputException.class, () -> clouds(3).checkpoints(checkpoints, "").listener(witness).fit(data));
    assertEquals(List.of(1), told);
  }

  /** A folder where the model should go stands for a kill at that moment. */
  @Test
  void aRunThatWasKilledBetweenItsCheckpointAndItsModelHasBoth(@TempDir Path folder) throws IOException {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    for (int epochs : new int[] {1, 4}) {
      Checkpoints whole = new Checkpoints(folder.resolve("whole" + epochs));
      Checkpoints broken = new Checkpoints(folder.resolve("broken" + epochs));
      clouds(epochs).checkpoints(whole, "").fit(data).close();
      Files.createDirectories(broken.best());
      assertThrows(BadInputException.class, () -> clouds(epochs).checkpoints(broken, "").fit(data));
      Files.delete(broken.best());
      try (TrainedModel resumed = clouds(epochs).checkpoints(broken, "").resume().fit(data)) {
        assertEquals(epochs - 1, resumed.report().epochs().size(), "the first epoch was not lost");
      }
      SameBits.assertSameBits(whole.last(), broken.last());
      SameBits.assertSameBits(whole.best(), broken.best());
    }
  }

  @Test
  void aRunThatWasStoppedWithTheLastUpdateOfAnEpochHasThatEpochAndNoPartOfTheNext(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    Checkpoints whole = new Checkpoints(folder.resolve("whole"));
    Checkpoints broken = new Checkpoints(folder.resolve("broken"));
    TrainingReport.Best best;
    try (TrainedModel trained = clouds(4).checkpoints(whole, "").fit(data)) {
      best = trained.report().best();
      assertEquals(best.loss(), trained.report().epochs().get(best.epoch() - 1).validation().loss());
    }
    try (TrainedModel stopped = clouds(4).checkpoints(broken, "").listener(new StopAt(10)).fit(data)) {
      assertEquals(TrainingReport.End.INTERRUPTED, stopped.report().end());
      assertEquals(1, stopped.report().completedEpochs());
      assertEquals(10, stopped.report().steps());
    }
    clouds(4).checkpoints(broken, "").resume().fit(data).close();
    SameBits.assertSameBits(whole.last(), broken.last());
    try (TrainedModel again = clouds(4).checkpoints(broken, "").resume().fit(data)) {
      assertTrue(again.report().epochs().isEmpty());
      assertEquals(best, again.report().best(), "a run with nothing left to do still knows its best epoch");
    }
  }

  /** With the whole data in each update an epoch is one update: one too many would be judged. */
  @Test
  void whoHasGotFarEnoughGoesNoFurther(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 60, 0.5, 1);
    Checkpoints checkpoints = new Checkpoints(folder);
    StopAt stop = new StopAt(2);
    for (int part = 1; part <= 3; part++) {
      Trainer trainer = clouds(4).fullBatch().checkpoints(checkpoints, "").listener(stop);
      try (TrainedModel trained = (part == 1 ? trainer : trainer.resume()).fit(data)) {
        assertEquals(TrainingReport.End.INTERRUPTED, trained.report().end());
        assertEquals(2, trained.report().completedEpochs());
      }
    }
  }

  @Test
  void aPlateauThatWasSeenBeforeTheBreakIsRemembered(@TempDir Path folder) {
    Dataset data = TinyData.noise(arena, 120, 3);
    Checkpoints whole = new Checkpoints(folder.resolve("whole"));
    Checkpoints broken = new Checkpoints(folder.resolve("broken"));
    ReduceOnPlateau schedule = new ReduceOnPlateau(0.5, 1, 1e-4, 0, 0);
    List<Double> rates = new ArrayList<>();
    TrainingListener watch =
        new TrainingListener() {
          @Override
          public void epochEnded(EpochReport report) {
            rates.add(report.rate());
          }
        };
    noise(8).schedule(schedule).checkpoints(whole, "").listener(watch).fit(data).close();
    assertTrue(rates.getLast() < rates.getFirst(), "noise has no other end than a plateau: " + rates);
    noise(8).schedule(schedule).checkpoints(broken, "").listener(new StopAt(25)).fit(data).close();
    noise(8).schedule(schedule).checkpoints(broken, "").resume().fit(data).close();
    SameBits.assertSameBits(whole.last(), broken.last());
  }

  private Trainer noise(int epochs) {
    return new Trainer(device, new Sequential(new Dense(32), new ReLU(), new Dense(2)))
        .optimizer(new Adam(), 0.02)
        .epochs(epochs)
        .batch(16)
        .validationShare(0.3)
        .seed(2);
  }

  @Test
  void trainingStopsEarlyWithTheWeightsOfTheBestEpoch() {
    Dataset data = TinyData.noise(arena, 120, 3);
    try (TrainedModel trained = noise(200).earlyStopping(new EarlyStopping(3)).fit(data)) {
      TrainingReport report = trained.report();
      assertEquals(TrainingReport.End.STOPPED_EARLY, report.end());
      int last = report.epochs().getLast().epoch();
      assertTrue(last < 200, "stopped after epoch " + last);
      EpochReport best = report.epochs().get(report.bestEpoch() - 1);
      double highest = report.epochs().stream().mapToDouble(epoch -> epoch.validation().accuracy()).max().orElseThrow();
      assertEquals(highest, best.validation().accuracy());
      Evaluation again = trained.evaluate(data.split(0.3, 2).validation());
      assertEquals(best.validation().accuracy(), again.accuracy());
      assertEquals(best.validation().loss(), again.loss());
    }
  }

  @Test
  void patienceSurvivesABreak(@TempDir Path folder) {
    Dataset data = TinyData.noise(arena, 120, 3);
    Checkpoints checkpoints = new Checkpoints(folder);
    int whole;
    try (TrainedModel trained = noise(200).earlyStopping(new EarlyStopping(3)).fit(data)) {
      whole = trained.report().completedEpochs();
    }
    // One update into the last epoch: all of the patience but one epoch is used up by then.
    StopAt stop = new StopAt((whole - 1) * 5L + 1);
    noise(200).earlyStopping(new EarlyStopping(3)).checkpoints(checkpoints, "").listener(stop).fit(data).close();
    Trainer rest = noise(200).earlyStopping(new EarlyStopping(3)).checkpoints(checkpoints, "").resume();
    try (TrainedModel trained = rest.fit(data)) {
      assertEquals(whole, trained.report().completedEpochs());
    }
  }

  @Test
  void aLossThatIsNotFiniteStopsTrainingAndKeepsTheLastGoodModel(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    Checkpoints checkpoints = new Checkpoints(folder);
    Layer model = new Sequential(new Dense(12), new ReLU(), new Dense(3));
    // Fine for an epoch of 10 updates, and then a rate from which nothing recovers.
    Trainer trainer =
        new Trainer(device, model)
            .optimizer(new Sgd(), 0.1)
            .schedule((base, step, perEpoch, total) -> step < 10 ? base : 1e38)
            .epochs(5)
            .batch(16)
            .validationShare(0.2)
            .checkpoints(checkpoints, "");
    DivergenceException failure = assertThrows(DivergenceException.class, () -> trainer.fit(data));
    assertTrue(failure.step() > 10 && failure.step() <= 14, failure.getMessage());
    assertTrue(failure.getMessage().contains("step " + failure.step() + " (epoch 2)"), failure.getMessage());
    assertTrue(failure.getMessage().contains("learning rate 1.00e+38"), failure.getMessage());
    assertTrue(failure.getMessage().contains(checkpoints.last().toString()), failure.getMessage());
    for (HostTensor tensor : tensors(checkpoints.best(), arena).values()) {
      for (long i = 0; i < tensor.size(); i++) {
        assertTrue(Double.isFinite(tensor.get(i)));
      }
    }
    assertEquals(10, tensors(checkpoints.last(), arena).get("training.steps").get(0));
  }

  @Test
  void theFirstLayerWhoseOutputIsNotFiniteIsNamed() {
    Dataset data = TinyData.clouds(arena, 64, 0.5, 1);
    Layer broken = (x, scope) -> x.times(Double.POSITIVE_INFINITY);
    Layer model = new Sequential(new Dense(12), broken, new Dense(3));
    Trainer trainer = new Trainer(device, model).epochs(1).batch(16);
    DivergenceException failure = assertThrows(DivergenceException.class, () -> trainer.fit(data));
    assertEquals(1, failure.step());
    assertTrue(failure.getMessage().contains("is layer1"), failure.getMessage());
  }

  @Test
  void updatesOfSeveralPassesAreResumedAtTheSamePlace(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    Checkpoints whole = new Checkpoints(folder.resolve("whole"));
    Checkpoints broken = new Checkpoints(folder.resolve("broken"));
    TrainingOptions options =
        TrainingOptions.DEFAULTS
            .with(new Adam(), 0.01)
            .withEpochs(3)
            .with(new dev.lamina.data.BatchSize.Fixed(16))
            .withAccumulate(3)
            .withValidationShare(0.2);
    new Trainer(device, classifier(3)).options(options).checkpoints(whole, "").fit(data).close();
    StopAt stop = new StopAt(5);
    new Trainer(device, classifier(3)).options(options).checkpoints(broken, "").listener(stop).fit(data).close();
    new Trainer(device, classifier(3)).options(options).checkpoints(broken, "").resume().fit(data).close();
    SameBits.assertSameBits(whole.last(), broken.last());
    // 160 examples are 10 batches: three updates an epoch, and a batch left over.
    assertEquals(9, tensors(whole.last(), arena).get("training.steps").get(0));
  }

  @Test
  void anotherSeedGivesOtherWeights(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 100, 0.5, 1);
    Checkpoints first = new Checkpoints(folder.resolve("1"));
    Checkpoints second = new Checkpoints(folder.resolve("2"));
    clouds(1).seed(1).checkpoints(first, "").fit(data).close();
    clouds(1).seed(2).checkpoints(second, "").fit(data).close();
    assertNotEquals(
        tensors(first.best(), arena).get("dense1.weight").get(0),
        tensors(second.best(), arena).get("dense1.weight").get(0));
  }

  @Test
  void whatIsHeldOutIsNotTrainedOn() {
    Dataset data = TinyData.clouds(arena, 200, 0.5, 1);
    List<TrainingPlan> plans = new ArrayList<>();
    TrainingListener watch =
        new TrainingListener() {
          @Override
          public void started(TrainingPlan plan) {
            plans.add(plan);
          }
        };
    try (TrainedModel trained = clouds(1).listener(watch).fit(data)) {
      assertEquals(160, plans.getFirst().trainingExamples());
      assertEquals(40, plans.getFirst().validationExamples());
      assertEquals(40, trained.report().epochs().getFirst().validation().examples());
      assertEquals(160, trained.report().epochs().getFirst().training().examples());
    }
  }

  @Test
  void aSavedModelPredictsTheSame(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 200, 0.3, 1);
    Path file = folder.resolve("model.safetensors");
    double[][] before;
    try (TrainedModel trained = clouds(2).fit(data)) {
      before = trained.predict(List.of(data.input(0), data.input(1)));
      trained.save(file);
    }
    try (TrainedModel loaded = TrainedModel.load(file, classifier(3), new SoftmaxCrossEntropy(), device)) {
      assertArrayEquals(before, loaded.predict(List.of(data.input(0), data.input(1))));
    }
    Layer other = new Sequential(new Dense(13), new BatchNorm(), new ReLU(), new Dense(3));
    String message =
        assertThrows(BadInputException.class, () -> TrainedModel.load(file, other, new SoftmaxCrossEntropy(), device))
            .getMessage();
    assertTrue(message.startsWith(file + ": "), message);
  }

  @Test
  void aSavedRecurrentModelPredictsTheSame(@TempDir Path folder) {
    Dataset data = TinyData.clouds(arena, 200, 0.3, 1);
    Path file = folder.resolve("model.safetensors");
    Layer model = new Sequential(new Reshape(3, 2), new Lstm(5).sequences(), new Gru(4), new Dense(3));
    double[][] before;
    try (TrainedModel trained = new Trainer(device, model).epochs(2).batch(16).fit(data)) {
      before = trained.predict(List.of(data.input(0), data.input(1)));
      trained.save(file);
    }
    try (TrainedModel loaded = TrainedModel.load(file, model, new SoftmaxCrossEntropy(), device)) {
      assertArrayEquals(before, loaded.predict(List.of(data.input(0), data.input(1))));
    }
  }

  @Test
  void modelAndDataThatDoNotFitAreRefusedBeforeTraining() {
    Dataset data = TinyData.clouds(arena, 100, 0.5, 1);
    Trainer wrongClasses = new Trainer(device, classifier(4)).batch(16);
    assertEquals(
        "the model has 4 outputs, clouds has 3 classes",
        assertThrows(BadInputException.class, () -> wrongClasses.fit(data)).getMessage());
    Trainer wrongLoss = new Trainer(device, classifier(3)).loss(new MeanSquaredError()).batch(16);
    assertTrue(
        assertThrows(BadInputException.class, () -> wrongLoss.fit(data)).getMessage().contains("choose another loss"));
  }

  @Test
  void aCheckpointThatIsCutOffIsRefusedAndNotOverwritten(@TempDir Path folder) throws IOException {
    Dataset data = TinyData.clouds(arena, 100, 0.5, 1);
    Checkpoints checkpoints = new Checkpoints(folder);
    clouds(1).checkpoints(checkpoints, "").fit(data).close();
    byte[] cut = java.util.Arrays.copyOf(Files.readAllBytes(checkpoints.last()), 700);
    Files.write(checkpoints.last(), cut);
    assertThrows(BadInputException.class, () -> clouds(2).checkpoints(checkpoints, "").resume().fit(data));
    assertArrayEquals(cut, Files.readAllBytes(checkpoints.last()));
  }

  @Test
  void checkpointsLeaveNothingHalfWrittenBehind(@TempDir Path folder) throws IOException {
    clouds(2).checkpoints(new Checkpoints(folder), "").fit(TinyData.clouds(arena, 100, 0.5, 1)).close();
    try (var files = Files.list(folder)) {
      assertEquals(
          List.of("last.safetensors", "model.safetensors"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
  }

  @Test
  void outputThatCannotBeWrittenIsFoundBeforeTraining(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    boolean[] started = new boolean[1];
    TrainingListener watch =
        new TrainingListener() {
          @Override
          public void updated(long step, double rate) {
            started[0] = true;
          }
        };
    Trainer trainer = clouds(1).checkpoints(new Checkpoints(file.resolve("run")), "").listener(watch);
    Dataset data = TinyData.clouds(arena, 100, 0.5, 1);
    assertThrows(BadInputException.class, () -> trainer.fit(data));
    assertFalse(started[0]);
  }
}
