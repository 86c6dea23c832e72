package dev.lamina.benchmarks.compare;

import dev.lamina.benchmarks.Definition;
import dev.lamina.benchmarks.GraphWorkload;
import dev.lamina.benchmarks.Problem;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.stream.Stream;

/**
 * Reads and writes as many bytes as the operands and results of a task have, and computes nothing: the memory's roof.
 */
final class CopyContender implements Contender {
  private final Device device;

  CopyContender(int threads) {
    device = new Devices().open("cpu", new DeviceOptions(threads));
  }

  @Override
  public String name() {
    return "a copy of as many bytes";
  }

  @Override
  public Trial prepare(Task task) {
    if (!(task instanceof Task.Operations operations)) {
      throw new IllegalArgumentException("only operations have a copy beside them, not " + task.name());
    }
    int half = Math.toIntExact(bytes(operations) / DType.F32.bytes() / 2);
    return new Copy(new GraphWorkload(device, new Definition(problem -> copy(problem, half), half, 1)));
  }

  /** Of all that is read or written once. */
  private static long bytes(Task.Operations task) {
    var problem = new Problem(DType.F32);
    task.problem().accept(problem);
    Graph graph = problem.graph();
    Stream<TensorType> read = problem.variables().stream().map(Variable::type);
    Stream<TensorType> written = graph.outputs().values().stream().map(Tensor::type);
    return Stream.concat(read, written).mapToLong(type -> type.shape().size() * type.dtype().bytes()).sum();
  }

  private static void copy(Problem problem, int elements) {
    Tensor x = problem.normal("x", 1, elements);
    problem.graph().output("copy", problem.graph().one(new Op.Pack(List.of(0L), elements), x));
  }

  @Override
  public void close() {
    device.close();
  }

  private record Copy(GraphWorkload workload) implements Trial {
    @Override
    public void run() {
      workload.run();
    }

    @Override
    public float[] results() {
      return new float[0];
    }

    @Override
    public void close() {
      workload.close();
    }
  }
}
