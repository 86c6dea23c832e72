package dev.lamina.search;

/** How trials are chosen, and how long each goes on. */
public enum Strategy {
  /** Values drawn at random (Bergstra and Bengio 2012); every trial for all epochs. */
  RANDOM,
  /** Every point of a grid; every trial for all epochs. */
  GRID,
  /** Values drawn at random; only the best of those that got as far go on ({@link SuccessiveHalving}). */
  ASHA
}
