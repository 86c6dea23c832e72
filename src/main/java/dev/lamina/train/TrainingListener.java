package dev.lamina.train;

import dev.lamina.device.Preparation;
import java.util.List;

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
