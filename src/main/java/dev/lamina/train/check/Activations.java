package dev.lamina.train.check;

import dev.lamina.data.Dataset;
import dev.lamina.loss.Loss;
import dev.lamina.nn.Layer;
import dev.lamina.nn.LayerTree;
import dev.lamina.nn.activation.HardSigmoid;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.Saturation;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Looks for activations that make learning slow: sigmoids in hidden layers, saturated sigmoids and tanhs. */
final class Activations {
  private static final String NAME = "activations";

  /** The share of a layer's units from which saturation is named. */
  private static final double MANY = 0.1;

  private Activations() {}

  /** {@code model} has its initial weights. */
  static Finding of(CompiledModel model, Dataset training) {
    List<String> complaints = new ArrayList<>();
    List<Layer> leaves = LayerTree.leaves(model.spec().model());
    long hidden = leaves.subList(0, leaves.size() - 1).stream().filter(Activations::isSigmoid).count();
    if (hidden > 0) {
      complaints.add(
          hidden
              + (hidden == 1 ? " hidden layer is a sigmoid" : " hidden layers are sigmoids")
              + ": outputs are not centred at 0, and at most a quarter of a gradient gets through; take relu, or tanh"
              + " with xavier");
    }
    if (isSigmoid(leaves.getLast()) && model.spec().loss().task() != Loss.Task.REGRESSION) {
      complaints.add("the network ends in a sigmoid, and the loss takes scores as they are: leave it out");
    }
    try (Arena arena = Arena.ofShared()) {
      Examples batch = Examples.of(training, model.spec().batch(), model.spec().seed(), arena);
      Saturation.of(model, batch.inputs())
          .forEach((layer, share) -> {
            if (share > MANY) {
              complaints.add(
                  String.format(
                      Locale.ROOT,
                      "%.0f %% of the units of %s are saturated before the first step, where no gradient gets through:"
                          + " smaller weights (xavier)",
                      100 * share,
                      layer));
            }
          });
    }
    return complaints.isEmpty()
        ? Finding.ok(NAME, "no hidden sigmoid, and nothing is saturated before the first step")
        : Finding.warning(NAME, String.join("; ", complaints));
  }

  private static boolean isSigmoid(Layer layer) {
    return layer instanceof Sigmoid || layer instanceof HardSigmoid;
  }
}
