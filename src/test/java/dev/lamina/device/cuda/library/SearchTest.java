package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.cuda.library.CudaLibraries.Library;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The search in folder trees that are made up. */
class SearchTest {
  private static final String PACKAGES = "lib/python3.11/site-packages/nvidia/";

  @TempDir private Path root;

  @Test
  void anEmptyMachineIsToldWhatToInstall() {
    Search.Result result = search(Map.of());
    assertEquals(List.of(), result.combinations());
    assertEquals(
        List.of("libcuda.so.1", "libcublas.so.12", "libnvrtc.so.12", "libcudnn.so.9"),
        result.missing().stream().map(Search.Missing::what).toList());
    assertEquals(
        "libcuda.so.1 was not found; install NVIDIA's driver: apt-get install nvidia-driver (in a container: docker run"
            + " --gpus all)",
        ((CudaSurvey.Unusable) CudaSurvey.of(surroundings(Map.of(), List::of), new Probe())).reason());
  }

  @Test
  void onlyWhatIsMissingIsNamed() {
    driver("usr/lib/x86_64-linux-gnu");
    toolkit("usr/local/cuda/lib64", 13);
    var unusable = (CudaSurvey.Unusable) CudaSurvey.of(surroundings(Map.of(), List::of), new Probe());
    assertEquals("libcudnn.so.9 was not found; pip install nvidia-cudnn-cu13", unusable.reason());
    assertTrue(
        unusable.details().stream().anyMatch(line -> line.matches("libcublas.so.13 +13, .*lib64/libcublas.so.13 .*")),
        unusable.details()::toString);
  }

  @Test
  void oneCommandBringsAllThatPipHas() {
    driver("usr/lib/x86_64-linux-gnu");
    var unusable = (CudaSurvey.Unusable) CudaSurvey.of(surroundings(Map.of(), List::of), new Probe());
    assertEquals(
        "libcublas.so.12, libnvrtc.so.12, libcudnn.so.9 were not found; pip install nvidia-cublas-cu12"
            + " nvidia-cuda-nvrtc-cu12 nvidia-cudnn-cu12",
        unusable.reason());
  }

  @Test
  void placesAreSearchedInTheirOrder() throws IOException {
    Map<String, String> variables =
        Map.of(
            "LAMINA_CUDA_LIBS", "/given",
            "CUDA_HOME", "/home-of-cuda",
            "CUDA_PATH", "/path-of-cuda",
            "LD_LIBRARY_PATH", "/linked:/linked-too",
            "VIRTUAL_ENV", "/venv",
            "CONDA_PREFIX", "/conda",
            "HOME", "/home/me");
    List<String> folders =
        List.of(
            "given",
            "home-of-cuda/lib64",
            "path-of-cuda/targets/x86_64-linux/lib",
            "linked",
            "linked-too",
            "cached",
            "venv/" + PACKAGES + "cublas/lib",
            "conda/lib",
            "usr/lib/x86_64-linux-gnu",
            "usr/local/cuda/lib64",
            "usr/local/cuda-12.6/lib64",
            "home/me/.local/lib/python3.12/site-packages/nvidia/cublas/lib",
            "site/nvidia/cu13/lib");
    List<String> why =
        List.of(
            "LAMINA_CUDA_LIBS",
            "CUDA_HOME",
            "CUDA_PATH",
            "LD_LIBRARY_PATH",
            "LD_LIBRARY_PATH",
            "ldconfig",
            "VIRTUAL_ENV",
            "CONDA_PREFIX",
            "system folder",
            "system folder",
            "system folder",
            "packages of python3",
            "packages of python3");
    for (String folder : folders) {
      Files.createDirectories(root.resolve(folder));
    }
    Files.createDirectories(root.resolve("etc"));
    Files.write(root.resolve("etc/ld.so.cache"), LinkerCacheTest.cache("/cached/libcublas.so.12", "/lib/libc.so.6"));
    var places = new Places(surroundings(variables, () -> List.of("/site")));
    List<Places.Place> found = new ArrayList<>(places.all());
    found.addAll(places.ofPython());
    List<Places.Place> expected = new ArrayList<>();
    for (int i = 0; i < folders.size(); i++) {
      expected.add(new Places.Place(root.resolve(folders.get(i)), why.get(i)));
    }
    assertEquals(expected, found.stream().filter(place -> expected.contains(place)).toList());
  }

  @Test
  void aGivenFolderWins() {
    driver("usr/lib/x86_64-linux-gnu");
    everything("usr/local/cuda/lib64", 12, 9);
    everything("given", 12, 9);
    CudaLibraries best = search(Map.of("LAMINA_CUDA_LIBS", "/given")).combinations().getFirst();
    for (Library library : List.of(best.cublas(), best.cublasLt(), best.cudnn(), best.nvrtc())) {
      assertEquals(root.resolve("given").resolve(library.soname()), library.path());
      assertEquals("LAMINA_CUDA_LIBS", library.why());
    }
    assertEquals("system folder", best.driver().why());
  }

  @Test
  void aGivenFolderMayBeThatOfAnEnvironment() {
    driver("usr/lib/x86_64-linux-gnu");
    toolkit("env/" + PACKAGES + "cu13/lib", 13);
    cudnn("env/" + PACKAGES + "cudnn/lib", 9);
    assertEquals(1, search(Map.of("LAMINA_CUDA_LIBS", "/env/" + PACKAGES)).combinations().size());
    assertEquals(1, search(Map.of("LAMINA_CUDA_LIBS", "/env/lib/python3.11/site-packages")).combinations().size());
    assertEquals(1, search(Map.of("VIRTUAL_ENV", "/env")).combinations().size());
  }

  @Test
  void aGivenFolderThatDoesNotExistIsAnError() {
    var error = assertThrows(IllegalArgumentException.class, () -> search(Map.of("LAMINA_CUDA_LIBS", "/absent")));
    assertEquals(
        "LAMINA_CUDA_LIBS (--cuda-libs) names /absent, which is no folder; name one with NVIDIA's libraries",
        error.getMessage());
  }

  @Test
  void pythonIsAskedOnlyForWhatIsNeeded() {
    int[] asked = {0};
    Supplier<List<String>> python =
        () -> {
          asked[0]++;
          return List.of("/site");
        };
    everything("site/nvidia/all/lib", 12, 9);
    assertEquals(List.of(), Search.in(surroundings(Map.of(), python)).combinations());
    assertEquals(0, asked[0], "without a driver the rest does not matter");
    driver("usr/lib/x86_64-linux-gnu");
    assertEquals("packages of python3", only(Search.in(surroundings(Map.of(), python))).cudnn().why());
    assertEquals(1, asked[0]);
    everything("usr/local/cuda/lib64", 12, 9);
    assertEquals("system folder", only(Search.in(surroundings(Map.of(), python))).cudnn().why());
    assertEquals(1, asked[0], "nothing is missing");
  }

  @Test
  void combinationsAreThoseThatNvidiaSupports() {
    driver("usr/lib/x86_64-linux-gnu");
    toolkit("usr/local/cuda-13.0/lib64", 13);
    toolkit("usr/local/cuda-12.6/lib64", 12);
    cudnn("usr/lib/x86_64-linux-gnu", 8);
    assertEquals(List.of("12+8"), names(search(Map.of())));
    cudnn("usr/lib/x86_64-linux-gnu", 9);
    assertEquals(List.of("13+9", "12+9", "12+8"), names(search(Map.of())));
  }

  @Test
  void cudnnEightIsNotForCudaThirteen() {
    driver("usr/lib/x86_64-linux-gnu");
    toolkit("usr/local/cuda/lib64", 13);
    cudnn("usr/local/cuda/lib64", 8);
    Search.Result result = search(Map.of());
    assertEquals(List.of(), result.combinations());
    assertEquals(List.of(new Search.Missing("libcudnn.so.9", "pip install nvidia-cudnn-cu13")), result.missing());
    assertTrue(result.rejected().getFirst().endsWith("libcudnn.so.8: cuDNN 8 is not for CUDA 13"));
  }

  @Test
  void librariesOfTwoCudasAreNotMixed() {
    driver("usr/lib/x86_64-linux-gnu");
    toolkit("usr/local/cuda-13.0/lib64", 13);
    cudnn("usr/lib/x86_64-linux-gnu", 9);
    assertTrue(root.resolve("usr/local/cuda-13.0/lib64/libnvrtc.so.13").toFile().delete());
    TinySharedObject.write(root.resolve("usr/local/cuda-12.6/lib64/libnvrtc.so.12"), "libnvrtc.so.12");
    Search.Result result = search(Map.of());
    assertEquals(List.of(), result.combinations());
    assertEquals(List.of(new Search.Missing("libnvrtc.so.13", "pip install nvidia-cuda-nvrtc")), result.missing());
  }

  @Test
  void versionsAndCompanionsComeFromFileNames() throws IOException {
    driver("usr/lib/x86_64-linux-gnu");
    Path lib = root.resolve("usr/local/cuda/lib64");
    everything("usr/local/cuda/lib64", 12, 9);
    Files.move(lib.resolve("libcublas.so.12"), lib.resolve("libcublas.so.12.6.4.1"));
    Files.createSymbolicLink(lib.resolve("libcublas.so.12"), Path.of("libcublas.so.12.6.4.1"));
    TinySharedObject.write(lib.resolve("libnvrtc-builtins.so.12.6.85"), "libnvrtc-builtins.so.12.6");
    Files.createSymbolicLink(lib.resolve("libnvrtc-builtins.so.12.6"), Path.of("libnvrtc-builtins.so.12.6.85"));
    CudaLibraries found = only(search(Map.of()));
    assertEquals("12.6.4.1", found.cublas().version());
    assertEquals("9", found.cudnn().version());
    assertEquals(List.of(lib.resolve("libnvrtc-builtins.so.12.6")), found.nvrtc().beside());
    assertEquals(List.of(lib.resolve("libcudnn_graph.so.9"), lib.resolve("libcudnn_ops.so.9")), found.cudnn().beside());
    List<String> order = found.inLoadingOrder().stream().map(path -> path.getFileName().toString()).toList();
    assertEquals(
        List.of(
            "libcuda.so.1",
            "libnvrtc-builtins.so.12.6",
            "libnvrtc.so.12",
            "libcublasLt.so.12",
            "libcublas.so.12",
            "libcudnn_ops.so.9",
            "libcudnn_graph.so.9",
            "libcudnn.so.9"),
        order);
    assertEquals(found.inLoadingOrder(), CudaLibraries.ofArguments(found.arguments()).inLoadingOrder());
  }

  @Test
  void stubsAndStrangersAreLeftAside() throws IOException {
    driver("usr/local/cuda/lib64/stubs");
    assertEquals(4, search(Map.of("LD_LIBRARY_PATH", "/usr/local/cuda/lib64/stubs")).missing().size());
    everything("usr/local/cuda/lib64", 12, 9);
    Path text = root.resolve("usr/lib/x86_64-linux-gnu/libcuda.so.1");
    Files.createDirectories(text.getParent());
    Files.writeString(text, "GROUP ( libcuda.so )");
    TinySharedObject.write(root.resolve("usr/lib64/libcuda.so.1"), "libcuda.so.535");
    Search.Result result = search(Map.of());
    assertEquals(List.of("libcuda.so.1"), result.missing().stream().map(Search.Missing::what).toList());
    assertEquals(
        List.of(
            text + ": is not an ELF file",
            root.resolve("usr/lib64/libcuda.so.1") + ": calls itself 'libcuda.so.535', expected libcuda.so.1"),
        result.rejected());
  }

  @Test
  void otherSystemsGetOneLine() {
    var mac = new Surroundings("Mac OS X", "aarch64", Map.of(), root, List::of);
    var unusable = (CudaSurvey.Unusable) CudaSurvey.of(mac, new Probe());
    assertEquals("CUDA is supported on Linux x86_64 (and WSL2), and this is Mac OS X aarch64", unusable.reason());
    assertFalse(new Surroundings("Linux", "aarch64", Map.of(), root, List::of).unsupported().isEmpty());
    assertTrue(new Surroundings("Linux", "amd64", Map.of(), root, List::of).unsupported().isEmpty());
  }

  private static List<String> names(Search.Result result) {
    return result.combinations().stream()
        .map(libraries -> libraries.cudaMajor() + "+" + libraries.cudnn().major())
        .toList();
  }

  private static CudaLibraries only(Search.Result result) {
    assertEquals(1, result.combinations().size(), result::toString);
    return result.combinations().getFirst();
  }

  private void driver(String folder) {
    TinySharedObject.write(root.resolve(folder).resolve("libcuda.so.1"), "libcuda.so.1");
  }

  private void toolkit(String folder, int cuda) {
    for (String stem : List.of("libcublas", "libcublasLt", "libnvrtc")) {
      TinySharedObject.write(root.resolve(folder).resolve(stem + ".so." + cuda), stem + ".so." + cuda);
    }
  }

  /** The graph library needs the operations, as it does since cuDNN 9. */
  private void cudnn(String folder, int cudnn) {
    Path lib = root.resolve(folder);
    TinySharedObject.write(lib.resolve("libcudnn.so." + cudnn), "libcudnn.so." + cudnn, "libcudnn_graph.so." + cudnn);
    TinySharedObject.write(
        lib.resolve("libcudnn_graph.so." + cudnn), "libcudnn_graph.so." + cudnn, "libcudnn_ops.so." + cudnn);
    TinySharedObject.write(lib.resolve("libcudnn_ops.so." + cudnn), "libcudnn_ops.so." + cudnn, "libc.so.6");
  }

  private void everything(String folder, int cuda, int cudnn) {
    toolkit(folder, cuda);
    cudnn(folder, cudnn);
  }

  private Search.Result search(Map<String, String> variables) {
    return Search.in(surroundings(variables, List::of));
  }

  private Surroundings surroundings(Map<String, String> variables, Supplier<List<String>> python) {
    return new Surroundings("Linux", "amd64", variables, root, python);
  }
}
