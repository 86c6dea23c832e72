package dev.lamina.graph.passes;

import dev.lamina.graph.Op;
import dev.lamina.tensor.TensorType;
import java.util.List;

/** What the device that a graph is optimised for can run. */
@FunctionalInterface
public interface Support {

  /** Whether {@code op} runs as one kernel on inputs of the given types. */
  boolean runs(Op op, List<TensorType> inputs);
}
