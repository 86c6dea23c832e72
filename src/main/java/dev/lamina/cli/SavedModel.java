package dev.lamina.cli;

import dev.lamina.device.Device;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.train.ModelFile;
import dev.lamina.train.TrainedModel;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeText;
import dev.lamina.train.run.RunFolder;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A trained model on disk with the recipe that says what its tensors are.
 *
 * @param file model.safetensors
 * @param description what the file says about itself
 * @param recipe it was trained by
 */
record SavedModel(Path file, ModelFile description, Recipe recipe) {

  /**
   * Finds the model of a run, or in a file.
   *
   * @param place a run's folder, or a file
   * @throws BadInputException if there is none
   */
  static SavedModel find(Path place) {
    Path file = Files.isDirectory(place) ? RunFolder.open(place).checkpoints().best() : place;
    if (!Files.exists(file)) {
      throw new BadInputException(
          Files.isDirectory(place)
              ? place + " has no model yet: no epoch was completed"
              : "there is no file or run " + place);
    }
    try (Arena scratch = Arena.ofConfined()) {
      ModelFile description = ModelFile.of(file, Safetensors.read(file, scratch));
      if (description.recipe().isEmpty()) {
        throw new BadInputException(file + ": holds weights, but not the recipe that says which layers they belong to");
      }
      return new SavedModel(
          file, description, new RecipeText().parse(file + " (recipe)", description.recipe(), List.of()));
    }
  }

  /** Opens the device of that name, or the recipe's for null. */
  Device open(String device, DeviceWishes wishes) {
    return wishes.choice(device == null ? recipe.device() : device, recipe).open();
  }

  /** The model on {@code device}; {@code console} is told if that takes long. */
  TrainedModel load(Device device, Console console) {
    try (PreparationLine progress = new PreparationLine(console)) {
      return TrainedModel.load(
          file,
          recipe.layers(description.classNames().size(), description.example().shape()),
          recipe.loss(),
          device,
          progress::show);
    }
  }
}
