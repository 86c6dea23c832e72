package dev.lamina.train.check;

import dev.lamina.loss.Loss;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Layer;
import dev.lamina.nn.LayerTree;
import dev.lamina.nn.activation.Identity;
import dev.lamina.nn.recurrent.Gru;
import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.nn.recurrent.Rnn;
import dev.lamina.optim.Adagrad;
import dev.lamina.optim.Adam;
import dev.lamina.optim.AdamW;
import dev.lamina.optim.Momentum;
import dev.lamina.optim.Nesterov;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.RmsProp;
import dev.lamina.optim.Sgd;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Precision;

/** Trainings that differ from the one that is checked in what a check must hold still. */
final class Variants {
  private Variants() {}

  /** The training of {@code spec} with other parts, in single passes of {@code batch} examples. */
  static ModelSpec of(ModelSpec spec, Layer model, Loss loss, Optimizer optimizer, Precision precision, int batch) {
    return ModelSpec.of(model, spec.example(), loss)
        .preparation(spec.preparation())
        .optimizer(optimizer)
        .clip(spec.clip())
        .batch(batch)
        .precision(precision)
        .seed(spec.seed())
        .build();
  }

  /** The same layers with nothing dropped. */
  static Layer withoutDropout(Layer layers) {
    return LayerTree.map(layers, leaf -> leaf instanceof Dropout ? new Identity() : leaf);
  }

  /** The same layers with gradients that go back through all steps: what is cut is no derivative of the loss. */
  static Layer withoutTruncation(Layer layers) {
    return LayerTree.map(
        layers,
        leaf ->
            switch (leaf) {
              case Rnn rnn -> rnn.truncated(0);
              case Lstm lstm -> lstm.truncated(0);
              case Gru gru -> gru.truncated(0);
              default -> leaf;
            });
  }

  /** The same steps, but that weights are not drawn to 0; an optimizer of somebody else's stays as it is. */
  static Optimizer withoutDecay(Optimizer optimizer) {
    return switch (optimizer) {
      case Sgd _ -> new Sgd(0);
      case Momentum o -> new Momentum(o.momentum(), 0);
      case Nesterov o -> new Nesterov(o.momentum(), 0);
      case Adagrad o -> new Adagrad(o.epsilon(), 0);
      case RmsProp o -> new RmsProp(o.alpha(), o.epsilon(), o.momentum(), o.centered(), 0);
      case Adam o -> new Adam(o.beta1(), o.beta2(), o.epsilon(), 0);
      case AdamW o -> new AdamW(o.beta1(), o.beta2(), o.epsilon(), 0);
      default -> optimizer;
    };
  }
}
