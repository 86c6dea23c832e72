package dev.lamina.train;

/**
 * How a model did on some examples.
 *
 * @param examples how many
 * @param loss the mean
 * @param accuracy share judged right, 0 to 1; NaN for regression
 * @param top5 share whose class is among the five best; NaN unless classes were evaluated
 * @param confusion examples by true class (rows) and predicted class (columns); empty unless classes were evaluated
 */
public record Evaluation(long examples, double loss, double accuracy, double top5, long[][] confusion) {}
