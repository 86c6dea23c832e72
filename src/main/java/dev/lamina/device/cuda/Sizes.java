package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import java.util.ArrayList;
import java.util.List;

/**
 * How a kernel counts elements: in 32 bits if none of its tensors has more than half of what they can count, so that a
 * stride added to the last index does not overflow.
 *
 * @param largest elements of the largest tensor
 */
record Sizes(long largest) {
  private static final long FEW = 1L << 30;

  /** Whether 64 bits are needed. */
  boolean wide() {
    return largest > FEW;
  }

  /** A parameter of the kernel's type {@code Index}. */
  Argument index(long value) {
    return wide() ? new Argument.Int64(value) : new Argument.Int32(Math.toIntExact(value));
  }

  /** The macros that go with it, and {@code more}. */
  List<String> options(int width, List<String> more) {
    List<String> options = new ArrayList<>(List.of("-DWIDTH=" + width));
    if (wide()) {
      options.add("-DWIDE_INDEX");
    }
    options.addAll(more);
    return options;
  }
}
