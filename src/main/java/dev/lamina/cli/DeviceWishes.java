package dev.lamina.cli;

import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.MemoryLimit;
import dev.lamina.io.BadInputException;
import dev.lamina.train.Precision;
import dev.lamina.train.recipe.Recipe;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options about the device that computes, besides its name. */
final class DeviceWishes {
  @Option(
      names = "--deterministic",
      description = {
        "The same bits each time on the same GPU with the same libraries, at the cost of speed: convolutions take no"
            + " algorithm whose sums have no fixed order, and none by its time.",
        "The CPU and the reference always give the same bits."
      })
  private boolean deterministic;

  @Option(
      names = "--memory-limit",
      paramLabel = "SIZE",
      description =
          "Most that tensors and workspaces may take of the device's memory: 8GiB, 512MiB, or 80%% of what it has."
              + " Unless given, what is free.")
  private String memoryLimit;

  @Mixin private CudaFolders cuda;

  /** Whether the same bits were asked for here; a recipe can ask for them too. */
  boolean deterministic() {
    return deterministic;
  }

  /** The device that {@code recipe} is computed on, with what it and these options wish. */
  Devices.Choice choice(Recipe recipe) {
    return choice(recipe.device(), recipe);
  }

  /** The device of that name, for {@code recipe}. */
  Devices.Choice choice(String name, Recipe recipe) {
    return DeviceChoice.of(name, options(recipe));
  }

  private DeviceOptions options(Recipe recipe) {
    DeviceOptions options =
        new DeviceOptions(recipe.threads())
            .withExactProducts(recipe.precision() == Precision.FP32)
            .withDeterminism(deterministic || recipe.deterministic())
            .withMemoryLimit(limit());
    return cuda.in(options);
  }

  private MemoryLimit limit() {
    try {
      return memoryLimit == null ? new MemoryLimit.None() : MemoryLimit.parse(memoryLimit);
    } catch (IllegalArgumentException e) {
      throw new BadInputException("--memory-limit: " + e.getMessage(), e);
    }
  }
}
