package dev.lamina.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Dataset;
import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.MemoryLimit;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Lsuv;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.nn.init.Zeros;
import dev.lamina.nn.recurrent.Rnn;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Sgd;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What studies train and look with. */
class PiecesTest {
  private static final int EXAMPLES = 40;

  private final Device device = new Devices().open("cpu", new DeviceOptions(2));
  private final Arena arena = Arena.ofShared();
  private final Setting setting = Settings.of(device, true, 0, new Mnist(), _ -> {});

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  /** Grey pictures of 2 × 2 whose brighter column is the class. */
  private Dataset columns() {
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, EXAMPLES, 2, 2, 1));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, EXAMPLES));
    for (int i = 0; i < EXAMPLES; i++) {
      labels.set(i, i % 2);
      for (int p = 0; p < 4; p++) {
        images.set(i * 4L + p, (p % 2 == i % 2 ? 150 : 20) + (i * 7 + p * 13) % 50);
      }
    }
    return Dataset.labelled("columns", images, labels, List.of("left", "right"));
  }

  @Test
  void experimentsWithNeighbouringSeedsHaveNoDrawInCommon() {
    Set<Long> seeds = new HashSet<>();
    for (long seed = -1; seed < 3; seed++) {
      Setting one = Settings.of(device, true, seed, new Mnist(), _ -> {});
      for (int number = 0; number < 1000; number++) {
        assertTrue(seeds.add(one.seed(number)));
      }
      assertThrows(IllegalArgumentException.class, () -> one.seed(1000));
    }
    assertEquals(7, setting.seed(7), "by default the draws are numbered from 0");
  }

  @Test
  void aCourseLearnsAndItsPredictionsAreItsAccuracy() {
    Dataset data = columns();
    var network = Networks.dense(1, 8, 2, new ReLU(), new He());
    try (Course course = new Course(setting, network, new Sgd(), data, 10, 1)) {
      assertEquals(4, course.stepsPerEpoch());
      double first = course.train(4, 0.1).loss();
      double last = course.train(40, 0.1).loss();
      assertTrue(last < first / 2, first + " to " + last);
      assertFalse(course.diverged());
      double[][] probabilities = course.predict(data);
      long right = 0;
      for (int i = 0; i < EXAMPLES; i++) {
        assertEquals(1, probabilities[i][0] + probabilities[i][1], 1e-6);
        right += (probabilities[i][1] > probabilities[i][0] ? 1 : 0) == data.label(i) ? 1 : 0;
      }
      assertEquals(course.judge(data).accuracy(), right / (double) EXAMPLES, 1e-9);
    }
  }

  @Test
  void aCourseThatDivergedHasNoLossAtItsEnd() {
    var network = Networks.dense(1, 8, 2, new ReLU(), new He());
    try (Course course = new Course(setting, network, new Sgd(), columns(), 10, 1);
        Course lost = new Course(setting, network, new Sgd(), columns(), 10, 1)) {
      double[] losses = course.losses(8, 0.1, 4);
      assertEquals(4, losses.length);
      assertTrue(losses[3] < losses[0], Arrays.toString(losses));
      losses = lost.losses(8, 1e30, 4);
      assertTrue(lost.diverged());
      assertTrue(Double.isNaN(losses[3]), Arrays.toString(losses));
    }
  }

  @Test
  void aCourseSaysWhatItsDataMadeOfTheWeightsTheyDecideOn() {
    Dataset data = columns();
    var network = Networks.dense(2, 6, 2, new ReLU(), new Lsuv());
    try (Course course = new Course(setting, network, new Sgd(), data, EXAMPLES, 1);
        LayerProbe probe =
            new LayerProbe(
                setting,
                course,
                data,
                (outputs, labels) -> {
                  for (int i = 0; i < 3; i++) {
                    labels.graph().output("deviation" + i, Statistics.deviation(outputs.get(2 + 2 * i), DType.F64));
                  }
                })) {
      // The batch is all there is, so what was scaled on it is what is seen now.
      Computation seen = probe.look(course);
      assertEquals(3, course.scaled().size());
      for (int i = 0; i < 3; i++) {
        assertEquals(course.scaled().get(i).after(), Math.pow(seen.read("deviation" + i)[0], 2), 1e-5);
        assertEquals(1, course.scaled().get(i).after(), 0.1);
      }
    }
    try (Course drawn = new Course(setting, Networks.dense(2, 6, 2, new ReLU(), new He()), new Sgd(), data, 10, 1)) {
      assertEquals(List.of(), drawn.scaled());
    }
  }

  @Test
  void aProbeSeesTheWeightsAsTheyAreNow() {
    Dataset data = columns();
    var network = Networks.dense(1, 3, 2, new ReLU(), new Zeros());
    try (Course course = new Course(setting, network, new Sgd(), data, EXAMPLES, 1);
        LayerProbe probe =
            new LayerProbe(
                setting,
                course,
                data,
                (outputs, labels) -> {
                  labels.graph().output("input", Statistics.deviation(outputs.getFirst(), DType.F64));
                  labels.graph().output("logits", outputs.getLast());
                  labels
                      .graph()
                      .output("weight", Statistics.norm(LayerProbe.weight(outputs, "dense2.weight"), DType.F64));
                })) {
      Computation seen = probe.look(course);
      assertEquals(1, seen.read("input")[0], 1e-6, "inputs are scaled to unit deviation");
      assertEquals(0, Arrays.stream(seen.read("logits")).map(Math::abs).sum());
      assertEquals(0, seen.read("weight")[0]);
    }
    try (Course course = new Course(setting, Networks.dense(1, 3, 2, new ReLU(), new He()), new Sgd(), data, 10, 1);
        LayerProbe probe =
            new LayerProbe(
                setting, course, data, (outputs, labels) -> labels.graph().output("logits", outputs.getLast()))) {
      double[] before = probe.look(course).read("logits");
      course.train(4, 0.1);
      double[] after = probe.look(course).read("logits");
      assertFalse(Arrays.equals(before, after));
      double[][] probabilities = course.predict(data);
      for (int i = 0; i < EXAMPLES; i++) {
        double expected = 1 / (1 + Math.exp(after[2 * i + 1] - after[2 * i]));
        assertEquals(expected, probabilities[i][0], 1e-5);
      }
    }
  }

  /** Two rows are two steps; between them is one product with a matrix whose singular values are all 0.5. */
  @Test
  void aLinearRecurrenceLeavesOfTheGradientWhatItsRadiusSays() {
    var layer = new Rnn(4).with(Rnn.Nonlinearity.LINEAR).init(new Xavier(), new Orthogonal(0.5));
    var network = new Sequential(layer, new Dense(2));
    try (Course course =
        new Course(setting, network, new Sgd(), columns(), 10, 1, spec -> spec.clip(new GradientClip.ByNorm(1)))) {
      double[] norms = course.gradientsThroughTime().steps();
      assertEquals(2, norms.length);
      assertEquals(0.5, norms[0] / norms[1], 1e-5);
    }
  }

  /** Of 20 MiB the weight takes 4 and intermediate values 8; input and result, asked for last, are too much. */
  @Test
  void aComputationThatDoesNotFitLeavesNothingOnTheDevice() {
    Graph graph = new Graph();
    Tensor x = graph.input("x", TensorType.f32(1024, 1024));
    Variable weight = new Variable("weight", TensorType.f32(1024, 1024), Variable.Kind.WEIGHT);
    graph.output("y", x.matmul(graph.read(weight)).map(Exprs::exp));
    try (Device small = limited(14)) {
      long free = small.availableMemory();
      assertThrows(OutOfDeviceMemoryException.class, () -> new Computation(small, graph).close());
      assertEquals(free, small.availableMemory());
    }
    try (Device large = limited(64);
        Computation fits = new Computation(large, graph)) {
      assertEquals(List.of(weight), fits.variables());
    }
  }

  private static Device limited(int mebibytes) {
    return new Devices()
        .open("cpu", new DeviceOptions(1).withMemoryLimit(new MemoryLimit.Bytes(mebibytes * (1L << 20))));
  }

  /** The batches are made when the model is there. */
  @Test
  void aCourseWithoutEnoughExamplesLeavesNothingOnTheDevice() {
    try (Device limited = limited(64)) {
      long free = limited.availableMemory();
      Setting small = Settings.of(limited, true, 0, new Mnist(), _ -> {});
      var network = Networks.dense(1, 8, 2, new ReLU(), new He());
      Dataset data = columns();
      assertThrows(BadInputException.class, () -> new Course(small, network, new Sgd(), data, EXAMPLES + 1, 1).close());
      assertEquals(free, limited.availableMemory());
      try (Course fits = new Course(small, network, new Sgd(), data, EXAMPLES, 1)) {
        assertEquals(1, fits.stepsPerEpoch());
        assertTrue(limited.availableMemory() < free, "what a course takes is seen");
      }
    }
  }
}
