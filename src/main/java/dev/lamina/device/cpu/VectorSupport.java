package dev.lamina.device.cpu;

/**
 * Whether kernels may use {@code jdk.incubator.vector}, how wide, and why: the probe in front of every class that
 * touches the Vector API.
 *
 * @param bits width of a vector in bits; 0 is scalar code
 * @param reason the finding in words, for the log and for the list of devices
 */
record VectorSupport(int bits, String reason) {
  /** Forces a vector width in bits, or scalar code with 0. */
  static final String PROPERTY = "lamina.vector.bits";

  /** What was found when this class was loaded; it cannot change while the virtual machine runs. */
  static final VectorSupport FOUND = probe(System.getProperty(PROPERTY));

  boolean available() {
    return bits > 0;
  }

  /**
   * Looks at the module graph and the processor.
   *
   * @param forced the width asked for, or null for the widest
   * @throws IllegalArgumentException if what was asked for is no width or cannot be had
   */
  static VectorSupport probe(String forced) {
    if (forced != null && !forced.matches("0|128|256|512")) {
      throw new IllegalArgumentException(PROPERTY + " must be 0, 128, 256 or 512, got " + forced);
    }
    int asked = forced == null ? -1 : Integer.parseInt(forced);
    if (asked == 0) {
      return new VectorSupport(0, "scalar code, because " + PROPERTY + " is 0");
    }
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      if (asked > 0) {
        throw new IllegalArgumentException(PROPERTY + "=" + asked + " needs java --add-modules jdk.incubator.vector");
      }
      return new VectorSupport(0, "scalar code, because java runs without --add-modules jdk.incubator.vector");
    }
    int widest = Lanes.Widest.BITS;
    if (asked > widest) {
      throw new IllegalArgumentException(
          PROPERTY + "=" + asked + " is wider than this processor's " + widest + " bits");
    }
    if (asked < 0 && widest < 128) {
      return new VectorSupport(0, "scalar code, because this processor's vectors have " + widest + " bits");
    }
    return asked < 0
        ? new VectorSupport(widest, widest + "-bit vectors")
        : new VectorSupport(asked, asked + "-bit vectors, because " + PROPERTY + " says so");
  }
}
