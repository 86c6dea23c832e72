package dev.lamina.train;

import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.Preprocessing;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.io.SafetensorsFile;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * A saved model that a training begins with. Weights are of no use without the preparation of inputs that they were
 * learned with, so that comes with them.
 *
 * @param file names it in messages
 * @param description what the file says about itself
 * @param tensors weights and statistics by name
 */
record StartingWeights(Path file, ModelFile description, Map<String, HostTensor> tensors) {

  /**
   * Reads it.
   *
   * @param place a run's folder, or a file
   * @throws BadInputException if there is no model
   */
  static StartingWeights read(Path place) {
    Path file = Files.isDirectory(place) ? new Checkpoints(place).best() : place;
    if (!Files.isRegularFile(file)) {
      throw new BadInputException(
          "there is no model to begin with in " + place + "; name a run, or its model.safetensors");
    }
    SafetensorsFile saved = Safetensors.read(file, Arena.ofAuto());
    return new StartingWeights(file, ModelFile.of(file, saved), saved.tensors());
  }

  /**
   * How inputs are prepared.
   *
   * @param example one input of the data
   * @param wanted what the training asks for, or null
   * @throws BadInputException if the data has other inputs, or something else is wanted
   */
  FittedPreprocessing preprocessing(TensorType example, Preprocessing wanted) {
    if (!description.example().equals(example)) {
      throw new BadInputException(
          file + ": is a model for inputs " + description.example() + ", the data has " + example);
    }
    FittedPreprocessing own = description.preprocessing();
    if (wanted != null) {
      FittedPreprocessing blank = wanted.blank(example);
      if (blank.kind() != own.kind() || !Objects.equals(offsets(blank), offsets(own))) {
        throw new BadInputException(
            file
                + ": its weights were learned with preprocessing "
                + PreparedInputs.kindOf(own)
                + (offsets(own) == null ? "" : " by " + offsets(own))
                + ", this training has "
                + PreparedInputs.kindOf(blank)
                + (offsets(blank) == null ? "" : " by " + offsets(blank))
                + "; leave preprocessing out to take the model's");
      }
    }
    return own;
  }

  private static Shape offsets(FittedPreprocessing fitted) {
    return fitted.offset() == null ? null : fitted.offset().shape();
  }

  /**
   * Replaces the weights and statistics of {@code model}.
   *
   * @throws BadInputException if it is of another architecture
   */
  void load(CompiledModel model) {
    try (Arena scratch = Arena.ofConfined()) {
      model.load(
          PreparedInputs.completed(
              tensors, description.preprocessing(), model.spec().precision().parameters(), scratch));
    } catch (IllegalArgumentException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
  }
}
