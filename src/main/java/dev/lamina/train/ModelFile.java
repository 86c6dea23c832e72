package dev.lamina.train;

import dev.lamina.data.FittedPreprocessing;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.io.SafetensorsFile;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a file of weights says about itself, beside the tensors.
 *
 * @param example one input: U8[28,28,1]
 * @param preprocessing of inputs, with its numbers
 * @param classNames in the order of the outputs; empty for regression
 * @param recipe the text from which the model was trained; empty if there was none
 */
public record ModelFile(TensorType example, FittedPreprocessing preprocessing, List<String> classNames, String recipe) {
  /** So that a reader in another language knows what the axes are. */
  private static final String LAYOUT =
      "images NHWC; convolution filters OHWI [out, height, width, in / groups]; dense weights [out, in], in = HWC"
          + " behind a flatten";

  private static final String DESCRIPTION = "lamina.model";

  /** The part that goes to JSON; the numbers of the preprocessing are tensors. */
  private record Description(String dtype, List<Integer> shape, String preprocessing, List<String> classes) {}

  /** Mean and deviation of each channel, as files had them that name no preprocessing. */
  private record Normalization(double[] mean, double[] std) {}

  /** The part of such a file that is read no longer from {@link Description}. */
  private record Earlier(Normalization normalization) {}

  public ModelFile {
    classNames = List.copyOf(classNames);
  }

  /**
   * Replaces {@code file} by {@code weights} with this description, all or nothing.
   *
   * @throws BadInputException if it cannot be written
   */
  public void write(Path file, SequencedMap<String, HostTensor> weights) {
    List<Integer> shape = java.util.Arrays.stream(example.shape().dims()).boxed().toList();
    Description description =
        new Description(example.dtype().name(), shape, PreparedInputs.kindOf(preprocessing), classNames);
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("layout", LAYOUT);
    metadata.put(DESCRIPTION, new JsonMapper().writeValueAsString(description));
    metadata.put("recipe", recipe);
    Safetensors.write(file, weights, metadata);
  }

  /**
   * What {@code file}, read from {@code path}, says.
   *
   * @throws BadInputException if it says nothing, because something else wrote it
   */
  public static ModelFile of(Path path, SafetensorsFile file) {
    String json = file.metadata().get(DESCRIPTION);
    if (json == null) {
      throw new BadInputException(
          path + ": holds tensors, but no description of a model of Lamina's; name a run, or its model.safetensors");
    }
    try {
      Description description = new JsonMapper().readValue(json, Description.class);
      if (description.dtype() == null || description.shape() == null || description.classes() == null) {
        throw new IllegalArgumentException("dtype, shape or classes are missing");
      }
      Shape shape = Shape.of(description.shape().stream().mapToInt(Integer::intValue).toArray());
      TensorType example = new TensorType(shape, DType.valueOf(description.dtype()));
      FittedPreprocessing preprocessing =
          description.preprocessing() == null
              ? earlier(json, example)
              : PreparedInputs.from(
                  path.toString(),
                  FittedPreprocessing.Kind.valueOf(description.preprocessing().toUpperCase(Locale.ROOT)),
                  example,
                  file.tensors());
      return new ModelFile(example, preprocessing, description.classes(), file.metadata().getOrDefault("recipe", ""));
    } catch (JacksonException | IllegalArgumentException e) {
      throw new BadInputException(path + ": the description of the model cannot be read (" + e.getMessage() + ")", e);
    }
  }

  /** What was either a mean and a deviation for each channel, or nothing. */
  private static FittedPreprocessing earlier(String json, TensorType example) {
    Normalization normalization = new JsonMapper().readValue(json, Earlier.class).normalization();
    return normalization == null
        ? FittedPreprocessing.none(example)
        : FittedPreprocessing.zScore(example, normalization.mean(), normalization.std());
  }
}
