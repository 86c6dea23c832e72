package dev.lamina.study;

/** Who waits for an experiment: is told what it does, and may have it stop. */
@FunctionalInterface
public interface Watcher {

  /** What comes next, in words. */
  void doing(String words);

  /** A table was begun; its rows come one by one. */
  default void begun(Table table) {}

  /** Whether the experiment should end where it is. */
  default boolean wantsStop() {
    return false;
  }

  /** An experiment has ended before its end, because its watcher wanted that. */
  final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1;

    Stopped() {
      super("the study was stopped before its end", null, false, false);
    }
  }
}
