package dev.lamina.optim.schedule;

import java.util.Optional;

/**
 * The learning rate of each step. A function of where training stands, computed on the host without allocating; only
 * {@link ReduceOnPlateau} has a state, which the trainer keeps and saves for it.
 */
@FunctionalInterface
public interface Schedule {

  /**
   * The learning rate of one step.
   *
   * @param base the rate that the user chose
   * @param step updates done before this one: 0 for the first
   * @param stepsPerEpoch updates in an epoch, 1 or more
   * @param totalSteps updates in the whole training
   */
  double rate(double base, long step, long stepsPerEpoch, long totalSteps);

  /**
   * The part that listens to the validation loss, if there is one: its state is to be carried along, and the rate to be
   * multiplied by {@link ReduceOnPlateau.State#factor}.
   */
  default Optional<ReduceOnPlateau> plateau() {
    return Optional.empty();
  }
}
