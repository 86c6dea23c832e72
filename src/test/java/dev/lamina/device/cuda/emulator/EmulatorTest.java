package dev.lamina.device.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What tests of the CUDA device stand on: the emulator's own tests, in C++, pass. */
class EmulatorTest {
  @Test
  void findsWhatIsWrongInKernelsStreamsAndCalls() {
    Path folder = Emulator.folder();
    String output = Emulator.make(folder, "test");
    assertEquals(4, output.lines().filter(line -> line.endsWith(": good")).count(), output);
    assertTrue(output.contains("streams, deferred: good"), output);
  }
}
