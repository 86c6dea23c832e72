package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.lamina.device.cuda.emulator.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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

  /** A toolkit that does not load stands before the packages of python3. */
  @Test
  void whatPythonHasIsTriedWhenTheRestDoesNotWork(@TempDir Path root) throws IOException {
    Path broken = Files.createDirectories(root.resolve("cuda/lib64"));
    for (String name : List.of("libcublas.so.12", "libcublasLt.so.12", "libnvrtc.so.12", "libcudnn.so.9")) {
      TinySharedObject.write(broken.resolve(name), name);
    }
    Path driver = Files.createDirectories(root.resolve("usr/lib64"));
    Files.createSymbolicLink(driver.resolve("libcuda.so.1"), Emulator.folder().resolve("libcuda.so.1"));
    Path packages = Files.createDirectories(root.resolve("site/nvidia/all"));
    Files.createSymbolicLink(packages.resolve("lib"), Emulator.folder());
    var surroundings = new Surroundings("Linux", "amd64", Map.of("CUDA_HOME", "/cuda"), root, () -> List.of("/site"));
    CudaSurvey survey = CudaSurvey.of(surroundings, new Probe());
    var usable = assertInstanceOf(CudaSurvey.Usable.class, survey, survey.toString());
    assertEquals("packages of python3", usable.libraries().cudnn().why());
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
