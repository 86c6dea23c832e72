package dev.lamina.cli;

import dev.lamina.device.Devices;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that win over what a recipe says, wherever one is trained. */
final class RecipeOptions {
  @Option(
      names = "--data",
      paramLabel = "mnist|DIR",
      description = "MNIST (the default), or a folder with IDX or CIFAR files.")
  private String data;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "lenet, small-cnn (the default), mlp, vgg-small, resnet20, resnet18, resnet34, resnet50 or vgg16.")
  private String model;

  @Option(names = "--batch", paramLabel = "N|full", description = "Examples of one pass.")
  private String batch;

  @Option(
      names = "--accumulate",
      paramLabel = "N",
      description =
          "Passes whose gradients are averaged for one update: N batches of --batch act as one, but that batch norm"
              + " sees them one by one.")
  private String accumulate;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description = "The learning rate: the highest of the schedule. Each optimizer has its own default.")
  private String lr;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME",
      description = "sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw.")
  private String optimizer;

  @Option(
      names = "--preprocessing",
      paramLabel = "NAME",
      description =
          "none, mean (usual for images), z_score, min_max, pca or whiten, fitted to the training data; or as in a"
              + " recipe: 'mean: pixel', 'pca: 50', 'pca: {share: 0.95}', 'whiten: {kind: zca, epsilon: 0.1}'.")
  private String preprocessing;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU device; one for each core unless given.")
  private String threads;

  @Option(names = "--device", paramLabel = "NAME", description = "auto (the default), cuda, cuda:1, cpu or reference.")
  private String device;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      description = "tf32 (the default: 32 bits, where products may be rounded), fp32, bf16, fp16 or fp64.")
  private String precision;

  @Mixin private DeviceWishes wishes;

  /** What was given, by key of a recipe; null where nothing was. */
  Map<String, String> given() {
    Map<String, String> given = new LinkedHashMap<>();
    given.put("data", data);
    given.put("model", model);
    given.put("batch", batch);
    given.put("accumulate", accumulate);
    given.put("lr", lr);
    given.put("optimizer", optimizer);
    given.put("preprocessing", preprocessing);
    given.put("threads", threads);
    given.put("device", device);
    given.put("precision", precision);
    given.put("deterministic", wishes.deterministic() ? "true" : null);
    return given;
  }

  /** {@code given} for readers of recipes, without what is null. */
  static List<RecipeText.Setting> settings(Map<String, String> given) {
    return given.entrySet().stream()
        .filter(entry -> entry.getValue() != null)
        .map(entry -> new RecipeText.Setting("--" + entry.getKey().replace('_', '-'), entry.getKey(), entry.getValue()))
        .toList();
  }

  /** The device that {@code recipe}, which has all that was given, is computed on. */
  Devices.Choice device(Recipe recipe) {
    return wishes.choice(recipe);
  }
}
