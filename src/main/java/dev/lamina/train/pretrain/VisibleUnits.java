package dev.lamina.train.pretrain;

/** What a restricted Boltzmann machine takes its inputs for. */
public enum VisibleUnits {
  /** On or off; inputs from 0 to 1 are the probability of being on. */
  BINARY,
  /** Real numbers with noise of variance 1, so inputs have a mean of 0 and a variance of 1 themselves. */
  GAUSSIAN
}
