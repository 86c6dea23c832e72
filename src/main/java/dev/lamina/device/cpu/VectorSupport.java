package dev.lamina.device.cpu;

/**
 * Whether kernels may use {@code jdk.incubator.vector}, how wide, and why: the probe in front of every class that
 * touches the Vector API.
 *
 * @param bits width of a vector in bits; 0 is scalar code
 * @param reason the finding in words, for the log and for the list of devices
 */
record VectorSupport(int bits, String reason) {
  /** The widest vectors to use, in bits; scalar code with 0. */
  static final String PROPERTY = "lamina.vector.bits";

  /** What was found when this class was loaded; it cannot change while the virtual machine runs. */
  static final VectorSupport FOUND = probe(System.getProperty(PROPERTY));

  /** Whether there are 32 vector registers: everywhere but in x86 before AVX-512, which has 16. */
  static boolean hasManyRegisters() {
    boolean x86 = System.getProperty("os.arch").matches("amd64|x86_64");
    return !x86 || Lanes.Widest.BITS >= 512;
  }

  /**
   * Looks at the module graph and the processor.
   *
   * @param most the widest vectors to use, in bits; null for the widest there are
   * @throws IllegalArgumentException if {@code most} is no width
   */
  static VectorSupport probe(String most) {
    if (most != null && !most.matches("0|128|256|512")) {
      throw new IllegalArgumentException(PROPERTY + " must be 0, 128, 256 or 512, got " + most);
    }
    int limit = most == null ? Integer.MAX_VALUE : Integer.parseInt(most);
    if (limit == 0) {
      return new VectorSupport(0, "scalar code, because " + PROPERTY + " is 0");
    }
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return new VectorSupport(0, "scalar code, because java runs without --add-modules jdk.incubator.vector");
    }
    int widest = Lanes.Widest.BITS;
    if (widest < 128) {
      return new VectorSupport(0, "scalar code, because this processor's vectors have " + widest + " bits");
    }
    return widest <= limit
        ? new VectorSupport(widest, widest + "-bit vectors")
        : new VectorSupport(limit, limit + "-bit vectors, because " + PROPERTY + " says so");
  }
}
