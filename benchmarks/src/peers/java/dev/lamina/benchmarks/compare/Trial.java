package dev.lamina.benchmarks.compare;

/** One contender's side of a task: ready to run, with its operands. */
interface Trial extends AutoCloseable {

  /** Does it once, and returns when it is done. */
  void run();

  /**
   * What the two sides are held against each other by, in Lamina's layouts. Comes before any {@link #run}: training
   * changes its weights.
   */
  float[] results();

  @Override
  void close();
}
