package dev.lamina.cli;

import dev.lamina.data.BatchSize;
import dev.lamina.data.DataSource;
import dev.lamina.data.Dataset;
import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.PreparedInputs;
import dev.lamina.train.TrainingOptions;
import dev.lamina.train.recipe.Recipe;
import java.lang.foreign.Arena;

/**
 * A training step that is looked at without data: by {@code summary} and {@code profile}.
 *
 * @param recipe what is trained
 * @param spec of its step
 */
record Workload(Recipe recipe, ModelSpec spec) {

  /** With images and classes as ImageNet has them. */
  static Workload onImageNet(Recipe recipe, int batch) {
    return of(recipe, TensorType.of(DType.U8, 224, 224, 3), 1000, batch);
  }

  /** With the recipe's data; of MNIST, all that a step needs is known. */
  static Workload of(Recipe recipe) {
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
    return new Workload(recipe, spec);
  }

  /** The step on {@code device}; {@code console} is told if that takes long. */
  CompiledModel compile(Device device, Console console) {
    try (PreparationLine progress = new PreparationLine(console)) {
      return CompiledModel.compile(device, spec, progress::show);
    }
  }
}
