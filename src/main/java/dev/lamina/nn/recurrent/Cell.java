package dev.lamina.nn.recurrent;

import dev.lamina.graph.Tensor;
import java.util.List;

/**
 * One step of a recurrent layer. Everything lies as [rows, n], examples side by side: so that one gate of all examples
 * is one piece of memory.
 */
@FunctionalInterface
interface Cell {

  /**
   * The state after a step; its first tensor is the output, [units, n].
   *
   * @param input the input's share of all gates, [gates·units, n]
   * @param recurrent the recurrent weights, [gates·units, units]
   * @param state after the step before; empty, which stands for zeros, in the first
   */
  List<Tensor> next(Tensor input, Tensor recurrent, List<Tensor> state);
}
