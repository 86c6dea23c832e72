package dev.lamina.device.cuda.library;

/** Why there is no CUDA device here, in one line that says what to do. */
public final class CudaUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With the line to show. */
  public CudaUnavailableException(String line) {
    this(line, null);
  }

  /** With the line to show, and what is behind it. */
  public CudaUnavailableException(String line, Throwable cause) {
    super(line.replaceAll("\\s*\\R\\s*", " "), cause);
  }
}
