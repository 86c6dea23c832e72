package dev.lamina.train;

/**
 * One epoch in figures.
 *
 * @param epoch counted from 1
 * @param epochs how many were asked for
 * @param step updates done so far
 * @param rate learning rate of the last update
 * @param training figures over the epoch, while the weights were changing and with dropout
 * @param validation figures after the epoch on what was held out; null if nothing was
 * @param best whether this is the best epoch so far
 * @param seconds spent on updates, without validation
 * @param examplesPerSecond trained on
 */
public record EpochReport(
    int epoch,
    int epochs,
    long step,
    double rate,
    Evaluation training,
    Evaluation validation,
    boolean best,
    double seconds,
    double examplesPerSecond) {}
