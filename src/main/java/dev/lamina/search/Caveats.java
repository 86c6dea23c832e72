package dev.lamina.search;

import dev.lamina.io.BadInputException;
import dev.lamina.train.recipe.YamlNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.DoubleStream;

/** What somebody should know before they trust the result of a search. */
public final class Caveats {
  /** So near to an end of its range, as a share of it, the best may well lie beyond. */
  private static final double EDGE = 0.1;

  /** A step beyond an end, as a share of it. */
  private static final double BEYOND = 1e-3;

  /** Fewer examples than this are few: with 1,000 an accuracy of 90 % is known to ±1 %. */
  private static final long FEW = 1000;

  private Caveats() {}

  /** Sentences; none if there is nothing to warn of, or nothing was found. */
  public static List<String> of(SearchReport report) {
    List<String> caveats = new ArrayList<>();
    Optional<Outcome> best = report.best();
    if (best.isPresent()) {
      Trial trial = report.trial(best.get());
      for (int i = 0; i < trial.values().size(); i++) {
        edge(report.plan(), trial, i).ifPresent(caveats::add);
      }
      judgedOnce(report, best.get()).ifPresent(caveats::add);
    }
    return caveats;
  }

  /** Where the best lies among the values that were allowed. */
  private enum Place {
    LOWER,
    UPPER,
    WITHIN
  }

  private static Optional<String> edge(SearchPlan plan, Trial trial, int index) {
    Space.Parameter parameter = plan.space().parameters().get(index);
    Value value = trial.values().get(index);
    Place place =
        switch (parameter.range()) {
          case Interval interval -> place(interval.share(value.number()));
          case Choice choice -> place(choice, value);
        };
    if (place == Place.WITHIN || !goesOn(plan, trial, index, place == Place.LOWER)) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "the best %s, %s, lies at the %s edge of its range (%s): something better may lie beyond; search %s",
            parameter.path(),
            value.text(),
            place == Place.LOWER ? "lower" : "upper",
            TrialTable.range(parameter.range()),
            place == Place.LOWER ? "lower" : "higher"));
  }

  private static Place place(double share) {
    return share < EDGE ? Place.LOWER : share > 1 - EDGE ? Place.UPPER : Place.WITHIN;
  }

  /** Numbers to choose from have ends, as they are ordered; names have none, and one number is no range. */
  private static Place place(Choice choice, Value value) {
    double[] numbers = choice.options().stream().mapToDouble(Caveats::number).sorted().distinct().toArray();
    double best = number(value.node());
    if (numbers.length < 2 || Arrays.stream(numbers).anyMatch(Double::isNaN)) {
      return Place.WITHIN;
    }
    return best == numbers[0] ? Place.LOWER : best == numbers[numbers.length - 1] ? Place.UPPER : Place.WITHIN;
  }

  /** NaN for what is none. */
  private static double number(YamlNode node) {
    try {
      return node instanceof YamlNode.Scalar(String text, String _) ? Double.parseDouble(text) : Double.NaN;
    } catch (NumberFormatException _) {
      return Double.NaN;
    }
  }

  /** Whether a recipe can have values a little beyond an end of the range: dropout of less than 0 it cannot. */
  private static boolean goesOn(SearchPlan plan, Trial trial, int index, boolean isLow) {
    double end =
        switch (plan.space().parameters().get(index).range()) {
          case Interval interval -> isLow ? interval.low() : interval.high();
          case Choice choice -> {
            DoubleStream numbers = choice.options().stream().mapToDouble(Caveats::number);
            yield (isLow ? numbers.min() : numbers.max()).orElseThrow();
          }
        };
    int sign = isLow ? -1 : 1;
    double little = BEYOND * (end == 0 ? 1 : Math.abs(end));
    // Some numbers have to be whole.
    return isAccepted(plan, trial, index, Double.toString(end + sign * little))
        || (end == Math.rint(end) && isAccepted(plan, trial, index, Long.toString((long) end + sign)));
  }

  private static boolean isAccepted(SearchPlan plan, Trial trial, int index, String number) {
    List<Value> values = new ArrayList<>(trial.values());
    values.set(index, new Value(new YamlNode.Scalar(number, ""), Double.NaN));
    try {
      plan.recipe().with(plan.space().changes(values));
      return true;
    } catch (BadInputException _) {
      return false;
    }
  }

  /** An accuracy p on n examples has the standard error √(p(1−p)/n) (binomial). */
  private static Optional<String> judgedOnce(SearchReport report, Outcome best) {
    if (report.plan().folds() > 1 || best.examples() == 0) {
      return Optional.empty();
    }
    if (!best.isClassification()) {
      return best.examples() >= FEW
          ? Optional.empty()
          : Optional.of(
              String.format(
                  Locale.ROOT,
                  "the best was judged once, on %,d examples: take more folds to be surer of it",
                  best.examples()));
    }
    double error = Math.sqrt(best.accuracy() * (1 - best.accuracy()) / best.examples());
    long near =
        report.last().stream()
            .filter(other -> other.isGood() && other.trial() != best.trial())
            .filter(other -> best.accuracy() - other.accuracy() <= 2 * error)
            .count();
    if (best.examples() >= FEW && near == 0) {
      return Optional.empty();
    }
    String rivals =
        near == 0
            ? ""
            : near == 1 ? ", and 1 other trial lies within that" : ", and " + near + " other trials lie within that";
    return Optional.of(
        String.format(
            Locale.ROOT,
            "the best was judged once, on %,d examples: its accuracy is known to ±%.2f %% (two standard errors)%s;"
                + " folds: 5 tells them apart better",
            best.examples(),
            200 * error,
            rivals));
  }
}
