package dev.lamina.train;

import java.util.List;

/**
 * A look inside a model at one update.
 *
 * @param step the update, counted from 1
 * @param epoch the epoch that it belongs to, counted from 1
 * @param examples that were looked at: one batch
 * @param layers in the order of the forward pass
 * @param weights in the order in which the layers declare them
 */
public record ModelStatistics(
    long step, int epoch, int examples, List<LayerStatistics> layers, List<WeightStatistics> weights) {
  public ModelStatistics {
    layers = List.copyOf(layers);
    weights = List.copyOf(weights);
  }

  /** The same without what is large, for those who keep many of them. */
  public ModelStatistics figures() {
    return new ModelStatistics(step, epoch, examples, layers.stream().map(LayerStatistics::figures).toList(), weights);
  }
}
