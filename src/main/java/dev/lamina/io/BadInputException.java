package dev.lamina.io;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/**
 * Something from outside the program cannot be used as it is: a file, a folder, a picture. The message is one complete
 * line that says what, where, and what to do; nothing needs to be added to it.
 */
public final class BadInputException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With the line to show. */
  public BadInputException(String line) {
    this(line, null);
  }

  /** With the line to show, and the failure behind it for logs. */
  public BadInputException(String line, Throwable cause) {
    super(line.replaceAll("\\s*\\R\\s*", " "), cause);
  }

  /** The line for a failed access to {@code file}: {@code deed} is a verb as in "cannot read". */
  public static BadInputException access(String deed, Path file, IOException cause) {
    return new BadInputException("cannot " + deed + " " + file + ": " + reason(cause), cause);
  }

  /** What went wrong in plain words; most file-system exceptions carry only a path as their message. */
  static String reason(IOException cause) {
    return switch (cause) {
      case NoSuchFileException _ -> "there is no such file or folder";
      case AccessDeniedException _ -> "permission denied";
      case NotDirectoryException _ -> "it is not a folder";
      case DirectoryNotEmptyException _ -> "a folder that is not empty is in the way";
      case FileSystemException e when e.getReason() != null -> e.getReason();
      default -> cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    };
  }
}
