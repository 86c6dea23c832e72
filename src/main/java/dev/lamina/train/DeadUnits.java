package dev.lamina.train;

/**
 * How many units of a layer of ReLUs were 0 for every one of some examples, at every place and step.
 *
 * @param layer its path
 * @param units all of them
 * @param dead those that were 0
 * @param examples that were looked at
 */
public record DeadUnits(String layer, int units, int dead, long examples) {}
