package dev.lamina.nn.recurrent;

import dev.lamina.graph.Tensor;
import dev.lamina.nn.Scope;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Lsuv;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/**
 * The way of a recurrent layer through a sequence, which is the same for all cells: one matrix product for the input of
 * all steps and all gates, then step after step.
 *
 * @param layer the layer's name in messages
 * @param gates matrices that are stacked in each weight
 * @param units width of the state
 * @param returnSequences whether the output has all steps, or the last only
 * @param truncate after how many steps the gradient is cut; 0 for never. Counted back from the end if the output is the
 *     last step, which so always has that many behind it, and from the begin if it is all steps
 */
record Recurrence(String layer, int gates, int units, boolean returnSequences, int truncate) {
  Recurrence {
    if (units < 1) {
      throw new IllegalArgumentException(layer + ": expected 1 unit or more, got " + units);
    }
    if (truncate < 0) {
      throw new IllegalArgumentException(
          layer + ": truncate is the number of steps that a gradient goes back, or 0 for all; got " + truncate);
    }
  }

  /** For the constructors of layers: their components make sense, and all needed initializers are there. */
  void require(Initializer... needed) {
    for (Initializer initializer : needed) {
      if (initializer == null) {
        throw new IllegalArgumentException(layer + ": a weight has no initializer");
      }
      if (initializer instanceof Lsuv) {
        throw new IllegalArgumentException(
            layer + ": lsuv scales a layer by its output, which a gate does not have; take orthogonal or xavier");
      }
    }
  }

  /**
   * Adds the layer to the graph of {@code x}.
   *
   * @param bias fills the bias [gates·units], or null
   */
  Tensor forward(Tensor x, Scope scope, Initializer weight, Initializer recurrent, Initializer bias, Cell cell) {
    Tensor sequence = sequence(x, scope);
    int n = sequence.shape().dim(0);
    int time = sequence.shape().dim(1);
    int features = sequence.shape().dim(2);
    int rows = Math.multiplyExact(gates, units);
    Tensor inputWeight = scope.parameter("weight", Shape.of(rows, features), new PerGate(weight, gates));
    Tensor stateWeight =
        scope.parameter("recurrent", Shape.of(rows, units), new PerGate(recurrent, gates)).cast(x.dtype());
    Tensor examples = sequence.permute(1, 0, 2).reshape(Math.multiplyExact(time, n), features);
    if (bias != null) {
      // One more feature that is always 1: the bias costs no pass over all gates of all steps, forward or backward.
      Tensor column = scope.parameter("bias", Shape.of(rows), bias, false).reshape(rows, 1);
      Tensor ones = x.graph().constant(new TensorType(Shape.of(time * n, 1), x.dtype()), 1);
      inputWeight = Tensor.concat(1, List.of(inputWeight, column));
      examples = Tensor.concat(1, List.of(examples, ones));
    }
    // One product for all steps. With the steps in front, gates are pieces of memory from here on.
    Tensor product = inputWeight.cast(x.dtype()).matmul(examples, false, true).reshape(rows, time, n);
    Tensor inputs = product.permute(1, 0, 2).reshape(Math.multiplyExact(time, rows), n);
    List<Tensor> steps = new ArrayList<>();
    List<Tensor> state = List.of();
    int origin = returnSequences ? 0 : time;
    for (int t = 0; t < time; t++) {
      if (truncate > 0 && (t - origin) % truncate == 0) {
        state = state.stream().map(Tensor::detach).toList();
      }
      state = cell.next(inputs.slice(0, t * rows, (t + 1) * rows), stateWeight, state);
      steps.add(state.getFirst());
    }
    scope.unrolled(steps);
    return returnSequences
        ? Tensor.concat(0, steps).reshape(time, units, n).permute(2, 0, 1)
        : steps.getLast().permute(1, 0);
  }

  private Tensor sequence(Tensor x, Scope scope) {
    Shape shape = x.shape();
    return switch (shape.rank()) {
      case 3 -> x;
      case 4 -> x.reshape(shape.dim(0), shape.dim(1), Math.multiplyExact(shape.dim(2), shape.dim(3)));
      default ->
          throw new IllegalArgumentException(
              (scope.path().isEmpty() ? "" : scope.path() + ": ")
                  + layer
                  + ": expected sequences [n,time,features], or images [n,h,w,c], which are read row by row, got "
                  + shape
                  + (shape.rank() == 2
                      ? "; is a Flatten before it too many, does the recurrent layer before it return its last step"
                          + " only, or is a Reshape to [time, features] missing?"
                      : ""));
    };
  }

  /** Gate {@code index} of a stack. */
  Tensor gate(Tensor stack, int index) {
    return stack.slice(0, index * units, (index + 1) * units);
  }
}
