package dev.lamina.device.cuda.library;

/**
 * A shared library's file that is damaged, or laid out in a way that this reader does not know. The message is one
 * line.
 */
public final class ElfException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ElfException(String file, String what) {
    super(file + ": " + what);
  }
}
