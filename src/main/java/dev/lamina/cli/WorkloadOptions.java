package dev.lamina.cli;

import dev.lamina.data.BatchSize;
import dev.lamina.device.Devices;
import dev.lamina.train.recipe.Recipe;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of the commands that look at a training step without data. */
final class WorkloadOptions {
  @Mixin private Subject subject;

  @Option(names = "--data", paramLabel = "mnist|DIR", description = "Data that decides input and classes.")
  private String data;

  @Option(names = "--batch", paramLabel = "N|full", description = "Examples of one pass.")
  private String batch;

  @Option(names = "--precision", paramLabel = "NAME", description = "tf32, fp32, bf16, fp16 or fp64.")
  private String precision;

  @Option(names = "--device", paramLabel = "NAME", description = "auto, cuda, cuda:1, cpu or reference.")
  private String device;

  @Mixin private DeviceWishes wishes;

  /** The step that the user names. */
  Workload workload() {
    Map<String, String> given = new LinkedHashMap<>();
    given.put("data", data);
    given.put("batch", batch);
    given.put("precision", precision);
    given.put("device", device);
    Recipe recipe = subject.recipe(given);
    return data == null && subject.isForImageNet() && recipe.batch() instanceof BatchSize.Fixed(int size)
        ? Workload.onImageNet(recipe, size)
        : Workload.of(recipe);
  }

  /** The device that takes it. */
  Devices.Choice choice(Workload workload) {
    return wishes.choice(workload.recipe());
  }
}
