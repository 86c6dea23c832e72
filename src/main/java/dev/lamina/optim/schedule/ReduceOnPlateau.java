package dev.lamina.optim.schedule;

import java.util.Optional;

/**
 * Falls by a factor when the validation loss no longer does. PyTorch's {@code ReduceLROnPlateau} with {@code
 * mode='min', threshold_mode='rel'}: a loss counts as better below {@code best·(1 − threshold)}; after more than {@code
 * patience} epochs without one the rate is multiplied by {@code factor}.
 *
 * <p>What it remembers is a {@link State}, a value: the trainer asks {@link #after} once for each epoch and saves the
 * state with the checkpoint.
 *
 * @param factor in (0, 1); 0.1
 * @param patience epochs without a better loss that are put up with; 10
 * @param threshold share by which a loss must be better; 1e-4
 * @param cooldown epochs after a fall in which nothing is counted; 0
 * @param minRate the rate does not fall below; 0
 */
public record ReduceOnPlateau(double factor, int patience, double threshold, int cooldown, double minRate)
    implements Schedule {
  public ReduceOnPlateau {
    if (!(factor > 0 && factor < 1)) {
      throw new IllegalArgumentException("reduce-on-plateau: expected a factor between 0 and 1, got " + factor);
    }
    Checks.requireShare("reduce-on-plateau", "threshold", threshold);
    if (patience < 0 || cooldown < 0 || !(minRate >= 0)) {
      throw new IllegalArgumentException(
          "reduce-on-plateau: expected patience, cooldown and least rate of 0 or more, got "
              + patience
              + ", "
              + cooldown
              + ", "
              + minRate);
    }
  }

  /** PyTorch's defaults. */
  public ReduceOnPlateau() {
    this(0.1, 10, 1e-4, 0, 0);
  }

  /**
   * What is remembered from epoch to epoch.
   *
   * @param factor multiplies the rate; 1 at the start
   * @param best the smallest loss that counted as better; infinite at the start
   * @param waited epochs since then
   * @param resting epochs of cooldown that are left
   */
  public record State(double factor, double best, int waited, int resting) {
    /** Before the first epoch. */
    public static final State START = new State(1, Double.POSITIVE_INFINITY, 0, 0);
  }

  @Override
  public double rate(double base, long step, long stepsPerEpoch, long totalSteps) {
    return base;
  }

  @Override
  public Optional<ReduceOnPlateau> plateau() {
    return Optional.of(this);
  }

  /**
   * The state after an epoch.
   *
   * @param state before it
   * @param validationLoss of the epoch; NaN counts as not better
   * @param base the base rate, against which {@code minRate} holds
   */
  public State after(State state, double validationLoss, double base) {
    boolean better = validationLoss < state.best * (1 - threshold);
    double best = better ? validationLoss : state.best;
    int waited = better || state.resting > 0 ? 0 : state.waited + 1;
    int resting = Math.max(0, state.resting - 1);
    if (waited <= patience) {
      return new State(state.factor, best, waited, resting);
    }
    double lowest = Math.min(state.factor, minRate / base);
    return new State(Math.max(state.factor * factor, lowest), best, 0, cooldown);
  }
}
