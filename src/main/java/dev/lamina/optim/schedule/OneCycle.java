package dev.lamina.optim.schedule;

/**
 * Up to the base rate and down again to almost nothing, both along half a cosine (Smith and Topin 2017). PyTorch's
 * {@code OneCycleLR} with two phases, whose {@code max_lr} is the base rate here; the momentum is left alone ({@code
 * cycle_momentum=False}).
 *
 * @param rise share of all steps that lead up; 0.3
 * @param startDivisor the first rate is the base rate divided by this; 25
 * @param endDivisor the last rate is the first divided by this; 10,000
 */
public record OneCycle(double rise, double startDivisor, double endDivisor) implements Schedule {
  public OneCycle {
    Checks.requireShare("one-cycle schedule", "rise", rise);
    Checks.requirePositive("one-cycle schedule", "start divisor", startDivisor);
    Checks.requirePositive("one-cycle schedule", "end divisor", endDivisor);
  }

  /** PyTorch's defaults. */
  public OneCycle() {
    this(0.3, 25, 1e4);
  }

  @Override
  public double rate(double base, long step, long stepsPerEpoch, long totalSteps) {
    double first = base / startDivisor;
    double last = first / endDivisor;
    double top = rise * totalSteps - 1;
    double end = totalSteps - 1.0;
    if (step <= top) {
      return between(first, base, top > 0 ? step / top : 1);
    }
    return between(base, last, end > top ? Math.min(1, (step - top) / (end - top)) : 1);
  }

  /** From {@code from} to {@code to} along half a cosine. */
  private static double between(double from, double to, double done) {
    return to + (from - to) * (1 + Math.cos(Math.PI * done)) / 2;
  }
}
