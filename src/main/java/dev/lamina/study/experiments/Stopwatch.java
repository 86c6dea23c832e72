package dev.lamina.study.experiments;

import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.study.Computation;
import dev.lamina.study.Setting;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;

/** How long an activation takes on a device, forward and backward. */
final class Stopwatch {
  private static final int COLUMNS = 1024;

  /** Enough for the compiler of the virtual machine to be done with a kernel. */
  private static final int WARM_UP = 20;

  /** The fastest of them counts: whatever else a machine does can only make a run longer. */
  private static final int RUNS = 30;

  private Stopwatch() {}

  /** Values in each of four arrays: 16 MiB, more than caches of one core hold. */
  private static int rows(Setting setting) {
    return setting.sized(4096, 256);
  }

  /** What is measured. */
  static String words(Setting setting) {
    return "y = f(x) and f'(x)·g of "
        + rows(setting) * COLUMNS
        + " values, the fastest of "
        + RUNS
        + " runs after "
        + WARM_UP
        + " to warm up,";
  }

  /** Nanoseconds for a value's output and gradient, x and the gradient of y given. */
  static double nanosPerValue(Setting setting, Layer activation) {
    TensorType type = TensorType.f32(rows(setting), COLUMNS);
    Variable input = new Variable("input", type, Variable.Kind.STATISTIC);
    Variable above = new Variable("above", type, Variable.Kind.STATISTIC);
    Graph graph = new Graph();
    Tensor x = graph.read(input);
    Tensor step = graph.input("step", TensorType.of(DType.I32));
    Scope scope = Scope.root(graph, Scope.Mode.TRAINING, new Parameters(), DType.F32, setting.seed(0), step);
    Tensor y = scope.applyAll(List.of(activation), x);
    graph.output("y", y);
    graph.output("gradient", Gradients.of(y.times(graph.read(above)).sum(), List.of(x)).getFirst());
    try (Computation computation = new Computation(setting.device(), graph);
        Arena arena = Arena.ofConfined()) {
      for (Variable variable : List.of(input, above)) {
        HostTensor values = HostTensor.allocate(arena, type);
        new Normal(1).fill(values, Initializer.generator(setting.seed(0), variable.name()));
        computation.write(variable, values);
      }
      double fastest = Double.POSITIVE_INFINITY;
      for (int run = 0; run < WARM_UP + RUNS; run++) {
        long begun = System.nanoTime();
        computation.run();
        setting.device().synchronize();
        if (run >= WARM_UP) {
          fastest = Math.min(fastest, System.nanoTime() - begun);
        }
      }
      return fastest / type.shape().size();
    }
  }
}
