package dev.lamina.optim.schedule;

/**
 * Falls by a factor every so many epochs: {@code base·gamma^⌊epoch / epochs⌋}. PyTorch's {@code StepLR}.
 *
 * @param epochs between two falls, 1 or more
 * @param gamma the factor; 0.1
 */
public record StepDecay(int epochs, double gamma) implements Schedule {
  public StepDecay {
    Checks.requirePositive("step schedule", "number of epochs", epochs);
    Checks.requirePositive("step schedule", "gamma", gamma);
  }

  /** By 0.1. */
  public StepDecay(int epochs) {
    this(epochs, 0.1);
  }

  @Override
  public double rate(double base, long step, long stepsPerEpoch, long totalSteps) {
    return base * Math.pow(gamma, (double) (step / stepsPerEpoch / epochs));
  }
}
