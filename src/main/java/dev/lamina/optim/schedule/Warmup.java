package dev.lamina.optim.schedule;

import java.util.Optional;

/**
 * A straight line up to the base rate (Goyal et al. 2017), then another schedule over the steps that remain: {@code
 * base·(start + (1 − start)·step / steps)} with {@code steps = epochs·stepsPerEpoch}. PyTorch's {@code SequentialLR} of
 * a {@code LinearLR} and what follows.
 *
 * @param epochs how long, above 0; parts of an epoch are allowed
 * @param start the first rate as a share of the base rate; 1/3, as in PyTorch
 * @param then what follows, counted from the end of the warm-up
 */
public record Warmup(double epochs, double start, Schedule then) implements Schedule {
  public Warmup {
    Checks.requirePositive("warm-up", "number of epochs", epochs);
    Checks.requireShare("warm-up", "start", start);
    if (then == null) {
      throw new IllegalArgumentException("warm-up: the schedule that follows is missing");
    }
  }

  /** From a third. */
  public Warmup(double epochs, Schedule then) {
    this(epochs, 1.0 / 3, then);
  }

  @Override
  public double rate(double base, long step, long stepsPerEpoch, long totalSteps) {
    long steps = Math.round(epochs * stepsPerEpoch);
    if (step < steps) {
      return base * (start + (1 - start) * step / steps);
    }
    return then.rate(base, step - steps, stepsPerEpoch, Math.max(1, totalSteps - steps));
  }

  @Override
  public Optional<ReduceOnPlateau> plateau() {
    return then.plateau();
  }
}
