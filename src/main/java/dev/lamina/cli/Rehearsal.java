package dev.lamina.cli;

import dev.lamina.data.DataSource;
import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.Devices;
import dev.lamina.nn.Layer;
import dev.lamina.train.recipe.Recipe;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of the commands that try out a training before it is run. */
final class Rehearsal {
  @Mixin private Subject subject;

  @Option(names = "--data", paramLabel = "mnist|DIR", description = "Another data set.")
  private String data;

  @Option(names = "--batch", paramLabel = "N|full", description = "Examples of one pass.")
  private String batch;

  @Option(names = "--optimizer", paramLabel = "NAME", description = "Another optimizer.")
  private String optimizer;

  @Option(names = "--lr", paramLabel = "RATE", description = "Another learning rate.")
  private String lr;

  @Option(names = "--seed", paramLabel = "N", description = "Of initial weights, data order and dropout.")
  private String seed;

  @Option(names = "--threads", paramLabel = "N", description = "Threads of the CPU device.")
  private String threads;

  @Option(names = "--device", paramLabel = "NAME", description = "auto, cuda, cuda:1, cpu or reference.")
  private String device;

  @Option(names = "--precision", paramLabel = "NAME", description = "tf32, fp32, bf16, fp16 or fp64.")
  private String precision;

  @Mixin private DeviceWishes wishes;

  /** What is done with device, recipe, layers and training data. */
  @FunctionalInterface
  interface Act {
    int on(Device device, Recipe recipe, Layer layers, Dataset data);
  }

  /** Reads the recipe and its data, opens its device, and lets {@code act} work with them; its exit code. */
  int run(Console console, Act act) {
    Recipe recipe = subject.recipe(given());
    DataSource source = DataSource.open(recipe.data());
    Devices.Choice choice = wishes.choice(recipe);
    console.line("%s", choice.reason());
    try (Arena arena = Arena.ofShared();
        Device opened = choice.open()) {
      Dataset examples = recipe.targets(source.train(arena), arena);
      return act.on(opened, recipe, recipe.layers(examples.classes(), examples.inputType().shape()), examples);
    }
  }

  private Map<String, String> given() {
    Map<String, String> given = new LinkedHashMap<>();
    given.put("data", data);
    given.put("batch", batch);
    given.put("optimizer", optimizer);
    given.put("lr", lr);
    given.put("seed", seed);
    given.put("threads", threads);
    given.put("device", device);
    given.put("precision", precision);
    return given;
  }
}
