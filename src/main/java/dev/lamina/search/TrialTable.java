package dev.lamina.search;

import java.util.Locale;

/** Outcomes in words and figures. */
public final class TrialTable {
  private final SearchPlan plan;
  private final int trials;

  /** The table of a search. */
  public TrialTable(SearchPlan plan) {
    this.plan = plan;
    trials = plan.trials() * plan.stages();
  }

  /** A line: {@code val_acc: 0.412000, lr: 1.405206e-04, l2: 4.793564e-01, (1 / 100)}. */
  public String line(Trial trial, Outcome outcome) {
    StringBuilder line = new StringBuilder();
    if (!outcome.isGood()) {
      line.append(outcome.end().name().toLowerCase(Locale.ROOT));
    } else {
      line.append(String.format(Locale.ROOT, "%s: %.6f", figureName(outcome), outcome.figure()));
      if (!Double.isNaN(outcome.deviation())) {
        line.append(String.format(Locale.ROOT, " ± %.6f", outcome.deviation()));
      }
    }
    line.append(", ").append(values(trial));
    if (plan.rungs().size() > 1) {
      line.append(", epochs: ").append(outcome.epochs());
    }
    line.append(String.format(Locale.ROOT, ", (%d / %d)", trial.number(), trials));
    return outcome.reason().isEmpty() ? line.toString() : line.append(": ").append(outcome.reason()).toString();
  }

  private static String figureName(Outcome outcome) {
    return outcome.isClassification() ? "val_acc" : "val_loss";
  }

  /** {@code lr: 1.405206e-04, l2: 4.793564e-01}. */
  public String values(Trial trial) {
    StringBuilder values = new StringBuilder();
    for (int i = 0; i < trial.values().size(); i++) {
      Space.Parameter parameter = plan.space().parameters().get(i);
      values.append(i == 0 ? "" : ", ").append(parameter.label()).append(": ");
      values.append(value(parameter.range(), trial.values().get(i)));
    }
    return values.toString();
  }

  /** A range: {@code 1.0e-04 to 1.0e-01}. */
  public static String range(Range range) {
    return switch (range) {
      case Interval interval -> interval.lowText() + " to " + interval.highText();
      case Choice choice -> String.join(", ", choice.options().stream().map(option -> option.line()).toList());
    };
  }

  private static String value(Range range, Value value) {
    return switch (range) {
      case Interval interval ->
          switch (interval.kind()) {
            case LOG_UNIFORM -> String.format(Locale.ROOT, "%e", value.number());
            case UNIFORM -> String.format(Locale.ROOT, "%.6g", value.number());
            case INTEGER -> padded(value.text(), interval.highText().length());
          };
      case Choice choice ->
          padded(value.text(), choice.options().stream().mapToInt(option -> option.line().length()).max().orElse(0));
    };
  }

  /** Columns stand below each other. */
  private static String padded(String text, int width) {
    return " ".repeat(Math.max(0, width - text.length())) + text;
  }
}
