package dev.lamina.study;

import java.util.ArrayList;
import java.util.List;

/** The parts of something that is being made: if a later one cannot be had, those before it are closed. */
final class Unfinished implements AutoCloseable {
  private final List<Runnable> closings = new ArrayList<>();

  /** Adds a part that {@code closing} gives back. */
  void add(Runnable closing) {
    closings.add(closing);
  }

  /** All parts are there; who made them closes them. */
  void finished() {
    closings.clear();
  }

  /** Closes the parts that there are, the last one first. */
  @Override
  public void close() {
    closings.reversed().forEach(Runnable::run);
  }
}
