package dev.lamina.device.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The kernels' source: resources beside this class. */
final class KernelText {
  private KernelText() {}

  /** {@code text} behind the element types that every kernel is written in. */
  static String withTypes(String text) {
    return read("real.cuh") + "\n" + text;
  }

  /** The kernels of files, one behind the other, with the text that is generated for them in front. */
  static String files(String generated, String... names) {
    StringBuilder text = new StringBuilder(generated);
    for (String name : names) {
      text.append('\n').append(read(name));
    }
    return withTypes(text.toString());
  }

  private static String read(String name) {
    try (InputStream in = KernelText.class.getResourceAsStream("kernels/" + name)) {
      if (in == null) {
        throw new IllegalStateException("the kernel source " + name + " is missing from this build of Lamina");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the kernel source " + name, e);
    }
  }
}
