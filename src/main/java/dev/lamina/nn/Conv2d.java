package dev.lamina.nn;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Size;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Zeros;
import dev.lamina.tensor.Shape;

/**
 * A convolution of images: [n,h,w,in] to [n,h',w',filters], with {@code h' = ⌊(h + padding − dilation·(kernel − 1) − 1)
 * / stride⌋ + 1}. Parameters: {@code weight} [filters, kh, kw, in / groups], {@code bias} [filters].
 *
 * @param filters channels out
 * @param kernel extents of a filter
 * @param stride step between windows
 * @param padding what lies around the image
 * @param dilation step between the taps of a filter; 1 is dense
 * @param groups channels are cut into this many groups that do not see each other; as many as there are channels is a
 *     depthwise convolution
 * @param weight fills the weight; He normal by fan-in unless said otherwise
 * @param bias fills the bias; zeros unless said otherwise; null for no bias
 */
public record Conv2d(
    int filters,
    Size kernel,
    Size stride,
    Border padding,
    Size dilation,
    int groups,
    Initializer weight,
    Initializer bias)
    implements Layer {
  public Conv2d {
    if (filters < 1 || groups < 1 || filters % groups != 0) {
      throw new IllegalArgumentException(
          "conv2d: expected 1 filter or more, a multiple of the groups, got "
              + filters
              + " filters in "
              + groups
              + " groups");
    }
    requirePositive("kernel", kernel);
    requirePositive("stride", stride);
    requirePositive("dilation", dilation);
    if (padding == null || weight == null) {
      throw new IllegalArgumentException(
          "conv2d: the " + (padding == null ? "padding is missing" : "weight has no initializer"));
    }
  }

  /** A square kernel, stride 1, no padding, with bias. */
  public Conv2d(int filters, int kernel) {
    this(filters, Size.square(kernel), Size.square(1), Border.VALID, Size.square(1), 1, new He(), new Zeros());
  }

  /** The same layer with another stride. */
  public Conv2d stride(int step) {
    return new Conv2d(filters, kernel, Size.square(step), padding, dilation, groups, weight, bias);
  }

  /** The same layer with {@code zeros} on each side. */
  public Conv2d padding(int zeros) {
    return padding(new Border.Zeros(zeros));
  }

  /** The same layer with another padding. */
  public Conv2d padding(Border border) {
    return new Conv2d(filters, kernel, stride, border, dilation, groups, weight, bias);
  }

  /** The same layer with {@link Border#SAME} padding. */
  public Conv2d same() {
    return padding(Border.SAME);
  }

  /** The same layer with another dilation. */
  public Conv2d dilation(int step) {
    return new Conv2d(filters, kernel, stride, padding, Size.square(step), groups, weight, bias);
  }

  /** The same layer with another number of groups. */
  public Conv2d groups(int count) {
    return new Conv2d(filters, kernel, stride, padding, dilation, count, weight, bias);
  }

  /** The same layer without bias: for one that batch norm follows, which takes any bias out again. */
  public Conv2d withoutBias() {
    return new Conv2d(filters, kernel, stride, padding, dilation, groups, weight, null);
  }

  /** The same layer with another start of its weight. */
  public Conv2d init(Initializer start) {
    return new Conv2d(filters, kernel, stride, padding, dilation, groups, start, bias);
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    Inputs.requireImages(x, "conv2d", scope);
    int channels = x.shape().dim(3);
    if (channels % groups != 0) {
      throw Inputs.refuse(
          "conv2d",
          channels + " channels do not divide into " + groups + " groups (input " + x.shape() + " NHWC)",
          scope);
    }
    Size image = new Size(x.shape().dim(1), x.shape().dim(2));
    ConvSpec spec = new ConvSpec(stride, padding.around(image, kernel, stride, dilation), dilation, groups);
    Inputs.requireFits(
        x,
        spec.outputHeight(image.height(), kernel.height()),
        spec.outputWidth(image.width(), kernel.width()),
        kernel,
        "conv2d",
        scope);
    Shape filter = Shape.of(filters, kernel.height(), kernel.width(), channels / groups);
    Tensor y = x.conv2d(scope.parameter("weight", filter, weight), spec);
    return bias == null ? y : y.plus(scope.parameter("bias", Shape.of(filters), bias, false));
  }

  private static void requirePositive(String what, Size size) {
    if (size == null || size.height() < 1 || size.width() < 1) {
      throw new IllegalArgumentException("conv2d: expected a " + what + " of 1 or more, got " + size);
    }
  }
}
