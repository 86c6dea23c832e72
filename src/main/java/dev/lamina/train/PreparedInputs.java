package dev.lamina.train;

import dev.lamina.data.Coefficients;
import dev.lamina.data.FittedPreprocessing;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A fitted preprocessing as a part of the model: its numbers are statistics {@code preprocessing.offset}, {@code
 * .scale} and {@code .components}, saved and loaded with the weights.
 *
 * @param fitted kind and numbers
 */
public record PreparedInputs(FittedPreprocessing fitted) implements InputPreparation {
  private static final String PREFIX = "preprocessing.";

  @Override
  public Tensor prepare(Tensor images, Scope scope, Precision precision) {
    if (fitted.offset() == null) {
      return images.cast(precision.activations());
    }
    boolean rotates = fitted.components() != null;
    Tensor offset = statistic(scope, "offset", fitted.offset());
    Tensor scale = fitted.scale() == null ? null : statistic(scope, "scale", fitted.scale());
    // Whitening multiplies small values by large ones: 16 bits, or TF32, are enough for what comes out, not for what
    // goes in.
    DType dtype = rotates ? precision.parameters() : precision.activations();
    Tensor scaled = InputPreparation.scaled(images, fitted.factor(), offset, scale, dtype);
    if (!rotates) {
      return scaled;
    }
    int batch = images.shape().dim(0);
    Tensor components = statistic(scope, "components", fitted.components());
    Tensor rotated =
        scaled.reshape(batch, components.shape().dim(1)).matmul(new Op.MatMul(false, true, true), components);
    return rotated.cast(precision.activations()).reshape(fitted.output().batched(batch));
  }

  private static Tensor statistic(Scope scope, String name, Coefficients values) {
    return scope.statistic(PREFIX + name, values.shape(), (target, _) -> values.copyTo(target));
  }

  /**
   * What layers that were made for images are told about vectors.
   *
   * @param complaint of the layer
   */
  String refusal(String complaint) {
    return "preprocessing "
        + kindOf(fitted)
        + " makes vectors of "
        + fitted.output().last()
        + " out of inputs "
        + fitted.example().shape()
        + ", and a layer wants something else ("
        + complaint
        + "); take layers for vectors, such as the model mlp, or whiten with kind zca, which keeps the shape";
  }

  /** The word for files. */
  static String kindOf(FittedPreprocessing fitted) {
    return fitted.kind().name().toLowerCase(Locale.ROOT);
  }

  /** Whether {@code tensors}, read from a file, have numbers of a preprocessing. */
  static boolean areIn(Map<String, HostTensor> tensors) {
    return tensors.containsKey(PREFIX + "offset");
  }

  /**
   * The preprocessing whose numbers are among {@code tensors}, which were read from a file.
   *
   * @param where names the file
   * @throws BadInputException if they are not there, or are none of this kind
   */
  static FittedPreprocessing from(
      String where, FittedPreprocessing.Kind kind, TensorType example, Map<String, HostTensor> tensors) {
    Map<String, HostTensor> parts = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> {
      if (name.startsWith(PREFIX)) {
        parts.put(name.substring(PREFIX.length()), tensor);
      }
    });
    try {
      return FittedPreprocessing.of(kind, example, parts);
    } catch (IllegalArgumentException e) {
      throw new BadInputException(where + ": " + e.getMessage(), e);
    }
  }

  /**
   * {@code tensors} with the numbers of {@code fitted} where there are none: files of earlier versions have them
   * elsewhere.
   *
   * @param arena holds what is added
   * @param dtype of parameters
   */
  static Map<String, HostTensor> completed(
      Map<String, HostTensor> tensors, FittedPreprocessing fitted, DType dtype, Arena arena) {
    Map<String, HostTensor> all = new LinkedHashMap<>(tensors);
    fitted
        .parts()
        .forEach((name, values) ->
            all.computeIfAbsent(
                PREFIX + name,
                _ -> {
                  HostTensor tensor = HostTensor.allocate(arena, new TensorType(values.shape(), dtype));
                  values.copyTo(tensor);
                  return tensor;
                }));
    return all;
  }
}
