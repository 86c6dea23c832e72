package dev.lamina.train.check;

/**
 * What one check has found.
 *
 * @param name of the check, such as {@code gradients}
 * @param level how bad it is
 * @param sentence what was measured, and what to do about it
 */
public record Finding(String name, Level level, String sentence) {

  /** How bad a finding is. */
  public enum Level {
    /** As it should be. */
    OK,
    /** It may train, but something speaks against it. */
    WARNING,
    /** It will not train. */
    FAILURE
  }

  static Finding ok(String name, String sentence) {
    return new Finding(name, Level.OK, sentence);
  }

  static Finding warning(String name, String sentence) {
    return new Finding(name, Level.WARNING, sentence);
  }

  static Finding failure(String name, String sentence) {
    return new Finding(name, Level.FAILURE, sentence);
  }
}
