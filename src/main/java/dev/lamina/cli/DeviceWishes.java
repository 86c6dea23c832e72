package dev.lamina.cli;

import dev.lamina.device.DeviceOptions;
import dev.lamina.train.Precision;
import dev.lamina.train.recipe.Recipe;
import picocli.CommandLine.Option;

/** Options about devices that are those of a machine, not of a training: no recipe has them. */
final class DeviceWishes {
  @Option(
      names = "--cuda-libs",
      paramLabel = "DIR",
      description = "Where NVIDIA's libraries are; several are separated by colons. Also LAMINA_CUDA_LIBS.")
  private String cudaLibraries;

  /** Together with what a recipe wishes. */
  DeviceOptions options(Recipe recipe) {
    return options(recipe.threads()).withExactProducts(recipe.precision() == Precision.FP32);
  }

  /** Together with the threads of the CPU device, 0 for all. */
  DeviceOptions options(int threads) {
    DeviceOptions options = new DeviceOptions(threads);
    return cudaLibraries == null ? options : options.withCudaLibraries(cudaLibraries);
  }
}
