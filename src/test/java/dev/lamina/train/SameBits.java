package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.io.Safetensors;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Map;

/** Compares the tensors of two files. */
final class SameBits {
  private SameBits() {}

  static void assertSameBits(Path expected, Path actual) {
    try (Arena arena = Arena.ofConfined()) {
      Map<String, HostTensor> a = Safetensors.read(expected, arena).tensors();
      Map<String, HostTensor> b = Safetensors.read(actual, arena).tensors();
      assertEquals(a.keySet(), b.keySet());
      a.forEach((name, tensor) ->
          assertArrayEquals(
              tensor.segment().toArray(ValueLayout.JAVA_BYTE),
              b.get(name).segment().toArray(ValueLayout.JAVA_BYTE),
              name));
    }
  }
}
