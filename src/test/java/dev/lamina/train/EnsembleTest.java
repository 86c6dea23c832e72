package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Dataset;
import dev.lamina.data.Preprocessing;
import dev.lamina.device.Device;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.io.BadInputException;
import dev.lamina.loss.BinaryCrossEntropy;
import dev.lamina.loss.Loss;
import dev.lamina.loss.MeanSquaredError;
import dev.lamina.nn.Dense;
import dev.lamina.nn.init.Constant;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EnsembleTest {
  /** More than one batch, and the last one not full. */
  private static final int EXAMPLES = 150;

  private final Arena arena = Arena.ofShared();
  private final Device device = new ReferenceDevice();
  private final List<TrainedModel> models = new ArrayList<>();

  @AfterEach
  void close() {
    models.forEach(TrainedModel::close);
    device.close();
    arena.close();
  }

  private TrainedModel trained(Dataset data, Loss loss, int outputs, long seed) {
    TrainedModel model =
        new Trainer(device, new Dense(outputs)).loss(loss).epochs(2).batch(4).validationShare(0).seed(seed).fit(data);
    models.add(model);
    return model;
  }

  private static List<HostTensor> inputs(Dataset data) {
    List<HostTensor> inputs = new ArrayList<>();
    for (int i = 0; i < data.size(); i++) {
      inputs.add(data.input(i));
    }
    return inputs;
  }

  @Test
  void probabilitiesAreAveragedAndJudged() {
    Dataset data = TinyData.clouds(arena, EXAMPLES, 0.8, 1);
    for (int seed = 1; seed <= 3; seed++) {
      trained(data, TrainingOptions.DEFAULTS.loss(), 3, seed);
    }
    Ensemble ensemble = new Ensemble(models);
    double[][] together = ensemble.predict(inputs(data));
    double loss = 0;
    int right = 0;
    for (int i = 0; i < EXAMPLES; i++) {
      int best = 0;
      for (int c = 0; c < 3; c++) {
        double mean = 0;
        for (TrainedModel model : models) {
          mean += model.predict(List.of(data.input(i)))[0][c] / 3;
        }
        assertEquals(mean, together[i][c], 1e-12);
        best = together[i][c] > together[i][best] ? c : best;
      }
      loss -= Math.log(together[i][data.label(i)]) / EXAMPLES;
      right += best == data.label(i) ? 1 : 0;
    }
    Ensemble.Result result = ensemble.evaluate(data);
    assertEquals(EXAMPLES, result.together().examples());
    assertEquals(loss, result.together().loss(), 1e-6);
    assertEquals(right / (double) EXAMPLES, result.together().accuracy(), 1e-12);
    assertTrue(right < EXAMPLES, "a task without mistakes tells nothing");
    assertEquals(3, result.members().size());
    assertEquals(models.get(1).evaluate(data).loss(), result.members().get(1).loss());
    long counted = 0;
    for (long[] row : result.together().confusion()) {
      for (long count : row) {
        counted += count;
      }
    }
    assertEquals(EXAMPLES, counted);
  }

  @Test
  void oneMemberIsJudgedAsByItself() {
    Dataset data = TinyData.clouds(arena, EXAMPLES, 0.8, 1);
    TrainedModel model = trained(data, TrainingOptions.DEFAULTS.loss(), 3, 1);
    Evaluation alone = model.evaluate(data);
    Evaluation together = new Ensemble(models).evaluate(data).together();
    assertEquals(alone.loss(), together.loss(), 1e-6);
    assertEquals(alone.accuracy(), together.accuracy());
  }

  @Test
  void valuesAndSingleProbabilitiesAreAveragedToo() {
    Dataset data = TinyData.xor(arena);
    for (Loss loss : List.of(new MeanSquaredError(), new BinaryCrossEntropy())) {
      models.forEach(TrainedModel::close);
      models.clear();
      TrainedModel model = trained(data, loss, 1, 1);
      Evaluation together = new Ensemble(List.of(model, model)).evaluate(data).together();
      assertEquals(model.evaluate(data).loss(), together.loss(), 1e-6);
    }
  }

  @Test
  void aProbabilityOfOneCostsNothingWhereItIsRight() {
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(8, 1));
    HostTensor targets = HostTensor.allocate(arena, TensorType.f32(8, 1));
    for (int i = 0; i < 8; i++) {
      inputs.set(i, i % 2 == 0 ? 1000 : -1000);
      targets.set(i, i % 2 == 0 ? 1 : 0);
    }
    Dataset data = Dataset.withTargets("sure", inputs, targets);
    TrainedModel model =
        new Trainer(device, new Dense(1).init(new Constant(1)))
            .loss(new BinaryCrossEntropy())
            .preprocessing(new Preprocessing.None())
            .epochs(1)
            .batch(4)
            .validationShare(0)
            .fit(data);
    models.add(model);
    assertEquals(1, model.predict(List.of(data.input(0)))[0][0], "the test needs a probability that is 1 in a float");
    assertEquals(0, new Ensemble(List.of(model, model)).evaluate(data).together().loss(), 1e-30);
  }

  @Test
  void whoDoesSomethingElseIsNoMember() {
    TrainedModel classes = trained(TinyData.clouds(arena, 30, 0.8, 1), TrainingOptions.DEFAULTS.loss(), 3, 1);
    TrainedModel others = trained(TinyData.noise(arena, 30, 1), TrainingOptions.DEFAULTS.loss(), 2, 1);
    var e = assertThrows(BadInputException.class, () -> new Ensemble(List.of(classes, others)));
    assertTrue(e.getMessage().contains("the members of an ensemble do the same"), e.getMessage());
  }
}
