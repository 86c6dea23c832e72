package dev.lamina.benchmarks;

import dev.lamina.device.Device;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import java.util.List;
import org.openjdk.jmh.annotations.Param;

/** A copy of one tensor: the roof that what moves more than it computes is held against. */
public class CopyBenchmark extends DeviceBenchmark {
  @Param public Footprint size;

  @Override
  Workload prepare(Device on) {
    return new GraphWorkload(on, new Definition(this::copy, size.elements(), 1));
  }

  private void copy(Problem problem) {
    Tensor x = problem.normal("x", 1, size.elements());
    problem.graph().output(Definition.RESULT, problem.graph().one(new Op.Pack(List.of(0L), size.elements()), x));
  }
}
