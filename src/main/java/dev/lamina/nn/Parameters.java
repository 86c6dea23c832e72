package dev.lamina.nn;

import dev.lamina.graph.Variable;
import dev.lamina.nn.init.Initializer;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * What the layers of one model asked for: its weights and statistics, each under its path. Filled by tracing; tracing
 * the same model again (for evaluation, or another batch size) finds the same variables.
 */
public final class Parameters {

  /**
   * A variable and how it begins.
   *
   * @param variable its name, type and kind
   * @param initializer fills it before the first step
   * @param decayed whether weight decay applies: true for weights of dense and convolution layers, false for biases and
   *     norm scales
   */
  public record Declaration(Variable variable, Initializer initializer, boolean decayed) {}

  private final SequencedMap<String, Declaration> declarations = new LinkedHashMap<>();

  /** All of them, in the order of the first trace. */
  public Collection<Declaration> all() {
    return List.copyOf(declarations.values());
  }

  /** The weights: what gradient descent learns. */
  public List<Variable> weights() {
    return declarations.values().stream()
        .map(Declaration::variable)
        .filter(variable -> variable.kind() == Variable.Kind.WEIGHT)
        .toList();
  }

  /** The number of learned values. */
  public long count() {
    return weights().stream().mapToLong(weight -> weight.type().shape().size()).sum();
  }

  Variable declare(Variable variable, Initializer initializer, boolean decayed) {
    Declaration old = declarations.putIfAbsent(variable.name(), new Declaration(variable, initializer, decayed));
    if (old != null && !old.variable().equals(variable)) {
      throw new IllegalArgumentException(
          variable.name()
              + ": it is "
              + old.variable().type()
              + " in this model, and was now asked for as "
              + variable.type());
    }
    return variable;
  }
}
