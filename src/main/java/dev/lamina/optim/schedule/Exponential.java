package dev.lamina.optim.schedule;

/**
 * Falls by a factor after each epoch: {@code base·gamma^epoch}. PyTorch's {@code ExponentialLR}.
 *
 * @param gamma the factor of one epoch, such as 0.95
 */
public record Exponential(double gamma) implements Schedule {
  public Exponential {
    Checks.requirePositive("exponential schedule", "gamma", gamma);
  }

  @Override
  public double rate(double base, long step, long stepsPerEpoch, long totalSteps) {
    return base * Math.pow(gamma, (double) (step / stepsPerEpoch));
  }
}
