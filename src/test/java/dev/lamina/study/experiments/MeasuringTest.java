package dev.lamina.study.experiments;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.study.Computation;
import dev.lamina.study.Numbers;
import dev.lamina.study.Setting;
import dev.lamina.study.Settings;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What studies measure with, against the same sums on the host. */
class MeasuringTest {
  private static final float[] VALUES = {-1, -0.5f, 0, 0.25f, 0.5f, 1, 1, 2};

  private static Setting setting(Device device) {
    return Settings.of(device, true, 3, new Mnist(), _ -> {});
  }

  private static Device open(String name) {
    return new Devices().open(name, new DeviceOptions(2));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "reference"})
  void statisticsOfATensor(String name) {
    Graph graph = new Graph();
    Tensor x = graph.input("x", TensorType.f32(2, 4));
    graph.output("mean", Statistics.mean(x, DType.F64));
    graph.output("deviation", Statistics.deviation(x, DType.F64));
    graph.output("norm", Statistics.norm(x, DType.F64));
    graph.output("share", Statistics.share(x, Exprs.input(0), Relation.GE, 1, DType.F64));
    Tensor high = Statistics.largest(x);
    graph.output("histogram", x.histogram(Statistics.least(x), high, 3));
    try (Device device = open(name);
        Computation computation = new Computation(device, graph);
        Arena arena = Arena.ofConfined()) {
      computation.stage("x", HostTensor.of(arena, Shape.of(2, 4), VALUES));
      computation.run();
      // Σx = 3.25, Σx² = 1 + ¼ + 1/16 + ¼ + 1 + 1 + 4 = 7.5625
      double mean = 3.25 / 8;
      assertEquals(mean, computation.read("mean")[0], 1e-7);
      assertEquals(Math.sqrt(7.5625 / 8 - mean * mean), computation.read("deviation")[0], 1e-7);
      assertEquals(Math.sqrt(7.5625), computation.read("norm")[0], 1e-7);
      assertEquals(3 / 8.0, computation.read("share")[0], 1e-7);
      // Edges at −1, 0, 1, 2: what lies on one belongs to the right, but for the last.
      assertArrayEquals(new double[] {2, 3, 3}, computation.read("histogram"));
    }
  }

  @Test
  void aStackGivesTheDeviationsThatTheHostComputes() {
    int n = 12;
    double std = 0.3;
    try (Device device = open("cpu");
        SignalStack stack = new SignalStack(setting(device), n, n, 2, new Tanh(), 0);
        Arena arena = Arena.ofConfined()) {
      stack.draw(5);
      SignalStack.Signals signals = stack.at(std);
      double[][] x = drawn(arena, "inputs", n);
      for (int layer = 0; layer < 2; layer++) {
        x = passed(x, drawn(arena, "weight" + layer, n), std);
        double[] all = java.util.Arrays.stream(x).flatMapToDouble(java.util.Arrays::stream).toArray();
        double population = Numbers.deviation(all) * Math.sqrt((all.length - 1.0) / all.length);
        assertEquals(population, signals.deviation()[layer], 1e-5);
      }
    }
  }

  private static double[][] drawn(Arena arena, String name, int n) {
    HostTensor value = HostTensor.allocate(arena, TensorType.f32(n, n));
    new Normal(1).fill(value, Initializer.generator(5, name));
    double[][] matrix = new double[n][n];
    for (int i = 0; i < n * n; i++) {
      matrix[i / n][i % n] = value.get(i);
    }
    return matrix;
  }

  private static double[][] passed(double[][] x, double[][] weight, double std) {
    int n = x.length;
    double[][] y = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        for (int k = 0; k < n; k++) {
          y[i][j] += x[i][k] * weight[k][j] * std;
        }
        y[i][j] = Math.tanh(y[i][j]);
      }
    }
    return y;
  }

  @Test
  void theHistogramsOfAStackCountEveryValue() {
    try (Device device = open("cpu");
        SignalStack stack = new SignalStack(setting(device), 20, 10, 3, new ReLU(), 7)) {
      stack.draw(1);
      for (double[] layer : stack.at(1).histogram()) {
        assertEquals(200, java.util.Arrays.stream(layer).sum());
      }
    }
  }
}
