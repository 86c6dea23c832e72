package dev.lamina.data;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A {@link Preprocessing} with the numbers that it has learned: {@code (x · factor − offset) · scale}, or {@code
 * components · (x · factor − offset)}. Models do this within their program; {@link #apply} does it on the host.
 *
 * @param kind what it is
 * @param example one input: U8[28,28,1]
 * @param output the shape of one result
 * @param offset of each channel [c], or of each value in the shape of the example; null for {@link Kind#NONE}
 * @param scale in the shape of the offset, or null
 * @param components [output features, input features], or null
 */
public record FittedPreprocessing(
    Kind kind, TensorType example, Shape output, Coefficients offset, Coefficients scale, Coefficients components) {

  /** What the numbers mean. */
  public enum Kind {
    /** No numbers. */
    NONE(false, false),
    /** The offset is a mean. */
    MEAN(false, false),
    /** Mean and 1/std. */
    Z_SCORE(true, false),
    /** The smallest value and 1/(largest − smallest). */
    MIN_MAX(true, false),
    /** Mean and unit vectors, by descending variance. */
    PCA(false, true),
    /** Mean and principal components divided by their deviation. */
    PCA_WHITENING(false, true),
    /** Mean and a symmetric matrix. */
    ZCA_WHITENING(false, true);

    private final boolean scales;
    private final boolean rotates;

    Kind(boolean scales, boolean rotates) {
      this.scales = scales;
      this.rotates = rotates;
    }
  }

  /**
   * Checks that the parts belong together.
   *
   * @throws IllegalArgumentException if one is missing, too many, or of a shape that does not fit the example
   */
  public FittedPreprocessing {
    require((offset != null) == (kind != Kind.NONE), kind, "offset");
    require((scale != null) == kind.scales, kind, "scale");
    require((components != null) == kind.rotates, kind, "components");
    Shape in = example.shape();
    require(offset == null || offset.shape().equals(in) || offset.shape().equals(Shape.of(in.last())), kind, "offset");
    require(scale == null || scale.shape().equals(offset.shape()), kind, "scale");
    require(
        components == null
            || components.shape().rank() == 2
                && components.shape().dim(0) == output.size()
                && components.shape().dim(1) == in.size()
                && offset.shape().equals(in),
        kind,
        "components");
    require(components != null || output.equals(in), kind, "output");
  }

  private static void require(boolean condition, Kind kind, String part) {
    if (!condition) {
      throw new IllegalArgumentException(
          "preprocessing " + kind + ": '" + part + "' is missing, too many, or of another shape than the data");
    }
  }

  /** The one without any effect. */
  public static FittedPreprocessing none(TensorType example) {
    return new FittedPreprocessing(Kind.NONE, example, example.shape(), null, null, null);
  }

  /**
   * Means and deviations that are known beforehand.
   *
   * @param mean of each channel, in the unit of the values, for bytes after their division by 255
   * @param std of each channel, above 0
   * @throws IllegalArgumentException if there are not as many as channels
   */
  public static FittedPreprocessing zScore(TensorType example, double[] mean, double[] std) {
    Shape channels = Shape.of(example.shape().last());
    return new FittedPreprocessing(
        Kind.Z_SCORE,
        example,
        example.shape(),
        new Coefficients(channels, mean.clone()),
        new Coefficients(channels, Arrays.stream(std).map(s -> 1 / s).toArray()),
        null);
  }

  /**
   * The preprocessing whose {@link #parts} were written to {@code tensors}.
   *
   * @param tensors at least those of the kind, under their names
   * @throws IllegalArgumentException if they do not fit kind and example
   */
  public static FittedPreprocessing of(Kind kind, TensorType example, Map<String, HostTensor> tensors) {
    Coefficients components = part(tensors, "components");
    boolean isVector = components != null && kind != Kind.ZCA_WHITENING;
    return new FittedPreprocessing(
        kind,
        example,
        isVector ? Shape.of(components.shape().dim(0)) : example.shape(),
        part(tensors, "offset"),
        part(tensors, "scale"),
        components);
  }

  private static Coefficients part(Map<String, HostTensor> tensors, String name) {
    HostTensor tensor = tensors.get(name);
    return tensor == null ? null : Coefficients.of(tensor);
  }

  /** The numbers under the names {@code offset}, {@code scale} and {@code components}, as far as there are any. */
  public SequencedMap<String, Coefficients> parts() {
    SequencedMap<String, Coefficients> parts = new LinkedHashMap<>();
    parts.put("offset", offset);
    parts.put("scale", scale);
    parts.put("components", components);
    parts.values().removeIf(part -> part == null);
    return parts;
  }

  /** What raw values are multiplied by first: 1/255 for bytes, unless nothing is done to them. */
  public double factor() {
    return example.dtype() == DType.U8 && kind != Kind.NONE ? 1 / 255.0 : 1;
  }

  /** Whether images become vectors. */
  public boolean flattens() {
    return output.rank() != example.shape().rank();
  }

  /**
   * One input as the layers of a model get it, computed in double.
   *
   * @return in {@code arena}, F32, of shape {@link #output}
   * @throws IllegalArgumentException if {@code input} is of another type than the example
   */
  public HostTensor apply(HostTensor input, Arena arena) {
    HostTensor result = HostTensor.allocate(arena, new TensorType(output, DType.F32));
    apply(input, result, 0);
    return result;
  }

  /**
   * The same examples with inputs as the layers of a model get them.
   *
   * @param arena holds the inputs, F32
   * @throws IllegalArgumentException if the data has inputs of another type than the example
   */
  public Dataset apply(Dataset data, Arena arena) {
    HostTensor results = HostTensor.allocate(arena, new TensorType(output.batched(data.size()), DType.F32));
    for (int i = 0; i < data.size(); i++) {
      apply(data.input(i), results, i * output.size());
    }
    return data.withInputs(results, arena);
  }

  private void apply(HostTensor input, HostTensor results, long first) {
    if (!input.type().equals(example)) {
      throw new IllegalArgumentException("preprocessing: expected inputs " + example + ", got " + input.type());
    }
    double[] x = new double[Math.toIntExact(input.size())];
    for (int i = 0; i < x.length; i++) {
      x[i] = shifted(input.get(i), i);
    }
    for (int row = 0; row < output.size(); row++) {
      results.set(first + row, components == null ? x[row] : product(row, x));
    }
  }

  private double shifted(double raw, int index) {
    if (offset == null) {
      return raw;
    }
    // Channels are the last dimension, so theirs and whole images' numbers are found in the same way.
    int place = index % Math.toIntExact(offset.shape().size());
    double centred = raw * factor() - offset.get(place);
    return scale == null ? centred : centred * scale.get(place);
  }

  private double product(int row, double[] x) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += components.get(row * x.length + i) * x[i];
    }
    return sum;
  }
}
