package dev.lamina.search;

import dev.lamina.train.recipe.YamlNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Numbers between two ends, both included.
 *
 * @param kind how they are spread
 * @param low the lower end
 * @param high the upper end, above the lower
 * @param steps points of a grid, evenly spaced as the numbers are spread, ends included, at most a million; 0 for none
 * @param at where it was written, for messages about its values
 */
public record Interval(Kind kind, double low, double high, int steps, String at) implements Range {
  /** Digits that are kept, so that what a table shows is the value itself. */
  private static final MathContext DIGITS = new MathContext(7);

  /** From so many whole numbers each is still drawn as often as any other, to a millionth: of 2⁵³ random numbers. */
  private static final int WIDEST = 1_000_000_000;

  /** More points than anybody waits for. */
  private static final int MOST_STEPS = 1_000_000;

  /** Room that is left on each side of what did well, as a share of the wider range. */
  private static final double MARGIN = 0.1;

  /** How numbers are spread over an interval. */
  public enum Kind {
    /** Each power of ten alike: 10^U (Bergstra and Bengio 2012, section 2.3). */
    LOG_UNIFORM,
    /** Evenly. */
    UNIFORM,
    /** Whole numbers, evenly. */
    INTEGER
  }

  public Interval {
    String what = name(kind) + ": ";
    if (!(low < high) || Double.isInfinite(low) || Double.isInfinite(high)) {
      throw new IllegalArgumentException(
          what + "expected two numbers, the lower first, got " + text(kind, low) + " and " + text(kind, high));
    }
    if (kind == Kind.LOG_UNIFORM && !(low > 0)) {
      throw new IllegalArgumentException(
          what + "both ends are above 0, got " + text(kind, low) + " and " + text(kind, high));
    }
    if (kind == Kind.INTEGER && (low != Math.rint(low) || high != Math.rint(high))) {
      throw new IllegalArgumentException(
          what + "expected whole numbers, got " + text(kind, low) + " and " + text(kind, high));
    }
    if (kind == Kind.INTEGER && high - low > WIDEST) {
      throw new IllegalArgumentException(
          what
              + text(kind, low)
              + " and "
              + text(kind, high)
              + " are too far apart; take a range of at most "
              + WIDEST
              + ", or uniform where a number need not be whole");
    }
    if (steps < 0 || steps == 1 || steps > MOST_STEPS) {
      throw new IllegalArgumentException(what + "a grid has 2 to " + MOST_STEPS + " steps, got " + steps);
    }
    if (kind == Kind.INTEGER && steps > high - low + 1) {
      throw new IllegalArgumentException(
          what + "a grid of whole numbers has no more steps than there are of them, got " + steps);
    }
  }

  /** As a search file names it. */
  static String name(Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public Value draw(double u) {
    return kind == Kind.INTEGER ? value(low + Math.floor(u * (high - low + 1))) : value(number(u));
  }

  @Override
  public int points() {
    return steps;
  }

  @Override
  public List<Value> grid() {
    return IntStream.range(0, steps).mapToObj(i -> value(number(i / (steps - 1.0)))).toList();
  }

  /** From the least to the greatest of the best, and a tenth of this range more on each side. */
  @Override
  public Interval around(List<Value> best) {
    double first = best.stream().mapToDouble(value -> share(value.number())).min().orElseThrow() - MARGIN;
    double last = best.stream().mapToDouble(value -> share(value.number())).max().orElseThrow() + MARGIN;
    double newLow = rounded(number(Math.max(0, first)));
    double newHigh = rounded(number(Math.min(1, last)));
    if (kind != Kind.INTEGER) {
      return new Interval(kind, Math.max(low, newLow), Math.min(high, newHigh), steps, at);
    }
    if (newLow == newHigh) { // the numbers are so few that a tenth of them is none
      newLow = Math.max(low, newLow - 1);
      newHigh = Math.min(high, newHigh + 1);
    }
    return new Interval(kind, newLow, newHigh, (int) Math.min(steps, newHigh - newLow + 1), at);
  }

  /** Where a number lies, from 0 at the lower end to 1 at the upper; in powers of ten where they are spread so. */
  public double share(double number) {
    return kind == Kind.LOG_UNIFORM
        ? (StrictMath.log(number) - StrictMath.log(low)) / (StrictMath.log(high) - StrictMath.log(low))
        : (number - low) / (high - low);
  }

  /** The lower end as text. */
  public String lowText() {
    return text(low);
  }

  /** The upper end as text. */
  public String highText() {
    return text(high);
  }

  private double number(double share) {
    return switch (kind) {
      case LOG_UNIFORM -> StrictMath.exp(StrictMath.log(low) + share * (StrictMath.log(high) - StrictMath.log(low)));
      case UNIFORM -> low + share * (high - low);
      case INTEGER -> Math.rint(low + share * (high - low));
    };
  }

  private Value value(double number) {
    double kept = Math.clamp(rounded(number), low, high);
    return new Value(new YamlNode.Scalar(text(kept), at), kept);
  }

  private double rounded(double number) {
    return kind == Kind.INTEGER ? number : new BigDecimal(number, DIGITS).doubleValue();
  }

  private String text(double number) {
    return text(kind, number);
  }

  private static String text(Kind kind, double number) {
    return kind == Kind.INTEGER && number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
  }
}
