package dev.lamina.optim.schedule;

/** The base rate, always. */
public record Constant() implements Schedule {
  @Override
  public double rate(double base, long step, long stepsPerEpoch, long totalSteps) {
    return base;
  }
}
