package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Dataset;
import dev.lamina.data.Preprocessing;
import dev.lamina.device.Device;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is told of nets whose trouble is known. */
class DiagnosisOfTrainingTest {
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
          .listener(new Diagnosis(1e-3, finding -> said.add(finding.words())))
          .fit(data)
          .close();
    }
    String all = String.join("\n", said);
    assertTrue(
        all.contains("relu1: 100 % of its 8 units were zero for every one of the 60 examples of the epoch"), all);
    assertTrue(all.contains("sigmoid1: 100 % of its inputs lay beyond ±5"), all);
    assertEquals(said.stream().distinct().toList(), said, "each finding is told once");
  }

  /** The look sees ten of forty examples, all of which are zeros, and with them all units. */
  @Test
  void unitsThatOneExampleNeedsAreSuspectedButNotToldOf() {
    List<DeadUnits> answers = new ArrayList<>();
    List<Diagnosis.Finding> said = new ArrayList<>();
    TrainingListener witness =
        new TrainingListener() {
          @Override
          public void surveyed(DeadUnits layer) {
            answers.add(layer);
          }
        };
    try (Arena arena = Arena.ofShared();
        Device device = new ReferenceDevice()) {
      HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(40, 1));
      inputs.set(17, 1);
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, 40));
      Dataset data = Dataset.labelled("one", inputs, labels, List.of("a", "b"));
      Layer layers = new Sequential(new Dense(4, new Constant(1), null), new ReLU(), new Dense(2));
      new Trainer(device, layers)
          .optimizer(new Sgd(), 1e-6)
          .preprocessing(new Preprocessing.None())
          .epochs(1)
          .batch(10)
          .validationShare(0)
          .statisticsEvery(100)
          .listener(witness)
          .listener(new Diagnosis(1, said::add))
          .fit(data)
          .close();
    }
    assertEquals(List.of(new DeadUnits("relu1", 4, 0, 40)), answers);
    assertEquals(List.of(), said);
  }

  /**
   * In a chaotic net of tanhs gradients grow layer by layer (Schoenholz et al. 2017); sigmoids leave a quarter at most.
   */
  @Test
  void gradientsThatExplodeOrVanishInDeepNetsAreToldOf() {
    assertTrue(deep(40, new Normal(10 / Math.sqrt(30)), new Tanh()).contains("it explodes on the way back"));
    assertTrue(deep(15, new Xavier(), new Sigmoid()).contains("it vanishes on the way back"));
    String lost = deep(120, new Xavier(), new Sigmoid());
    assertTrue(lost.contains("the gradient of dense1.weight is 0 of its size"), lost);
    assertFalse(lost.contains("raise the learning rate"), lost);
    String healthy = deep(15, new Xavier(), new Tanh());
    assertEquals("", healthy);
  }

  private static String deep(int depth, Initializer weight, Layer activation) {
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < depth; i++) {
      layers.add(new Dense(30).init(weight));
      layers.add(activation);
    }
    layers.add(new Dense(3));
    List<String> said = new ArrayList<>();
    try (Arena arena = Arena.ofShared();
        Device device = new ReferenceDevice()) {
      new Trainer(device, new Sequential(layers))
          .optimizer(new Sgd(), 1e-3)
          .epochs(1)
          .batch(10)
          .validationShare(0)
          .statisticsEvery(1)
          .listener(new Diagnosis(1e-3, finding -> said.add(finding.words())))
          .fit(TinyData.clouds(arena, 40, 0.1, 1))
          .close();
    }
    return String.join("\n", said);
  }
}
