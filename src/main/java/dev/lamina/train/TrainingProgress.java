package dev.lamina.train;

/**
 * How an epoch stands.
 *
 * @param epoch counted from 1
 * @param epochs how many were asked for
 * @param step updates done so far
 * @param totalSteps updates of the whole training
 * @param rate learning rate of the last update
 * @param figures of this epoch so far
 * @param examplesPerSecond in this epoch
 * @param secondsLeft of the whole training, at this speed
 */
public record TrainingProgress(
    int epoch,
    int epochs,
    long step,
    long totalSteps,
    double rate,
    Evaluation figures,
    double examplesPerSecond,
    double secondsLeft) {}
