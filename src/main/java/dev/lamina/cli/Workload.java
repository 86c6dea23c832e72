package dev.lamina.cli;

import dev.lamina.data.BatchSize;
import dev.lamina.data.DataSource;
import dev.lamina.data.Dataset;
import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.nn.models.Architectures;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.PreparedInputs;
import dev.lamina.train.TrainingOptions;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeText;
import dev.lamina.train.run.RunFolder;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A training step that is looked at without data: by {@code summary} and {@code profile}.
 *
 * @param recipe what is trained
 * @param spec of its step
 * @param classes that are told apart
 */
record Workload(Recipe recipe, ModelSpec spec, int classes) {

  /**
   * Finds what the user names.
   *
   * @param subject the name of a model, a recipe file, or a run; null for the default model
   * @param data another data set, or null
   * @param batch another batch, or null
   * @param device another device, or null
   */
  static Workload of(String subject, String data, String batch, String device) {
    Map<String, String> given = new LinkedHashMap<>();
    given.put("data", data);
    given.put("batch", batch);
    given.put("device", device);
    Recipe recipe = recipe(subject, given);
    if (data == null
        && subject != null
        && Architectures.isForImageNet(subject)
        && recipe.batch() instanceof BatchSize.Fixed(int size)) {
      return of(recipe, TensorType.of(DType.U8, 224, 224, 3), 1000, size);
    }
    return of(recipe);
  }

  /**
   * The recipe that the user names.
   *
   * @param subject the name of a model, a recipe file, or a run; null for the default model
   * @param given what options of the command line say, by the keys of a recipe; null where they say nothing
   */
  static Recipe recipe(String subject, Map<String, String> given) {
    RecipeText text = new RecipeText();
    List<RecipeText.Setting> overrides = new ArrayList<>(RecipeOptions.settings(given));
    if (subject != null && Files.isDirectory(Path.of(subject))) {
      return text.read(RunFolder.open(Path.of(subject)).recipe(), overrides);
    }
    if (subject != null && (Files.isRegularFile(Path.of(subject)) || subject.endsWith(".yaml"))) {
      return text.read(Path.of(subject), overrides);
    }
    if (subject != null) {
      overrides.add(new RecipeText.Setting("--model", "model", subject));
    }
    return text.parse("", "", overrides);
  }

  private static Workload of(Recipe recipe) {
    DataSource source = DataSource.open(recipe.data());
    try (Arena arena = Arena.ofShared()) {
      if (source instanceof Mnist && recipe.batch() instanceof BatchSize.Fixed(int size)) {
        return of(recipe, TensorType.of(DType.U8, 28, 28, 1), 10, size);
      }
      Dataset data = source.train(arena).split(recipe.validation(), recipe.seed()).training();
      return of(recipe, data.inputType(), data.classes(), recipe.batch().of(data));
    }
  }

  private static Workload of(Recipe recipe, TensorType example, int classes, int batch) {
    TrainingOptions options = recipe.options();
    PreparedInputs preparation = new PreparedInputs(options.preprocessingFor(example).blank(example));
    int evaluationBatch = ModelSpec.evaluationBatchFor(batch);
    ModelSpec spec =
        ModelSpec.of(recipe.layers(classes, example.shape()), example, options)
            .preparation(preparation)
            .batch(batch)
            .evaluationBatch(evaluationBatch)
            .build();
    return new Workload(recipe, spec, classes);
  }

  /** The step on {@code device}; {@code console} is told if that takes long. */
  CompiledModel compile(Device device, Console console) {
    try (PreparationLine progress = new PreparationLine(console)) {
      return CompiledModel.compile(device, spec, progress::show);
    }
  }
}
