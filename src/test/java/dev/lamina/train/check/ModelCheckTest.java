package dev.lamina.train.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.BatchSize;
import dev.lamina.data.Dataset;
import dev.lamina.data.Preprocessing;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.io.BadInputException;
import dev.lamina.loss.BinaryCrossEntropy;
import dev.lamina.loss.MeanSquaredError;
import dev.lamina.loss.MultiClassHinge;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.init.Constant;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.nn.init.Zeros;
import dev.lamina.nn.recurrent.Gru;
import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.nn.recurrent.Rnn;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Momentum;
import dev.lamina.optim.Regularisation;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.Checkpoints;
import dev.lamina.train.Trainer;
import dev.lamina.train.TrainingOptions;
import dev.lamina.train.check.Finding.Level;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sound trainings pass, and each way of breaking one is called by its name. */
class ModelCheckTest {
  private static final TrainingOptions OPTIONS =
      TrainingOptions.DEFAULTS.with(new BatchSize.Fixed(32)).with(new Momentum(0.9, 0), 0.05);

  private final Arena arena = Arena.ofShared();
  private final Device device = new Devices().open("cpu", DeviceOptions.DEFAULT);

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  /** Grey images of 8 by 8 with a bright band, whose place is one of {@code classes}. */
  private Dataset bands(int classes) {
    SplittableRandom random = new SplittableRandom(4);
    int count = 120;
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, count, 8, 8, 1));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, count));
    for (int n = 0; n < count; n++) {
      labels.set(n, n % classes);
      for (int i = 0; i < 64; i++) {
        images.set(n * 64L + i, random.nextInt(100) + (i * classes / 64 == n % classes ? 120 : 0));
      }
    }
    List<String> names = IntStream.range(0, classes).mapToObj(Integer::toString).toList();
    return Dataset.labelled("bands", images, labels, names);
  }

  private static Layer net(Layer activation, Initializer weight, int outputs) {
    return new Sequential(
        new Conv2d(6, 3).init(weight),
        new BatchNorm(),
        activation,
        new MaxPool2d(2),
        new Flatten(),
        new Dropout(0.3),
        new Dense(12).init(weight),
        activation,
        new Dense(outputs).init(weight));
  }

  private static final Initializer SMALL = new Normal(0.1);

  private Map<String, Finding> check(Layer layers, TrainingOptions options, Dataset data) {
    List<Finding> findings = new ModelCheck(device, layers, options, 150).run(data);
    return findings.stream().collect(Collectors.toMap(Finding::name, Function.identity()));
  }

  private static void assertLevel(Level level, Map<String, Finding> findings, String name, String part) {
    Finding finding = findings.get(name);
    assertEquals(level, finding.level(), finding::toString);
    assertTrue(finding.sentence().contains(part), finding::toString);
  }

  @Test
  void aSoundTrainingHasNothingAgainstIt() {
    Map<String, Finding> findings = check(net(new ReLU(), SMALL, 4), OPTIONS, bands(4));
    findings.values().forEach(finding -> assertEquals(Level.OK, finding.level(), finding::toString));
    assertEquals(6, findings.size());
    assertLevel(Level.OK, findings, "gradients", "entries of all 8 parameters, on 3 examples in double");
    assertLevel(Level.OK, findings, "initial loss", "ln 4 = 1.3863");
    assertLevel(Level.OK, findings, "overfitting", "20 examples are learned by heart");
  }

  @Test
  void zerosAreCaught() {
    Map<String, Finding> findings = check(net(new ReLU(), new Zeros(), 4), OPTIONS, bands(4));
    assertLevel(Level.WARNING, findings, "symmetry", "conv2d1.weight, dense1.weight are all zeros");
    assertLevel(Level.FAILURE, findings, "overfitting", "not learned by heart");
    assertLevel(Level.OK, findings, "gradients", "agree");
  }

  @Test
  void equalUnitsAreCaught() {
    Map<String, Finding> findings = check(net(new Tanh(), new Constant(0.1), 4), OPTIONS, bands(4));
    assertLevel(
        Level.WARNING, findings, "symmetry", "all units have the same weights in conv2d1.weight, dense1.weight");
  }

  @Test
  void hiddenSigmoidsAndSaturationAreCaught() {
    Map<String, Finding> sigmoid = check(net(new Sigmoid(), SMALL, 4), OPTIONS, bands(4));
    assertLevel(Level.WARNING, sigmoid, "activations", "2 hidden layers are sigmoids");
    Layer wild = new Sequential(new Flatten(), new Dense(30).init(new Normal(3)), new Tanh(), new Dense(4));
    Map<String, Finding> saturated = check(wild, OPTIONS, bands(4));
    assertLevel(Level.WARNING, saturated, "activations", "of the units of tanh1 are saturated");
  }

  @Test
  void inputsThatAreNotCentredAreCaught() {
    Map<String, Finding> raw = check(net(new ReLU(), SMALL, 4), OPTIONS.with(new Preprocessing.None()), bands(4));
    assertLevel(Level.WARNING, raw, "inputs", "not centred: the only channel has mean 7");
  }

  /** Of hundreds of means of a sample some are far from 0 by chance. */
  @Test
  void whatIsCentredAsAWholeIsNotHeldAgainstASample() {
    SplittableRandom random = new SplittableRandom(4);
    int count = 1500;
    int features = 300;
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(count, features));
    HostTensor targets = HostTensor.allocate(arena, TensorType.f32(count, 1));
    for (long i = 0; i < inputs.size(); i++) {
      // The last one is 0 but in one of the examples.
      inputs.set(i, i % features < features - 1 ? random.nextGaussian() : i / features == 700 ? 1 : 0);
    }
    Dataset data = Dataset.withTargets("noise", inputs, targets);
    TrainingOptions options =
        OPTIONS.with(new MeanSquaredError()).with(new Preprocessing.ZScore(Preprocessing.Per.PIXEL));
    assertLevel(Level.OK, check(new Dense(1), options, data), "inputs", "centred as the network sees them");
    for (long i = 3; i < inputs.size(); i += features) {
      inputs.set(i, inputs.get(i) + 0.5);
    }
    Map<String, Finding> shifted = check(new Dense(1), options.with(new Preprocessing.None()), data);
    assertLevel(Level.WARNING, shifted, "inputs", "1 of 300 channels are not centred: channel 3");
  }

  @Test
  void recurrentLayersAreSeenAsTheyAre() {
    Layer gru = new Sequential(new Gru(6), new Dense(4));
    assertLevel(Level.OK, check(gru, OPTIONS, bands(4)), "symmetry", "weights of their own");
    // Its gates are near 0 at the first step, and far away from it at all others.
    Layer lstm = new Sequential(new Lstm(6).init(new Normal(0.1), new Normal(1000)), new Dense(4));
    assertLevel(Level.WARNING, check(lstm, OPTIONS, bands(4)), "activations", "of the units of lstm1 are saturated");
  }

  private Finding throughTime(Rnn rnn, TrainingOptions options) {
    return check(new Sequential(rnn, new Dense(4)), options, bands(4)).get("gradients through time");
  }

  private static Rnn linear(double scale) {
    return new Rnn(8).with(Rnn.Nonlinearity.LINEAR).init(new Xavier(), new Orthogonal(scale));
  }

  /** Through eight rows and seven products with a scaled rotation. */
  @Test
  void whatIsLeftOfAGradientAtTheFirstStepIsTold() {
    String name = "gradients through time";
    Map<String, Finding> whole = Map.of(name, throughTime(linear(1), OPTIONS));
    assertLevel(
        Level.OK, whole, name, "rnn1: 1.0 times the gradient of the last step arrives at the first of 8: it holds");
    Map<String, Finding> small = Map.of(name, throughTime(linear(0.1), OPTIONS));
    assertLevel(Level.WARNING, small, name, "rnn1: 1.0e-07 times");
    assertLevel(Level.WARNING, small, name, "it vanishes, and the first 5 get less than 1/1000 of it");
    Map<String, Finding> large = Map.of(name, throughTime(linear(4), OPTIONS));
    assertLevel(Level.WARNING, large, name, "rnn1: 1.6e+04 times");
    assertLevel(Level.WARNING, large, name, "it explodes; clip it");
    Map<String, Finding> clipped = Map.of(name, throughTime(linear(4), OPTIONS.with(new GradientClip.ByNorm(1))));
    assertLevel(Level.OK, clipped, name, "it explodes, and is clipped");
    Map<String, Finding> cut = Map.of(name, throughTime(linear(0.1).truncated(3), OPTIONS));
    assertLevel(
        Level.OK, cut, name, "0.010 times the gradient of the last step arrives at step 6, the first that it is");
    assertLevel(Level.FAILURE, Map.of(name, throughTime(linear(1e20), OPTIONS)), name, "the gradient overflows");
    Layer two = new Sequential(new Lstm(6).sequences(), linear(0.1), new Dense(4).init(SMALL));
    Map<String, Finding> stacked = check(two, OPTIONS, bands(4));
    assertLevel(Level.WARNING, stacked, name, "lstm1: ");
    assertLevel(Level.WARNING, stacked, name, "; rnn1: ");
    Layer dark = new Sequential(linear(1), new Dense(4).init(new Zeros()));
    assertLevel(Level.OK, check(dark, OPTIONS, bands(4)), name, "no gradient arrives at its last step");
  }

  /** A gradient that is cut is no derivative, as it should be. */
  @Test
  void truncationIsNoWrongGradient() {
    for (Layer layer : List.of(new Rnn(6).truncated(3), new Lstm(6).truncated(3), new Gru(6).truncated(3))) {
      assertLevel(Level.OK, check(new Sequential(layer, new Dense(4)), OPTIONS, bands(4)), "gradients", "agree with");
    }
  }

  @Test
  void aTrainingThatBeginsWithASavedModelIsCheckedWithItsWeights(@TempDir Path run) {
    Layer model = net(new ReLU(), SMALL, 4);
    Trainer trainer = new Trainer(device, model).options(OPTIONS.withEpochs(20));
    trainer.checkpoints(new Checkpoints(run), "").fit(bands(4)).close();
    Map<String, Finding> findings = check(net(new ReLU(), new Zeros(), 4), OPTIONS.withFrom(run), bands(4));
    findings.values().forEach(finding -> assertEquals(Level.OK, finding.level(), finding::toString));
    assertLevel(Level.OK, findings, "initial loss", "this one begins with what another learned");
    assertLevel(Level.OK, findings, "overfitting", "20 examples are learned by heart in 1 steps");
  }

  @Test
  void tooSmallARateIsCaught() {
    Map<String, Finding> findings = check(net(new ReLU(), SMALL, 4), OPTIONS.with(new Sgd(), 1e-7), bands(4));
    assertLevel(Level.FAILURE, findings, "overfitting", "hardly moved: the rate is too small");
  }

  @Test
  void tooLargeARateIsCaught() {
    Layer linear = new Sequential(new Flatten(), new Dense(20), new Dense(1));
    Map<String, Finding> findings = check(linear, OPTIONS.with(new MeanSquaredError()).with(new Sgd(), 1e3), numbers());
    assertLevel(Level.FAILURE, findings, "overfitting", "not finite in step");
  }

  private Dataset numbers() {
    SplittableRandom random = new SplittableRandom(4);
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(60, 5));
    HostTensor targets = HostTensor.allocate(arena, TensorType.f32(60, 1));
    for (int n = 0; n < 60; n++) {
      double sum = 0;
      for (int i = 0; i < 5; i++) {
        double x = random.nextGaussian();
        sum += i * x;
        inputs.set(n * 5L + i, x);
      }
      targets.set(n, sum);
    }
    return Dataset.withTargets("numbers", inputs, targets);
  }

  @Test
  void lossesOfOtherKindsHaveTheirOwnTheory() {
    TrainingOptions hinge = OPTIONS.with(new MultiClassHinge().summed());
    assertLevel(Level.OK, check(net(new ReLU(), SMALL, 4), hinge, bands(4)), "initial loss", "(4 − 1) = 3.0000");
    Dataset two = bands(2).withBinaryTargets(arena);
    Map<String, Finding> binary = check(net(new ReLU(), SMALL, 1), OPTIONS.with(new BinaryCrossEntropy()), two);
    binary.values().forEach(finding -> assertEquals(Level.OK, finding.level(), finding::toString));
    assertLevel(Level.OK, binary, "initial loss", "ln 2 = 0.6931");
    Layer line = new Sequential(new Dense(20), new Tanh(), new Dense(1));
    Map<String, Finding> regression =
        check(line, OPTIONS.with(new MeanSquaredError()).with(new Momentum(0.9, 0), 0.02), numbers());
    regression.values().forEach(finding -> assertEquals(Level.OK, finding.level(), finding::toString));
  }

  @Test
  void regularisationMakesTheInitialLossHigher() {
    Map<String, Finding> findings = check(net(new ReLU(), SMALL, 4), OPTIONS.with(new Sgd(0.1), 0.05), bands(4));
    assertLevel(Level.OK, findings, "initial loss", "with the penalty of regularisation, which is higher");
    Map<String, Finding> l1 = check(net(new ReLU(), SMALL, 4), OPTIONS.with(new Regularisation(10, 0)), bands(4));
    assertLevel(Level.WARNING, l1, "initial loss", "outweighs the data");
  }

  @Test
  void aFirstLossFarFromTheoryIsNamed() {
    Layer loud = new Sequential(new Flatten(), new Dense(4).init(new Normal(5)));
    assertLevel(Level.WARNING, check(loud, OPTIONS, bands(4)), "initial loss", "smaller weights");
  }

  @Test
  void aModelThatDoesNotFitTheDataIsRefused() {
    assertThrows(BadInputException.class, () -> check(net(new ReLU(), SMALL, 3), OPTIONS, bands(4)));
  }
}
