package dev.lamina.nn.recurrent;

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
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000), beginning with
 * zeros:
 *
 * <pre>{@code
 * i = σ(W_i·x_t + R_i·h_{t−1} + b_i)     f = σ(W_f·x_t + R_f·h_{t−1} + b_f)
 * g = tanh(W_g·x_t + R_g·h_{t−1} + b_g)  o = σ(W_o·x_t + R_o·h_{t−1} + b_o)
 * c_t = f·c_{t−1} + i·g                  h_t = o·tanh(c_t)
 * }</pre>
 *
 * The memory c has a way through time on which it is only multiplied by f, so its gradient does not vanish while f is
 * near 1. Takes [n, time, features], or images [n,h,w,c] row by row, to the last step [n, units] or all steps [n, time,
 * units]. Parameters, with the gates stacked in the order i, f, g, o as in PyTorch's {@code LSTM}, whose two biases are
 * one here: {@code weight} [4·units, features], {@code recurrent} [4·units, units], {@code bias} [4·units].
 *
 * @param units width of the state
 * @param returnSequences whether the output has all steps: for another recurrent layer behind this one
 * @param truncate steps that a gradient goes back; 0 for all. With the last step as output it arrives at this many
 *     steps, the last ones; with all steps it is cut in front of every step whose number, from 0, is a multiple of this
 *     (Williams and Peng 1990)
 * @param weight fills the input weight of each gate; Xavier unless said otherwise
 * @param recurrent fills the recurrent weight of each gate; orthogonal unless said otherwise
 * @param bias fills the bias; zeros unless said otherwise; null for no bias
 * @param forgetBias what the forget gate's bias begins with, whatever {@code bias} says; 1, so that nothing is
 *     forgotten before it is learned what to forget (Jozefowicz et al. 2015; PyTorch begins near 0)
 */
public record Lstm(
    int units,
    boolean returnSequences,
    int truncate,
    Initializer weight,
    Initializer recurrent,
    Initializer bias,
    double forgetBias)
    implements Layer {
  public Lstm {
    new Recurrence("lstm", 4, units, returnSequences, truncate).require(weight, recurrent);
    if (!Double.isFinite(forgetBias)) {
      throw new IllegalArgumentException("lstm: expected a finite forget bias, got " + forgetBias);
    }
  }

  /** The last step as output. */
  public Lstm(int units) {
    this(units, false, 0, new Xavier(), new Orthogonal(), new Zeros(), 1);
  }

  /** The same layer with all steps as output. */
  public Lstm sequences() {
    return new Lstm(units, true, truncate, weight, recurrent, bias, forgetBias);
  }

  /** The same layer with gradients that go back {@code steps} steps. */
  public Lstm truncated(int steps) {
    return new Lstm(units, returnSequences, steps, weight, recurrent, bias, forgetBias);
  }

  /** The same layer with other starts of its input weight and recurrent weight. */
  public Lstm init(Initializer input, Initializer state) {
    return new Lstm(units, returnSequences, truncate, input, state, bias, forgetBias);
  }

  /** The same layer without bias. */
  public Lstm withoutBias() {
    return new Lstm(units, returnSequences, truncate, weight, recurrent, null, forgetBias);
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    Recurrence recurrence = new Recurrence("lstm", 4, units, returnSequences, truncate);
    Initializer start = bias == null ? null : new ForgetBias(bias, forgetBias);
    return recurrence.forward(
        x, scope, weight, recurrent, start, (input, weights, state) -> next(recurrence, input, weights, state));
  }

  private static List<Tensor> next(Recurrence recurrence, Tensor input, Tensor stateWeight, List<Tensor> state) {
    Tensor sums = state.isEmpty() ? input : stateWeight.matmul(state.getFirst()).plus(input);
    Tensor admit = recurrence.gate(sums, 0).map(Exprs::sigmoid);
    Tensor candidate = recurrence.gate(sums, 2).map(Exprs::tanh);
    Tensor show = recurrence.gate(sums, 3).map(Exprs::sigmoid);
    Tensor memory = admit.times(candidate);
    if (!state.isEmpty()) {
      Tensor keep = recurrence.gate(sums, 1).map(Exprs::sigmoid);
      memory = keep.times(state.getLast()).plus(memory);
    }
    return List.of(show.times(memory.map(Exprs::tanh)), memory);
  }
}
