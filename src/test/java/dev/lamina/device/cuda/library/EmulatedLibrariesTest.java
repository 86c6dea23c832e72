package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.lamina.device.cuda.emulator.Emulator;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The emulator's libraries are found, relinked to and called as NVIDIA's are. */
class EmulatedLibrariesTest {
  private static CudaFacts facts(Path folder) {
    Map<String, String> variables = new HashMap<>(System.getenv());
    variables.put(Places.VARIABLE, folder.toString());
    CudaSurvey survey = CudaSurvey.of(Surroundings.ofThisProcess(variables), new Probe());
    return assertInstanceOf(CudaSurvey.Usable.class, survey, survey.toString()).facts();
  }

  @Test
  void theProbeAsksTheEmulatedGpu() {
    CudaFacts facts = facts(Emulator.folder());
    assertEquals(12060, facts.driver());
    assertEquals("12.6.3", facts.cublas());
    assertEquals("12.6", facts.nvrtc());
    assertEquals(90501, facts.cudnn());
    CudaFacts.Gpu gpu = facts.gpus().getFirst();
    assertEquals("Lamina emulator", gpu.name());
    assertEquals(80, gpu.capability());
    assertEquals(4L << 30, gpu.total());
    assertEquals(gpu.total(), gpu.free());
  }

  @ParameterizedTest
  @CsvSource({"12, 8, 8907", "13, 9, 90501"})
  @Tag("slow")
  void otherVersionsToo(int cuda, int cudnn, int version) {
    CudaFacts facts = facts(Emulator.folder(cuda, cudnn));
    assertEquals(cuda, facts.driver() / 1000);
    assertEquals(version, facts.cudnn());
    assertEquals(1, facts.gpus().size());
  }
}
