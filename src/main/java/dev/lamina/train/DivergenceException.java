package dev.lamina.train;

import java.io.Serial;

/**
 * Training met a loss or gradient that is not a finite number. The message is one line: the step, the rate, the first
 * sick layer, what to do.
 */
public final class DivergenceException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  private final long step;

  /**
   * Says so.
   *
   * @param step the update that was not done, counted from 1
   * @param message one line
   */
  public DivergenceException(long step, String message) {
    super(message);
    this.step = step;
  }

  /** The update that was not done, counted from 1. */
  public long step() {
    return step;
  }
}
