package dev.lamina.cli;

import dev.lamina.device.DeviceOptions;
import picocli.CommandLine.Option;

/** Where NVIDIA's libraries are: a matter of the machine, so no recipe has it. */
final class CudaFolders {
  @Option(
      names = "--cuda-libs",
      paramLabel = "DIR",
      description = "Where NVIDIA's libraries are; several are separated by colons. Also LAMINA_CUDA_LIBS.")
  private String folders;

  /** Adds them to {@code options}, if they were given. */
  DeviceOptions in(DeviceOptions options) {
    return folders == null ? options : options.withCudaLibraries(folders);
  }
}
