package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Libraries with the names, versions and a few functions of NVIDIA's, made by gcc. */
final class StandIns {
  private static final String DRIVER =
      """
      #include <stdlib.h>
      #include <string.h>
      #include <unistd.h>
      int cuInit(unsigned flags) { ON_INIT }
      int cuDriverGetVersion(int *version) { *version = DRIVER_VERSION; return 0; }
      int cuDeviceGetCount(int *count) { *count = 2; return 0; }
      int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
      int cuDeviceGetName(char *name, int length, int device) {
        strncpy(name, device ? "Stand-in, old" : "Stand-in", length); return 0;
      }
      int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = 8ul << 30; return 0; }
      int cuDeviceGetAttribute(int *value, int attribute, int device) {
        *value = attribute == 75 ? (device ? 3 : 9) : attribute == 76 ? 0 : attribute == 17 ? !device : -1; return 0;
      }
      int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &context; return device ? 46 : 0; }
      int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
      int cuCtxSetCurrent(void *context) { return 0; }
      int cuMemGetInfo_v2(size_t *free, size_t *total) { *free = 6ul << 30; *total = 8ul << 30; return 0; }
      int cuGetErrorName(int error, const char **text) {
        *text = error == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_DEVICE_UNAVAILABLE"; return 0;
      }
      int cuGetErrorString(int error, const char **text) { *text = "says, the stand-in"; return 0; }
      """;
  private static final String CUBLAS =
      "int cublasGetProperty(int type, int *value) { *value = type == 0 ? MAJOR : 10 + type; return 0; }";
  private static final String NVRTC =
      "int nvrtcVersion(int *major, int *minor) { *major = MAJOR; *minor = 6; return 0; }";
  private static final String CUDNN =
      """
      #include <stddef.h>
      int cudnn_part(void);
      size_t cudnnGetVersion(void) { return VERSION + cudnn_part(); }
      size_t cudnnGetCudartVersion(void) { return CUDART; }
      """;

  private final Path folder;

  StandIns(Path folder) throws IOException {
    this.folder = Files.createDirectories(folder);
  }

  Path folder() {
    return folder;
  }

  /** Everything for one CUDA and one cuDNN. */
  StandIns all(int cuda, int cudnn) throws IOException, InterruptedException {
    return driver(12060 > cuda * 1000 ? 12060 : 13000, "return 0;")
        .toolkit(cuda)
        .cudnn(cudnn == 9 ? 90501 : 8907, cuda * 1000 + 40);
  }

  /** The driver has no versions of symbols. */
  StandIns driver(int version, String onInit) throws IOException, InterruptedException {
    return library("libcuda.so.1", "", DRIVER, "-DDRIVER_VERSION=" + version, "-DON_INIT=" + onInit);
  }

  StandIns toolkit(int cuda) throws IOException, InterruptedException {
    String major = "-DMAJOR=" + cuda;
    library("libcublasLt.so." + cuda, "libcublasLt.so." + cuda, "int lt;");
    library("libnvrtc-builtins.so." + cuda + ".6", "", "int builtins;");
    library("libnvrtc.so." + cuda, "libnvrtc.so." + cuda, NVRTC, major);
    return library(
        "libcublas.so." + cuda,
        "libcublas.so." + cuda,
        CUBLAS,
        major,
        "-l:libcublasLt.so." + cuda,
        "-Wl,--no-as-needed");
  }

  /** The library and a part of it that it needs, and that is found nowhere unless it is loaded first. */
  StandIns cudnn(int version, int cudart) throws IOException, InterruptedException {
    int major = version >= 90000 ? 9 : 8;
    String part = "libcudnn_ops.so." + major;
    library(part, part, "int cudnn_part(void) { return 0; }");
    String name = "libcudnn.so." + major;
    return library(name, name, CUDNN, "-DVERSION=" + version, "-DCUDART=" + cudart, "-l:" + part);
  }

  /** A library whose symbols have {@code version}, or none. */
  StandIns library(String soname, String version, String source, String... options)
      throws IOException, InterruptedException {
    Path code = Files.writeString(folder.resolve("source.c"), source);
    List<String> command = new ArrayList<>(List.of("gcc", "-shared", "-fPIC", "-O0", "-o", soname, code.toString()));
    command.addAll(List.of("-L.", "-Wl,-soname," + soname));
    command.addAll(List.of(options));
    if (!version.isEmpty()) {
      Files.writeString(folder.resolve("source.map"), version + " { global: *; };");
      command.add("-Wl,--version-script,source.map");
    }
    Tools.run(folder, command);
    return this;
  }
}
