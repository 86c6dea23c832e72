package dev.lamina.device;

import java.io.Serial;

/** A device cannot run an operation with these element types. The message says which, and why. */
public final class UnsupportedOnDeviceException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  public UnsupportedOnDeviceException(String message) {
    super(message);
  }
}
