package dev.lamina.nn.recurrent;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Scope;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.nn.init.Zeros;
import dev.lamina.tensor.Shape;
import java.util.List;

/**
 * The gated recurrent unit (Cho et al. 2014), with the reset gate behind the product, as PyTorch's {@code GRU} and
 * cuDNN have it, beginning with zeros:
 *
 * <pre>{@code
 * r = σ(W_r·x_t + R_r·h_{t−1} + b_r)    z = σ(W_z·x_t + R_z·h_{t−1} + b_z)
 * c = tanh(W_c·x_t + b_c + r·(R_c·h_{t−1} + b'))
 * h_t = (1 − z)·c + z·h_{t−1}
 * }</pre>
 *
 * Takes [n, time, features], or images [n,h,w,c] row by row, to the last step [n, units] or all steps [n, time, units].
 * Parameters, with the gates stacked in the order r, z, c as in PyTorch, whose two biases are one here for r and z:
 * {@code weight} [3·units, features], {@code recurrent} [3·units, units], {@code bias} [3·units], and b' as {@code
 * candidate_bias} [units, 1].
 *
 * @param units width of the state
 * @param returnSequences whether the output has all steps: for another recurrent layer behind this one
 * @param truncate steps that a gradient goes back; 0 for all. With the last step as output it arrives at this many
 *     steps, the last ones; with all steps it is cut in front of every step whose number, from 0, is a multiple of this
 *     (Williams and Peng 1990)
 * @param weight fills the input weight of each gate; Xavier unless said otherwise
 * @param recurrent fills the recurrent weight of each gate; orthogonal unless said otherwise
 * @param bias fills the biases; zeros unless said otherwise; null for no biases
 */
public record Gru(
    int units, boolean returnSequences, int truncate, Initializer weight, Initializer recurrent, Initializer bias)
    implements Layer {
  public Gru {
    new Recurrence("gru", 3, units, returnSequences, truncate).require(weight, recurrent);
  }

  /** The last step as output. */
  public Gru(int units) {
    this(units, false, 0, new Xavier(), new Orthogonal(), new Zeros());
  }

  /** The same layer with all steps as output. */
  public Gru sequences() {
    return new Gru(units, true, truncate, weight, recurrent, bias);
  }

  /** The same layer with gradients that go back {@code steps} steps. */
  public Gru truncated(int steps) {
    return new Gru(units, returnSequences, steps, weight, recurrent, bias);
  }

  /** The same layer with other starts of its input weight and recurrent weight. */
  public Gru init(Initializer input, Initializer state) {
    return new Gru(units, returnSequences, truncate, input, state, bias);
  }

  /** The same layer without biases. */
  public Gru withoutBias() {
    return new Gru(units, returnSequences, truncate, weight, recurrent, null);
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    Recurrence recurrence = new Recurrence("gru", 3, units, returnSequences, truncate);
    Tensor offset = bias == null ? null : scope.parameter("candidate_bias", Shape.of(units, 1), bias, false);
    return recurrence.forward(
        x,
        scope,
        weight,
        recurrent,
        bias,
        (input, weights, state) ->
            state.isEmpty()
                ? List.of(first(recurrence, input, offset))
                : List.of(next(recurrence, input, weights.matmul(state.getFirst()), offset, state.getFirst())));
  }

  /** The step in which nothing has been seen yet. */
  private static Tensor first(Recurrence recurrence, Tensor input, Tensor offset) {
    Tensor update = recurrence.gate(input, 1).map(Exprs::sigmoid);
    Tensor sum = recurrence.gate(input, 2);
    if (offset != null) {
      sum = sum.plus(recurrence.gate(input, 0).map(Exprs::sigmoid).times(offset));
    }
    return update.map((z, c) -> Exprs.mul(Exprs.sub(1, z), c), sum.map(Exprs::tanh));
  }

  private static Tensor next(Recurrence recurrence, Tensor input, Tensor product, Tensor offset, Tensor state) {
    Tensor reset = recurrence.gate(input, 0).plus(recurrence.gate(product, 0)).map(Exprs::sigmoid);
    Tensor update = recurrence.gate(input, 1).plus(recurrence.gate(product, 1)).map(Exprs::sigmoid);
    Tensor remembered = recurrence.gate(product, 2);
    Tensor shifted = offset == null ? remembered : remembered.plus(offset);
    Tensor candidate = recurrence.gate(input, 2).plus(reset.times(shifted)).map(Exprs::tanh);
    return candidate.plus(update.times(state.minus(candidate)));
  }
}
