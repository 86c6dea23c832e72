package dev.lamina.train.check;

import dev.lamina.data.Dataset;
import dev.lamina.loss.BinaryCrossEntropy;
import dev.lamina.loss.Loss;
import dev.lamina.loss.MultiClassHinge;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Parameters.Declaration;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.LossProbe;
import java.lang.foreign.Arena;
import java.util.Locale;
import java.util.Map;

/**
 * Holds the loss before the first step against what a model has that knows nothing: ln C for a softmax over C classes.
 */
final class InitialLoss {
  private static final String NAME = "initial loss";

  /** How many times the loss of a model without knowledge is still a good begin. */
  private static final double MUCH = 2;

  /** A first loss may be this share beside theory before it is explained. */
  private static final double NEAR = 0.1;

  private InitialLoss() {}

  /**
   * {@code model} has its initial weights.
   *
   * @param hasLearned whether they are those of a saved model, which may know more than nothing
   */
  static Finding of(CompiledModel model, Dataset training, boolean hasLearned) {
    try (Arena arena = Arena.ofShared();
        LossProbe probe = new LossProbe(model)) {
      Examples batch = Examples.of(training, model.spec().batch(), model.spec().seed(), arena);
      LossProbe.Look look = probe.look(batch.inputs(), batch.targets());
      return verdict(look, model, penalty(model, arena), training.classes(), hasLearned);
    }
  }

  /** {@code ½·l2·Σw² + l1·Σ|w|} over the weights that decay. */
  private static double penalty(CompiledModel model, Arena arena) {
    double l2 = model.spec().optimizer().l2();
    double l1 = model.spec().regularisation() == null ? 0 : model.spec().regularisation().l1();
    if (l2 == 0 && l1 == 0) {
      return 0;
    }
    Map<String, HostTensor> weights = model.weights(arena);
    double penalty = 0;
    for (Declaration declaration : model.parameters().all()) {
      if (declaration.decayed()) {
        HostTensor weight = weights.get(declaration.variable().name());
        for (long i = 0; i < weight.size(); i++) {
          double w = weight.get(i);
          penalty += l2 / 2 * w * w + l1 * Math.abs(w);
        }
      }
    }
    return penalty;
  }

  private static Finding verdict(
      LossProbe.Look look, CompiledModel model, double penalty, int classes, boolean hasLearned) {
    Loss loss = model.spec().loss();
    double theory = look.lossOfZeros();
    String beside =
        String.format(Locale.ROOT, "%.4f, theory says %s = %.4f", look.loss(), formula(loss, classes), theory);
    if (!Double.isFinite(look.loss())) {
      return Finding.failure(NAME, beside + "; values overflow before the first step: scale inputs or weights down");
    }
    String spread = String.format(Locale.ROOT, "the first outputs have a standard deviation of %.2f", look.deviation());
    // Of a mean over the batch, whose examples vary by about as much as their scores do.
    double chance = 3 * look.deviation() / Math.sqrt(model.spec().batch());
    boolean isClassified = loss.task() != Loss.Task.REGRESSION;
    if (isClassified && look.loss() < (1 - NEAR) * theory - (hasLearned ? 0 : chance)) {
      return hasLearned
          ? Finding.ok(NAME, beside + " for a model that knows nothing: this one begins with what another learned")
          : Finding.failure(
              NAME, beside + "; a model that has not learned cannot know more: do inputs carry their labels?");
    }
    if (look.loss() > (isClassified ? MUCH * theory + chance : 5 * MUCH * theory)) {
      return Finding.warning(
          NAME,
          beside
              + "; "
              + spread
              + ", and the first steps go into taking that back: give the last layer smaller weights, or scale inputs");
    }
    StringBuilder sentence = new StringBuilder(beside);
    if (Math.abs(look.loss() - theory) > NEAR * theory) {
      sentence.append(" for outputs that are all the same; ").append(spread);
    }
    if (penalty > 0) {
      sentence.append(
          String.format(
              Locale.ROOT,
              "; %.4f with the penalty of regularisation, which is higher, as it should be",
              look.loss() + penalty));
    }
    return penalty > 10 * Math.max(theory, look.loss())
        ? Finding.warning(NAME, sentence + ", but outweighs the data: lower it")
        : Finding.ok(NAME, sentence.toString());
  }

  private static String formula(Loss loss, int classes) {
    return switch (loss) {
      case SoftmaxCrossEntropy _ -> "ln " + classes;
      case BinaryCrossEntropy _ -> "ln 2";
      case MultiClassHinge(double margin, boolean averaged) ->
          "(" + classes + " − 1)" + (margin == 1 ? "" : " · " + margin) + (averaged ? " / " + classes : "");
      default -> "the loss of outputs that are all 0";
    };
  }
}
