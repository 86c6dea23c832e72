package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * JCuda's relinked natives with NVIDIA's own cuBLAS, cuDNN and NVRTC, which answer without a GPU; only the driver is a
 * stand-in. The profile {@code cuda-redist} unpacks them.
 */
@Tag("redist")
class RedistTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"12.6-9.5, 9, 90501, 12060, 12.6", "12.3-8.9, 8, 8907, 12020, 12.3"})
  void nvidiasLibrariesAnswer(String name, int cudnn, int version, int cudart, String nvrtc)
      throws IOException, InterruptedException {
    Tools.require("gcc", "gcc");
    Path libraries = folder(name);
    var driver = new StandIns(folder.resolve("driver")).driver(12060, "return 0;");
    var surroundings =
        new Surroundings(
            "Linux", "amd64", Map.of("LAMINA_CUDA_LIBS", driver.folder() + ":" + libraries), Path.of("/"), List::of);
    var usable = assertInstanceOf(CudaSurvey.Usable.class, CudaSurvey.of(surroundings, new Probe()));
    CudaLibraries found = usable.libraries();
    assertEquals(libraries.resolve("libcudnn.so." + cudnn), found.cudnn().path());
    assertEquals(List.of(libraries.resolve("libnvrtc-builtins.so." + nvrtc)), found.nvrtc().beside());
    assertTrue(found.cudnn().beside().size() >= 6, found.cudnn()::toString);
    CudaFacts facts = usable.facts();
    assertEquals(version, facts.cudnn());
    assertEquals(cudart, facts.cudnnCuda());
    assertEquals(nvrtc, facts.nvrtc());
    assertTrue(facts.cublas().startsWith(nvrtc + "."), facts.cublas());
  }

  /** Libraries of NVIDIA have what the natives are relinked to. */
  @ParameterizedTest
  @CsvSource({"12.6-9.5, libcudnn.so.9", "12.3-8.9, libcudnn.so.8", "12.6-9.5, libcublas.so.12"})
  void versionsOfSymbolsAreNamedLikeTheLibraries(String name, String soname) {
    SharedObject library = SharedObject.read(folder(name).resolve(soname));
    assertEquals(soname, library.soname().orElseThrow());
    assertTrue(library.versionsDefined().contains(soname), library.versionsDefined()::toString);
  }

  private static Path folder(String name) {
    return Path.of(System.getProperty("lamina.cuda.redist"), name, "org/bytedeco/cuda/linux-x86_64");
  }
}
