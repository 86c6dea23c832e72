package dev.lamina.device.cuda;

import java.io.Serial;

/** A call of NVIDIA's libraries that failed: which one, in the course of what, and in NVIDIA's words why. */
public final class CudaException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  private final boolean sticky;

  CudaException(String message, boolean sticky) {
    super(message);
    this.sticky = sticky;
  }

  /** Whether the context is lost: every later call would fail like this one. */
  boolean sticky() {
    return sticky;
  }

  /**
   * Why one of several ways is none, for the next to be tried.
   *
   * @throws CudaException this, if the context is lost: no other way would do then
   */
  String refusal() {
    if (sticky) {
      throw this;
    }
    return getMessage();
  }
}
