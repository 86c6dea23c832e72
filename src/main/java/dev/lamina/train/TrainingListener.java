package dev.lamina.train;

import dev.lamina.device.Preparation;
import java.util.List;
import java.util.Set;

/** Is told how training goes, on the thread that trains. What it throws ends training. */
public interface TrainingListener {

  /** Before each kernel of the model is made ready, which can take a while the first time. */
  default void preparing(Preparation preparation) {}

  /** Weights were scaled on the first batch ({@link UnitVariance}), before training begins with them. */
  default void scaled(List<UnitVariance.Scaled> layers) {}

  /**
   * The model is ready and the first update is next.
   *
   * @param plan what is going to be done
   */
  default void started(TrainingPlan plan) {}

  /** After each update; must be quick, and allocate nothing if training shall make no garbage. */
  default void updated(long step, double rate) {}

  /** Every some updates, if {@link TrainingOptions#statisticsEvery} says so: a look inside the model. */
  default void observed(ModelStatistics statistics) {}

  /**
   * Asked after the last update of each epoch: layers of ReLUs, by their paths, that seem to have died and shall be
   * seen on every example of the epoch. That takes a forward pass over all of them.
   */
  default Set<String> suspects() {
    return Set.of();
  }

  /**
   * The answer, with the weights as they stand after the epoch; before {@link #epochEnded}. There is none if {@link
   * #wantsStop} was true meanwhile.
   */
  default void surveyed(DeadUnits layer) {}

  /** A few times a second. */
  default void progressed(TrainingProgress progress) {}

  /**
   * After each epoch and its validation, before its checkpoints are written: after a kill in between it comes again.
   */
  default void epochEnded(EpochReport report) {}

  /**
   * Asked after each update and each epoch: whether training shall end here, with a checkpoint from which it can be
   * continued.
   */
  default boolean wantsStop() {
    return false;
  }
}
