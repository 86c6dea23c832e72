package dev.lamina.train;

import dev.lamina.graph.Tensor;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Scope;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.recurrent.Rnn;

/** The units of a layer of ReLUs, which can die: its channels or features, or a recurrent layer's state. */
final class ReluUnits {
  private ReluUnits() {}

  static boolean areIn(Layer layer) {
    return layer instanceof ReLU || layer instanceof Rnn rnn && rnn.nonlinearity() == Rnn.Nonlinearity.RELU;
  }

  /** The largest output of each unit over all examples of the batch, all places and all steps through time, [units]. */
  static Tensor peaks(ModelTrace.Pass pass, Scope.Applied layer) {
    if (pass.unrolled().containsKey(layer.path())) {
      return Tensor.concat(1, pass.unrolled().get(layer.path())).max(1);
    }
    Tensor y = layer.output();
    int units = y.shape().last();
    return y.reshape(Math.toIntExact(y.shape().size() / units), units).max(0);
  }
}
