package dev.lamina.benchmarks.compare;

/** A library that does tasks. One to a process: two would fight for cores and memory. */
interface Contender extends AutoCloseable {

  /** Name and version. */
  String name();

  /** Makes {@code task} ready. */
  Trial prepare(Task task);

  @Override
  void close();
}
