package dev.lamina.device;

import java.util.ArrayList;
import java.util.List;

/**
 * The parts of something that is being made: if a later one cannot be had, those before it are closed. Somebody may try
 * again with less, and what half of a thing took must be free by then.
 *
 * <pre>{@code
 * try (Unfinished parts = new Unfinished()) {
 *   store = parts.add(new VariableStore(device, layout));
 *   arena = parts.add(device.allocate(bytes));
 *   parts.finished();
 * }
 * }</pre>
 */
public final class Unfinished implements AutoCloseable {
  private final List<AutoCloseable> parts = new ArrayList<>();

  /** Adds a part and returns it. */
  public <T extends AutoCloseable> T add(T part) {
    parts.add(part);
    return part;
  }

  /** All parts are there; who made them closes them. */
  public void finished() {
    parts.clear();
  }

  /**
   * Closes the parts that there are, the last one first.
   *
   * @throws IllegalStateException after that, if some of them did not close, with their reasons
   */
  @Override
  public void close() {
    List<Exception> failures = new ArrayList<>();
    for (AutoCloseable part : parts.reversed()) {
      try {
        part.close();
      } catch (Exception e) {
        failures.add(e);
      }
    }
    parts.clear();
    if (!failures.isEmpty()) {
      IllegalStateException failure = new IllegalStateException("what was made so far did not close");
      failures.forEach(failure::addSuppressed);
      throw failure;
    }
  }
}
