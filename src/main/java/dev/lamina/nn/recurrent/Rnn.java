package dev.lamina.nn.recurrent;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Scope;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.nn.init.Zeros;
import java.util.List;

/**
 * The plain recurrent layer: {@code h_t = f(W·x_t + R·h_{t−1} + b)}, beginning with zeros (Elman 1990; PyTorch's {@code
 * RNN}, whose two biases are one here). Takes [n, time, features], or images [n,h,w,c] row by row, to the last step [n,
 * units] or all steps [n, time, units]. Parameters: {@code weight} [units, features], {@code recurrent} [units, units],
 * {@code bias} [units].
 *
 * @param units width of the state
 * @param nonlinearity f
 * @param returnSequences whether the output has all steps: for another recurrent layer behind this one
 * @param truncate steps that a gradient goes back; 0 for all. With the last step as output it arrives at this many
 *     steps, the last ones; with all steps it is cut in front of every step whose number, from 0, is a multiple of this
 *     (Williams and Peng 1990)
 * @param weight fills the input weight; Xavier unless said otherwise
 * @param recurrent fills the recurrent weight; orthogonal unless said otherwise, so that at the beginning what goes
 *     through it neither grows nor shrinks (Saxe et al. 2014)
 * @param bias fills the bias; zeros unless said otherwise; null for no bias
 */
public record Rnn(
    int units,
    Nonlinearity nonlinearity,
    boolean returnSequences,
    int truncate,
    Initializer weight,
    Initializer recurrent,
    Initializer bias)
    implements Layer {

  /** What is applied to the sum in each step. */
  public enum Nonlinearity {
    TANH,
    RELU,
    /** Nothing: to study how gradients go through the recurrent weight alone. */
    LINEAR;

    Expr of(Expr sum) {
      return switch (this) {
        case TANH -> Exprs.tanh(sum);
        case RELU -> Exprs.ifNotPositive(sum, Exprs.constant(0), sum);
        case LINEAR -> sum;
      };
    }
  }

  public Rnn {
    if (nonlinearity == null) {
      throw new IllegalArgumentException("rnn: the nonlinearity is missing");
    }
    new Recurrence("rnn", 1, units, returnSequences, truncate).require(weight, recurrent);
  }

  /** With tanh, the last step as output. */
  public Rnn(int units) {
    this(units, Nonlinearity.TANH, false, 0, new Xavier(), new Orthogonal(), new Zeros());
  }

  /** The same layer with another nonlinearity. */
  public Rnn with(Nonlinearity other) {
    return new Rnn(units, other, returnSequences, truncate, weight, recurrent, bias);
  }

  /** The same layer with all steps as output. */
  public Rnn sequences() {
    return new Rnn(units, nonlinearity, true, truncate, weight, recurrent, bias);
  }

  /** The same layer with gradients that go back {@code steps} steps. */
  public Rnn truncated(int steps) {
    return new Rnn(units, nonlinearity, returnSequences, steps, weight, recurrent, bias);
  }

  /** The same layer with other starts of its input weight and recurrent weight. */
  public Rnn init(Initializer input, Initializer state) {
    return new Rnn(units, nonlinearity, returnSequences, truncate, input, state, bias);
  }

  /** The same layer without bias. */
  public Rnn withoutBias() {
    return new Rnn(units, nonlinearity, returnSequences, truncate, weight, recurrent, null);
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    return new Recurrence("rnn", 1, units, returnSequences, truncate)
        .forward(x, scope, weight, recurrent, bias, this::next);
  }

  private List<Tensor> next(Tensor input, Tensor stateWeight, List<Tensor> state) {
    Tensor sum = state.isEmpty() ? input : stateWeight.matmul(state.getFirst()).plus(input);
    return List.of(sum.map(nonlinearity::of));
  }
}
