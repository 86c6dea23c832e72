package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * JCuda's relinked natives are loaded for real, by the dynamic linker of this machine, with stand-ins for NVIDIA's
 * libraries. The dynamic linker compares names and hashes of versions itself.
 */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "CUDA is supported on Linux x86_64 alone")
class LoadingTest {
  @TempDir private Path root;

  @BeforeEach
  void requireCompiler() {
    Tools.require("gcc", "gcc");
  }

  @ParameterizedTest
  @CsvSource({"12, 8", "12, 9", "13, 9"})
  void jcudaWorksWithTheLibrariesItIsRelinkedTo(int cuda, int cudnn) throws IOException, InterruptedException {
    var libraries = new StandIns(root.resolve("lib")).all(cuda, cudnn);
    var usable = assertInstanceOf(CudaSurvey.Usable.class, survey(libraries));
    CudaFacts facts = usable.facts();
    assertEquals(cudnn == 9 ? 90501 : 8907, facts.cudnn());
    assertEquals(cuda * 1000 + 40, facts.cudnnCuda());
    assertEquals(cuda + ".11.12", facts.cublas());
    assertEquals(cuda + ".6", facts.nvrtc());
    assertEquals(cuda == 12 ? 12060 : 13000, facts.driver());
    assertEquals(
        List.of(
            "Stand-in, compute capability 9.0, 6.0 of 8.0 GiB free, drives a display",
            "Stand-in, old, compute capability 3.0, cannot be used: CUDA_ERROR_DEVICE_UNAVAILABLE (says; the"
                + " stand-in)"),
        facts.gpus().stream().map(CudaFacts.Gpu::description).toList());
    assertEquals(List.of(true, false), facts.gpus().stream().map(CudaFacts.Gpu::display).toList());
    assertTrue(usable.problem(0).isEmpty());
    assertTrue(usable.problem(1).orElseThrow().contains("CUDA_ERROR_DEVICE_UNAVAILABLE"));
    assertEquals("there is no GPU 2, the last one is cuda:1", usable.problem(2).orElseThrow());
    assertEquals(
        "libcudnn.so.%-4d %s, %s (LAMINA_CUDA_LIBS)"
            .formatted(cudnn, cudnn == 9 ? "9.5.1" : "8.9.7", libraries.folder().resolve("libcudnn.so." + cudnn)),
        usable.details().getLast());
  }

  @Test
  void aCrashIsALine() throws IOException, InterruptedException {
    String reason = refusal(driver("*(volatile int *) 0 = 1; return 0;"));
    assertTrue(reason.startsWith("crashed (SIGSEGV in C [libcuda.so.1+0x"), reason);
    assertTrue(reason.endsWith(" while starting the driver"), reason);
    assertEquals("crashed (signal 6) while starting the driver", refusal(driver("abort();")));
    assertEquals("ended with exit code 7 while starting the driver", refusal(driver("_exit(7);")));
  }

  @Test
  void aProcessThatHangsIsALine() throws IOException, InterruptedException {
    var libraries = driver("sleep(600); return 0;");
    var unusable =
        assertInstanceOf(
            CudaSurvey.Unusable.class, CudaSurvey.of(surroundings(libraries), new Probe(Duration.ofSeconds(4))));
    assertTrue(unusable.reason().startsWith("gave no answer for 4 seconds while "), unusable.reason());
  }

  @Test
  void whatTheDriverSaysIsALine() throws IOException, InterruptedException {
    assertEquals(
        "NVIDIA's driver refuses: cuInit: CUDA_ERROR_NO_DEVICE (says, the stand-in)", refusal(driver("return 100;")));
  }

  @Test
  void aMissingSymbolIsALine() throws IOException, InterruptedException {
    var libraries = new StandIns(root.resolve("lib")).all(12, 9);
    libraries.library("libcudnn.so.9", "libcudnn.so.9", "int cudnnSomethingElse;");
    String reason = refusal(libraries);
    assertTrue(reason.contains("while asking for the version of cuDNN: "), reason);
    assertTrue(reason.contains("undefined symbol: cudnnGetVersion"), reason);
  }

  @Test
  void aLibraryOfAnotherVersionIsALine() throws IOException, InterruptedException {
    var libraries = new StandIns(root.resolve("lib")).all(12, 9);
    libraries.library("libcudnn.so.9", "libcudnn.so.7", "int cudnnGetVersion(void) { return 7; }");
    String reason = refusal(libraries);
    assertTrue(reason.contains("undefined symbol: cudnnGetVersion, version libcudnn.so.9"), reason);
  }

  @Test
  void librariesThatDoNotGoTogetherAreALine() throws IOException, InterruptedException {
    var libraries = new StandIns(root.resolve("lib")).all(12, 9).cudnn(8907, 11080).cudnn(90501, 13000);
    var unusable = assertInstanceOf(CudaSurvey.Unusable.class, survey(libraries));
    assertEquals(
        libraries.folder().resolve("libcudnn.so.9")
            + " was built for CUDA 13.0 and the other libraries are those of CUDA 12: pip install nvidia-cudnn-cu12",
        unusable.reason());
    assertTrue(unusable.details().stream().anyMatch(line -> line.contains("libcudnn.so.8 was built for CUDA 11.8")));
    assertTrue(
        refusal(driver("return 0;").cudnn(90501, 12060).cudnn(8907, 12010).driver(11080, "return 0;"))
            .startsWith(
                "NVIDIA's driver is one for CUDA 11.8 and the libraries are those of CUDA 12: update the driver"));
  }

  @Test
  void anOlderDriverTakesTheOlderLibraries() throws IOException, InterruptedException {
    var libraries = new StandIns(root.resolve("lib")).all(12, 9).toolkit(13);
    var usable = assertInstanceOf(CudaSurvey.Usable.class, survey(libraries));
    assertEquals(12, usable.libraries().cudaMajor());
  }

  private StandIns driver(String onInit) throws IOException, InterruptedException {
    return new StandIns(root.resolve("lib")).all(12, 9).driver(12060, onInit);
  }

  private String refusal(StandIns libraries) {
    return assertInstanceOf(CudaSurvey.Unusable.class, survey(libraries)).reason();
  }

  private CudaSurvey survey(StandIns libraries) {
    return CudaSurvey.of(surroundings(libraries), new Probe());
  }

  /** Nothing but the stand-ins: what this machine has does not count. */
  private Surroundings surroundings(StandIns libraries) {
    String folder = "/" + root.relativize(libraries.folder());
    return new Surroundings("Linux", "amd64", Map.of("LAMINA_CUDA_LIBS", folder), root, List::of);
  }
}
