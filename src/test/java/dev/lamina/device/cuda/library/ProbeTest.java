package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import org.junit.jupiter.api.Test;

/** How the output of a process for the first contact is read. */
class ProbeTest {
  @Test
  void factsComeBackAsTheyWere() {
    var facts =
        new CudaFacts(
            12060,
            "12.6.4",
            90501,
            12060,
            "12.6",
            List.of(
                new CudaFacts.Gpu("NVIDIA H200, 141 GB = much", 90, 140_000_000_000L, 150_000_000_000L, true, ""),
                new CudaFacts.Gpu("Old", 30, 0, 1L << 30, false, "too old")));
    StringBuilder text = new StringBuilder("some library greets\n");
    facts.lines().forEach(line -> text.append("@lamina ").append(line).append('\n'));
    text.append("@lamina done\n");
    assertEquals(new Probe.Outcome.Answered(facts), Probe.outcome(text.toString(), 0));
  }

  @Test
  void aProcessThatDidNotGetToTheEndSaidNothing() {
    assertEquals(
        "ended with exit code 0 while loading /a/libcuda.so.1: out of luck",
        reason("@lamina doing=loading /a/libcuda.so.1\nout of luck\n", 0));
    assertEquals("ended with exit code 1 while starting a process for the first contact", reason("", 1));
  }

  @Test
  void refusalsAreTakenWordForWord() {
    assertEquals("no device", reason("@lamina doing=x\n@lamina failed=no device\n@lamina done\n", 0));
  }

  @Test
  void crashesNameTheSignalAndThePlace() {
    String text =
        """
        @lamina doing=starting the driver
        #
        # A fatal error has been detected by the Java Runtime Environment:
        #
        #  SIGSEGV (0xb) at pc=0x00007f0c8c01c119, pid=1, tid=2
        #
        # Problematic frame:
        # C  [libcuda.so.1+0x1119]  cuInit+0x9
        #
        """;
    assertEquals(
        "crashed (SIGSEGV in C [libcuda.so.1+0x1119] cuInit+0x9) while starting the driver", reason(text, 134));
    assertEquals("crashed (signal 9) while starting the driver", reason("@lamina doing=starting the driver\n", 137));
  }

  @Test
  void versionsOfCudnnAreReadInBothWaysOfCounting() {
    assertEquals("8.9.7", new CudaFacts(0, "", 8907, 0, "", List.of()).cudnnVersion());
    assertEquals("9.5.1", new CudaFacts(0, "", 90501, 0, "", List.of()).cudnnVersion());
    assertEquals("9.21.0", new CudaFacts(0, "", 92100, 0, "", List.of()).cudnnVersion());
    assertEquals("13.1", CudaFacts.cudaVersion(13010));
  }

  private static String reason(String text, int exit) {
    return assertInstanceOf(Probe.Outcome.Failed.class, Probe.outcome(text, exit)).reason();
  }
}
