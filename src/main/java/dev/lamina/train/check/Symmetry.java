package dev.lamina.train.check;

import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters.Declaration;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.CompiledModel;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Looks for layers all of whose units begin the same: they get the same gradients, and stay the same for ever. The last
 * layer is left out, for its units have different targets.
 */
final class Symmetry {
  private static final String NAME = "symmetry";

  private Symmetry() {}

  /** {@code model} has its initial weights. */
  static Finding of(CompiledModel model) {
    List<Variable> weights =
        model.parameters().all().stream()
            .filter(declaration -> declaration.decayed() && declaration.variable().type().shape().rank() >= 2)
            .map(Declaration::variable)
            .toList();
    List<String> zero = new ArrayList<>();
    List<String> equal = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      Map<String, HostTensor> values = model.weights(arena);
      for (Variable weight : weights.subList(0, Math.max(0, weights.size() - 1))) {
        HostTensor value = values.get(weight.name());
        if (weight.type().shape().dim(0) > 1 && unitsAreEqual(value)) {
          (isZero(value) ? zero : equal).add(weight.name());
        }
      }
    }
    if (zero.isEmpty() && equal.isEmpty()) {
      return Finding.ok(NAME, "the units of each layer begin with weights of their own");
    }
    List<String> parts = new ArrayList<>();
    if (!zero.isEmpty()) {
      parts.add(String.join(", ", zero) + (zero.size() == 1 ? " is" : " are") + " all zeros");
    }
    if (!equal.isEmpty()) {
      parts.add("all units have the same weights in " + String.join(", ", equal));
    }
    return Finding.warning(
        NAME,
        String.join("; ", parts)
            + ": units that begin the same get the same gradient and stay the same for ever; draw weights at random"
            + " (he, xavier, lsuv)");
  }

  private static boolean unitsAreEqual(HostTensor weight) {
    long inputs = weight.shape().sliceSize();
    for (long i = inputs; i < weight.size(); i++) {
      if (weight.get(i) != weight.get(i % inputs)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isZero(HostTensor weight) {
    for (long i = 0; i < weight.size(); i++) {
      if (weight.get(i) != 0) {
        return false;
      }
    }
    return true;
  }
}
