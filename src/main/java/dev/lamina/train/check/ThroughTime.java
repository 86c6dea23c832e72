package dev.lamina.train.check;

import dev.lamina.data.Dataset;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.GradientsThroughTime;
import dev.lamina.train.check.Finding.Level;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Holds the gradient at the first step of each recurrent layer against that at its last: where it vanishes nothing is
 * learned from what came early, where it explodes a step of training goes astray (Pascanu, Mikolov and Bengio 2013).
 */
final class ThroughTime {
  private static final String NAME = "gradients through time";

  /**
   * A step whose gradient is this many times smaller or larger than that of the last is out of balance with it. Row by
   * row on MNIST an LSTM begins with a share of 1/175 and learns; a tanh RNN, with 1/5200, learns less.
   */
  private static final double FAR = 1000;

  private ThroughTime() {}

  /** {@code model} has its initial weights; empty if it has no recurrent layer. */
  static Optional<Finding> of(CompiledModel model, Dataset training) {
    if (!GradientsThroughTime.isIn(model)) {
      return Optional.empty();
    }
    try (Arena arena = Arena.ofShared();
        GradientsThroughTime probe = new GradientsThroughTime(model)) {
      Examples batch = Examples.of(training, model.spec().batch(), model.spec().seed(), arena);
      boolean isClipped = model.spec().clip() != null;
      List<Finding> layers =
          probe.norms(batch.inputs(), batch.targets()).entrySet().stream()
              .map(layer -> verdict(layer.getKey(), layer.getValue(), isClipped))
              .toList();
      Level worst = layers.stream().map(Finding::level).max(Comparator.naturalOrder()).orElseThrow();
      return Optional.of(new Finding(NAME, worst, String.join("; ", layers.stream().map(Finding::sentence).toList())));
    }
  }

  /**
   * What the gradients of one layer say.
   *
   * @param norms of its steps, the first one first
   */
  static Finding verdict(String layer, double[] norms, boolean isClipped) {
    String who = layer.isEmpty() ? "" : layer + ": ";
    int steps = norms.length;
    double last = norms[steps - 1];
    if (!Arrays.stream(norms).allMatch(Double::isFinite)) {
      return Finding.failure(
          NAME,
          who
              + "on its way back through "
              + steps
              + " steps the gradient overflows; smaller recurrent weights (orthogonal), or truncate");
    }
    if (last == 0) {
      return Finding.ok(NAME, who + "no gradient arrives at its last step, as behind weights of 0; nothing to compare");
    }
    // What is cut has no gradient at all.
    int first = IntStream.range(0, steps).filter(t -> norms[t] > 0).findFirst().orElseThrow();
    double share = norms[first] / last;
    String arrives =
        String.format(
            Locale.ROOT,
            "%s%.2g times the gradient of the last step arrives at %s of %d",
            who,
            share,
            first == 0 ? "the first" : "step " + (first + 1) + ", the first that it is not cut off from,",
            steps);
    if (share < 1 / FAR) {
      long lost = Arrays.stream(norms).filter(norm -> norm < last / FAR).count();
      return Finding.warning(
          NAME,
          String.format(
              Locale.ROOT,
              "%s: it vanishes, and the first %d get less than 1/%.0f of it; take lstm or gru, orthogonal recurrent"
                  + " weights, or fewer steps",
              arrives,
              lost,
              FAR));
    }
    if (share > FAR) {
      return isClipped
          ? Finding.ok(NAME, arrives + ": it explodes, and is clipped")
          : Finding.warning(
              NAME, arrives + ": it explodes; clip it (clip: {by_norm: 1}), or take smaller recurrent weights");
    }
    return Finding.ok(NAME, arrives + ": it holds");
  }
}
