package dev.lamina.optim.schedule;

/** Checks of what schedules are made with. */
final class Checks {
  private Checks() {}

  /** Requires a finite number above 0. */
  static void requirePositive(String schedule, String what, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(schedule + ": expected a " + what + " above 0, got " + value);
    }
  }

  /** Requires 0 to 1, both included. */
  static void requireShare(String schedule, String what, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(schedule + ": expected a " + what + " from 0 to 1, got " + value);
    }
  }
}
