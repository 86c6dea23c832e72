package dev.lamina.optim.schedule;

/**
 * Half a cosine from the base rate down: {@code low + (base − low)·(1 + cos(π·step / totalSteps)) / 2} with {@code low
 * = floor·base} (Loshchilov and Hutter 2016, without restarts). PyTorch's {@code CosineAnnealingLR}, stepped with each
 * update.
 *
 * @param floor where it ends, as a share of the base rate; 0
 */
public record Cosine(double floor) implements Schedule {
  public Cosine {
    Checks.requireShare("cosine schedule", "floor", floor);
  }

  /** Down to 0. */
  public Cosine() {
    this(0);
  }

  @Override
  public double rate(double base, long step, long stepsPerEpoch, long totalSteps) {
    double done = Math.min(1, step / (double) Math.max(1, totalSteps));
    return base * (floor + (1 - floor) * (1 + Math.cos(Math.PI * done)) / 2);
  }
}
