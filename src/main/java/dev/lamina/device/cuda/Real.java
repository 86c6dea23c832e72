package dev.lamina.device.cuda;

import dev.lamina.tensor.DType;
import java.util.Optional;

/** The element types that the kernels of networks are compiled for. */
final class Real {
  private Real() {}

  /** Why {@code dtype} is none of them; empty if it is. */
  static Optional<String> unsupported(DType dtype) {
    return dtype == DType.F32 || dtype == DType.BF16 || dtype == DType.F16
        ? Optional.empty()
        : Optional.of("the CUDA device runs it in F32, BF16 and F16, not in " + dtype);
  }

  /** The macro that chooses it. */
  static String option(DType dtype) {
    return "-DREAL_" + dtype;
  }

  /** Elements in 16 bytes. */
  static int widest(DType dtype) {
    return 16 / dtype.bytes();
  }
}
