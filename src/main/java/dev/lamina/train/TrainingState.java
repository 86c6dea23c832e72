package dev.lamina.train;

import dev.lamina.data.BatchPosition;
import dev.lamina.data.FittedPreprocessing;
import dev.lamina.optim.schedule.ReduceOnPlateau;

/**
 * What a checkpoint holds besides tensors: all that the loop needs to go on as if it had never stopped.
 *
 * @param preprocessing of inputs, whose numbers are among the tensors; null in checkpoints of earlier versions
 * @param position the next batch
 * @param standing the best epoch so far
 * @param plateau what the schedule has learned from validation
 * @param lossSum of the unfinished epoch
 * @param hitSum of the unfinished epoch; NaN for regression
 * @param examples of the unfinished epoch
 * @param epochSeconds spent on updates of the unfinished epoch
 * @param updateSeconds spent on updates altogether
 * @param updateExamples trained on altogether
 * @param seconds of training altogether
 */
record TrainingState(
    FittedPreprocessing.Kind preprocessing,
    BatchPosition position,
    Standing standing,
    ReduceOnPlateau.State plateau,
    double lossSum,
    double hitSum,
    long examples,
    double epochSeconds,
    double updateSeconds,
    long updateExamples,
    double seconds) {

  static final TrainingState START =
      new TrainingState(null, BatchPosition.START, Standing.START, ReduceOnPlateau.State.START, 0, 0, 0, 0, 0, 0, 0);
}
