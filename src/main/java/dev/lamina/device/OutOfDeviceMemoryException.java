package dev.lamina.device;

import java.io.Serial;

/** A device has less memory than was asked for. The message says both figures. */
public final class OutOfDeviceMemoryException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  public OutOfDeviceMemoryException(String message) {
    super(message);
  }
}
