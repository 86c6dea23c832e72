package dev.lamina.train.pretrain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Dataset;
import dev.lamina.data.Preprocessing;
import dev.lamina.data.Split;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Named;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.DivergenceException;
import dev.lamina.train.TinyData;
import dev.lamina.train.Trainer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Layers that learn one after the other, each from what the one below makes of the data. */
class DeepBeliefNetTest {
  private static final PretrainingOptions QUICK =
      new PretrainingOptions(3, new ContrastiveDivergence(1), 0.1, 0.01, 0.9, 0.5, 1, 1e-4);

  private static final Layer TWO_HIDDEN =
      new Sequential(
          new Flatten(), new Dense(12), new Sigmoid(), new Named("upper", new Dense(7)), new Sigmoid(), new Dense(2));

  private final Arena arena = Arena.ofShared();
  private final Device device = new Devices().open("cpu", new DeviceOptions(2));

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  /** Grey pictures of 4 × 4 whose brighter half is the class. */
  private Dataset halves(int count) {
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, count, 4, 4, 1));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, count));
    for (int n = 0; n < count; n++) {
      labels.set(n, n % 2);
      for (int p = 0; p < 16; p++) {
        images.set(n * 16L + p, (p / 8 == n % 2 ? 180 : 5) + (n * 7 + p * 13) % 60);
      }
    }
    return Dataset.labelled("halves", images, labels, List.of("upper", "lower"));
  }

  private DeepBeliefNet net(Layer layers, Preprocessing preprocessing, VisibleUnits units, Dataset data) {
    Split split = data.split(0.2, 1);
    Trainer trainer = new Trainer(device, layers).batch(10).seed(1).preprocessing(preprocessing);
    return new DeepBeliefNet(device, trainer.spec(split.training()), units, split);
  }

  private static boolean same(HostTensor a, HostTensor b) {
    return MemorySegment.mismatch(a.segment(), 0, a.type().bytes(), b.segment(), 0, b.type().bytes()) < 0;
  }

  private static final class Seen implements PretrainingListener {
    private final List<PretrainingEpoch> epochs = new ArrayList<>();
    private final List<VisibleScale> scales = new ArrayList<>();
    private int stopAfter = Integer.MAX_VALUE;
    private int updates;

    @Override
    public void measured(HiddenLayer layer, VisibleScale scale) {
      scales.add(scale);
    }

    @Override
    public void updated(HiddenLayer layer, int epoch, int update) {
      updates++;
    }

    @Override
    public void epochEnded(PretrainingEpoch epoch) {
      epochs.add(epoch);
    }

    @Override
    public boolean wantsStop() {
      return updates >= stopAfter;
    }
  }

  @Test
  void layersLearnFromTheInputUpAndTheTopIsLeftAlone() {
    try (DeepBeliefNet net = net(TWO_HIDDEN, new Preprocessing.MinMax(), VisibleUnits.BINARY, halves(100))) {
      assertEquals(
          List.of(
              new HiddenLayer(1, "dense1", VisibleUnits.BINARY, 16, 12),
              new HiddenLayer(2, "upper", VisibleUnits.BINARY, 12, 7)),
          net.layers());
      Map<String, HostTensor> before = Map.copyOf(net.weights());
      Seen record = new Seen();
      assertTrue(net.pretrain(net.layers().get(0), QUICK, record));
      assertEquals(3 * 8, record.updates);
      assertFalse(same(before.get("dense1.weight"), net.weights().get("dense1.weight")));
      assertTrue(same(before.get("upper.weight"), net.weights().get("upper.weight")));

      HostTensor first = net.weights().get("dense1.weight");
      assertTrue(net.pretrain(net.layers().get(1), QUICK, record));
      assertTrue(same(first, net.weights().get("dense1.weight")), "layers below have learned already");
      assertFalse(same(before.get("upper.bias"), net.weights().get("upper.bias")));
      assertTrue(same(before.get("dense2.weight"), net.weights().get("dense2.weight")));
      assertEquals(before.keySet(), net.weights().keySet(), "biases of visible units are no part of the model");

      List<PretrainingEpoch> epochs = record.epochs;
      assertEquals(List.of(1, 2, 3, 1, 2, 3), epochs.stream().map(PretrainingEpoch::epoch).toList());
      assertTrue(epochs.get(2).reconstructionError() < epochs.get(0).reconstructionError(), epochs::toString);
      for (PretrainingEpoch epoch : epochs) {
        assertEquals(epoch.validationEnergy() - epoch.trainingEnergy(), epoch.gap());
        // Training and validation come from the same source; a tenth of the energy is far more than a gap could be.
        assertTrue(Math.abs(epoch.gap()) < 0.1 * Math.abs(epoch.trainingEnergy()) + 0.5, epochs::toString);
      }
    }
  }

  /**
   * The free energy of the second machine before it learns anything, by hand: from probabilities that the first gives,
   * biases of visible units that expect their means, and its small random weights.
   */
  @Test
  void theSecondLayerSeesProbabilitiesOfTheFirst() {
    Dataset data = halves(100);
    Dataset training = data.split(0.2, 1).training();
    Dataset sample = training.split(0.25, 1).validation();
    try (DeepBeliefNet net = net(TWO_HIDDEN, new Preprocessing.MinMax(), VisibleUnits.BINARY, data)) {
      net.pretrain(net.layers().get(0), QUICK, new Seen());
      HostTensor own = HostTensor.allocate(arena, TensorType.f32(7, 12));
      new Normal(0.01).fill(own, Initializer.generator(1, "rbm.upper"));
      double[][] seen = probabilities(net, training, training);
      double[] bias = new double[12];
      for (int j = 0; j < 12; j++) {
        double sum = 1;
        for (double[] example : seen) {
          sum += example[j];
        }
        bias[j] = Math.log(sum / (training.size() + 2 - sum));
      }
      double expected = 0;
      for (double[] v : probabilities(net, training, sample)) {
        for (int i = 0; i < 12; i++) {
          expected -= bias[i] * v[i] / sample.size();
        }
        for (int j = 0; j < 7; j++) {
          double in = 0;
          for (int i = 0; i < 12; i++) {
            in += own.get(j * 12L + i) * v[i];
          }
          expected -= Math.log1p(Math.exp(in)) / sample.size();
        }
      }
      var still = new PretrainingOptions(1, new ContrastiveDivergence(1), 1e-30, 1e-30, 0, 0, 0, 0);
      Seen record = new Seen();
      net.pretrain(net.layers().get(1), still, record);
      // Some twenty sums of size 1, each rounded to 24 bits.
      assertEquals(expected, record.epochs.getFirst().trainingEnergy(), 1e-4);
    }
  }

  private double[][] probabilities(DeepBeliefNet net, Dataset fittedTo, Dataset examples) {
    HostTensor w = net.weights().get("dense1.weight");
    HostTensor c = net.weights().get("dense1.bias");
    var fitted = new Preprocessing.MinMax().fit(fittedTo);
    double[][] all = new double[examples.size()][12];
    for (int n = 0; n < all.length; n++) {
      HostTensor x = fitted.apply(examples.input(n), arena);
      for (int j = 0; j < 12; j++) {
        double in = c.get(j);
        for (int i = 0; i < 16; i++) {
          in += w.get(j * 16L + i) * x.get(i);
        }
        all[n][j] = 1 / (1 + Math.exp(-in));
      }
    }
    return all;
  }

  @Test
  void gaussianUnitsTakeInputsOfUnitVariance() {
    Dataset clouds = TinyData.clouds(arena, 200, 0.4, 2);
    Layer layers = new Sequential(new Dense(8), new Sigmoid(), new Dense(5), new Sigmoid(), new Dense(3));
    try (DeepBeliefNet net = net(layers, new Preprocessing.ZScore(), VisibleUnits.GAUSSIAN, clouds)) {
      assertEquals(VisibleUnits.GAUSSIAN, net.layers().get(0).units());
      assertEquals(VisibleUnits.BINARY, net.layers().get(1).units(), "hidden units are binary");
      Seen record = new Seen();
      var longer = new PretrainingOptions(20, new ContrastiveDivergence(1), 0.1, 0.01, 0.9, 0.5, 5, 1e-4);
      assertTrue(net.pretrain(net.layers().get(0), longer, record));
      // Three centres explain most of a variance of 1.
      assertTrue(record.epochs.getFirst().reconstructionError() > 0.8, record.epochs::toString);
      assertTrue(record.epochs.getLast().reconstructionError() < 0.6, record.epochs::toString);
      var wild = new PretrainingOptions(5, new ContrastiveDivergence(2), 0.1, 1e6, 0.9, 0.5, 5, 1e-4);
      HostTensor before = net.weights().get("dense1.weight");
      String message =
          assertThrows(DivergenceException.class, () -> net.pretrain(net.layers().get(0), wild, record)).getMessage();
      assertTrue(message.contains("dense1 diverged in epoch"), message);
      assertTrue(same(before, net.weights().get("dense1.weight")));
    }
  }

  /** Twenty features of which one is constant and the others have deviations of 1 and of 3 in turn. */
  private Dataset uneven() {
    SplittableRandom random = new SplittableRandom(3);
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(500, 20));
    for (long i = 0; i < inputs.size(); i++) {
      inputs.set(i, i % 20 == 0 ? 7 : (i % 2 == 0 ? 3 : 1) * random.nextGaussian());
    }
    return Dataset.withTargets("uneven", inputs, HostTensor.allocate(arena, TensorType.f32(500, 1)));
  }

  private VisibleScale scale(Preprocessing preprocessing, VisibleUnits units, Dataset data) {
    Seen record = new Seen();
    Layer layers = new Sequential(new Dense(8), new Sigmoid(), new Dense(1));
    try (DeepBeliefNet net = net(layers, preprocessing, units, data)) {
      net.pretrain(net.layers().get(0), QUICK, record);
    }
    return record.scales.isEmpty() ? null : record.scales.getFirst();
  }

  @Test
  void visibleUnitsThatAreNotOfUnitVarianceAreCountedAndConstantOnesApart() {
    VisibleScale raw = scale(new Preprocessing.None(), VisibleUnits.GAUSSIAN, uneven());
    assertTrue(raw.isOff(), raw::toString);
    assertEquals(20, raw.units());
    assertEquals(1, raw.constant());
    assertEquals(9, raw.far());
    // The deviation of a variance of 400 normal numbers is 7 %.
    assertEquals(1, raw.least(), 0.28);
    assertEquals(9, raw.greatest(), 9 * 0.28);
    VisibleScale prepared = scale(new Preprocessing.ZScore(), VisibleUnits.GAUSSIAN, uneven());
    assertFalse(prepared.isOff(), prepared::toString);
    assertEquals(1, prepared.constant());
    assertEquals(0, prepared.far());
    assertEquals(1, prepared.least(), 1e-5);
    assertEquals(1, prepared.greatest(), 1e-5);
    assertNull(scale(new Preprocessing.MinMax(), VisibleUnits.BINARY, uneven()), "binary units have no scale");
  }

  @Test
  void aStopLeavesTheLayerAsItWas() {
    try (DeepBeliefNet net = net(TWO_HIDDEN, new Preprocessing.MinMax(), VisibleUnits.BINARY, halves(100))) {
      HostTensor before = net.weights().get("dense1.weight");
      Seen record = new Seen();
      record.stopAfter = 11;
      assertFalse(net.pretrain(net.layers().get(0), QUICK, record));
      assertEquals(11, record.updates);
      assertTrue(same(before, net.weights().get("dense1.weight")));
    }
  }

  /** So that going on after an interruption is as if there had been none. */
  @Test
  void aNetThatGoesOnEndsWithTheSameBits() {
    try (DeepBeliefNet whole = net(TWO_HIDDEN, new Preprocessing.MinMax(), VisibleUnits.BINARY, halves(100));
        DeepBeliefNet second = net(TWO_HIDDEN, new Preprocessing.MinMax(), VisibleUnits.BINARY, halves(100))) {
      whole.pretrain(whole.layers().get(0), QUICK, new Seen());
      second.load(whole.weights());
      whole.pretrain(whole.layers().get(1), QUICK, new Seen());
      second.pretrain(second.layers().get(1), QUICK, new Seen());
      assertEquals(whole.weights().keySet(), second.weights().keySet());
      whole.weights().forEach((name, value) -> assertTrue(same(value, second.weights().get(name)), name));
      String message = assertThrows(IllegalArgumentException.class, () -> second.load(Map.of())).getMessage();
      assertTrue(message.contains("is F32["), message);
    }
  }

  private void assertRefused(String expected, Layer... layers) {
    String message =
        assertThrows(
                BadInputException.class,
                () -> net(new Sequential(layers), new Preprocessing.MinMax(), VisibleUnits.BINARY, halves(20)).close())
            .getMessage();
    assertTrue(message.startsWith(expected), message);
    assertEquals(1, message.lines().count());
    assertNotEquals("", message);
  }

  @Test
  void otherLayersAreRefused() {
    assertRefused("conv2d1 is of kind conv2d", new Conv2d(2, 3), new Flatten(), new Dense(2));
    assertRefused("relu1 behind dense1 is of kind relu", new Flatten(), new Dense(3), new ReLU(), new Dense(2));
    assertRefused(
        "dropout1 is of kind dropout", new Flatten(), new Dense(3), new Sigmoid(), new Dropout(), new Dense(2));
    assertRefused("dense1 has no bias", new Flatten(), new Dense(3).withoutBias(), new Sigmoid(), new Dense(2));
    assertRefused("the last layer is not dense", new Flatten(), new Dense(3), new Sigmoid());
    assertRefused("the model has no hidden layer", new Flatten(), new Dense(3));
  }

  @Test
  void inputsBeyondZeroAndOneAreRefusedByBinaryUnits() {
    try (DeepBeliefNet net = net(TWO_HIDDEN, new Preprocessing.None(), VisibleUnits.BINARY, halves(40))) {
      String message =
          assertThrows(BadInputException.class, () -> net.pretrain(net.layers().get(0), QUICK, new Seen()))
              .getMessage();
      assertTrue(message.contains("take inputs from 0 to 1, these go from 5.000 to 239"), message);
    }
  }

  @Test
  void optionsAreChecked() {
    ContrastiveDivergence one = new ContrastiveDivergence(1);
    List<org.junit.jupiter.api.function.Executable> wrong =
        Arrays.asList(
            () -> new PretrainingOptions(0, one, 0.1, 0.1, 0.9, 0.5, 5, 0),
            () -> new PretrainingOptions(1, one, 0, 0.1, 0.9, 0.5, 5, 0),
            () -> new PretrainingOptions(1, one, 0.1, Double.NaN, 0.9, 0.5, 5, 0),
            () -> new PretrainingOptions(1, one, 0.1, 0.1, 1, 0.5, 5, 0),
            () -> new PretrainingOptions(1, one, 0.1, 0.1, 0.9, -0.1, 5, 0),
            () -> new PretrainingOptions(1, one, 0.1, 0.1, 0.9, 0.5, -1, 0),
            () -> new PretrainingOptions(1, one, 0.1, 0.1, 0.9, 0.5, 5, -1));
    wrong.forEach(executable -> assertThrows(IllegalArgumentException.class, executable));
    assertEquals(0.5, PretrainingOptions.DEFAULTS.momentum(5));
    assertEquals(0.9, PretrainingOptions.DEFAULTS.momentum(6));
  }
}
