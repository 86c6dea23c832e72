package dev.lamina.train.check;

import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.loss.Loss;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.Evaluation;
import dev.lamina.train.ModelSpec;
import java.lang.foreign.Arena;
import java.util.Locale;
import java.util.Map;

/**
 * Learns a handful of examples by heart, with the recipe's optimizer at its full rate, without dropout and decay: a
 * training that cannot do that will not learn more.
 */
final class Overfitting {
  private static final String NAME = "overfitting";
  private static final int EXAMPLES = 20;

  /** Where there are no classes to hit, the loss has to fall to this share. */
  private static final double LOW = 0.01;

  /** A loss that has fallen by less than this share has not moved. */
  private static final double MOVED = 0.05;

  private Overfitting() {}

  /**
   * Tries.
   *
   * @param begin weights by name
   */
  static Finding of(
      Device device, ModelSpec spec, Map<String, HostTensor> begin, double rate, Dataset training, int steps) {
    int examples = Math.min(EXAMPLES, training.size());
    ModelSpec bare =
        Variants.of(
            spec,
            Variants.withoutDropout(spec.model()),
            spec.loss(),
            Variants.withoutDecay(spec.optimizer()),
            spec.precision(),
            examples);
    try (Arena arena = Arena.ofShared();
        CompiledModel model = CompiledModel.compile(device, bare)) {
      model.initialise();
      model.load(begin);
      Examples batch = Examples.of(training, examples, spec.seed(), arena);
      double first = Double.NaN;
      Evaluation figures = null;
      for (int step = 1; step <= steps; step++) {
        model.update(batch.inputs(), batch.targets(), rate);
        figures = model.takeTrainingFigures();
        if (model.badStep() >= 0) {
          return Finding.failure(
              NAME,
              String.format(
                  Locale.ROOT, "the loss was not finite in step %d at rate %.1e; lower the learning rate", step, rate));
        }
        first = step == 1 ? figures.loss() : first;
        if (isLearned(spec.loss(), figures, first)) {
          return Finding.ok(
              NAME,
              String.format(
                  Locale.ROOT,
                  "%d examples are learned by heart in %d steps at rate %.1e: %s",
                  examples,
                  step,
                  rate,
                  words(spec.loss(), figures, first)));
        }
      }
      return Finding.failure(
          NAME,
          String.format(
              Locale.ROOT,
              "%d examples were not learned by heart in %d steps at rate %.1e: %s; %s",
              examples,
              steps,
              rate,
              words(spec.loss(), figures, first),
              reason(figures.loss(), first)));
    }
  }

  private static boolean isLearned(Loss loss, Evaluation figures, double first) {
    return loss.task() == Loss.Task.REGRESSION ? figures.loss() <= LOW * first : figures.accuracy() == 1;
  }

  private static String words(Loss loss, Evaluation figures, double first) {
    String fall = String.format(Locale.ROOT, "loss %.4f to %.4f", first, figures.loss());
    return loss.task() == Loss.Task.REGRESSION
        ? fall
        : String.format(Locale.ROOT, "training accuracy %.0f %%, %s", 100 * figures.accuracy(), fall);
  }

  private static String reason(double loss, double first) {
    if (loss > first) {
      return "the loss grew: the rate is too large";
    }
    return loss > (1 - MOVED) * first
        ? "the loss hardly moved: the rate is too small (lamina find-lr suggests one), or no gradient arrives"
        : "it moves, but too slowly: a larger rate (lamina find-lr), another initialisation, or a larger network";
  }
}
