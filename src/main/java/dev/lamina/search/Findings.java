package dev.lamina.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What somebody should know before they trust the result of a search. */
public final class Findings {
  /** So near to an end of its range, as a share of it, the best may well lie beyond. */
  private static final double EDGE = 0.1;

  /** Fewer examples than this are few: with 1,000 an accuracy of 90 % is known to ±1 %. */
  private static final long FEW = 1000;

  private Findings() {}

  /** Sentences; none if there is nothing to warn of, or nothing was found. */
  public static List<String> of(SearchReport report) {
    List<String> findings = new ArrayList<>();
    Optional<Outcome> best = report.best();
    if (best.isPresent()) {
      Trial trial = report.trial(best.get());
      for (int i = 0; i < trial.values().size(); i++) {
        edge(report.plan().space().parameters().get(i), trial.values().get(i)).ifPresent(findings::add);
      }
      judgedOnce(report, best.get()).ifPresent(findings::add);
    }
    return findings;
  }

  private static Optional<String> edge(Space.Parameter parameter, Value value) {
    if (!(parameter.range() instanceof Interval interval)) {
      return Optional.empty();
    }
    double share = interval.share(value.number());
    if (share >= EDGE && share <= 1 - EDGE) {
      return Optional.empty();
    }
    boolean isLow = share < EDGE;
    return Optional.of(
        String.format(
            Locale.ROOT,
            "the best %s, %s, lies at the %s edge of its range (%s): something better may lie beyond; search %s",
            parameter.path(),
            value.text(),
            isLow ? "lower" : "upper",
            TrialTable.range(interval),
            isLow ? "lower" : "higher"));
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
