package dev.lamina.benchmarks;

import dev.lamina.device.Device;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.graph.Tensor;
import dev.lamina.tensor.Shape;
import org.openjdk.jmh.annotations.Param;

/** Convolutions as they occur in networks, in the three directions of a training step. */
public class ConvolutionBenchmark extends DeviceBenchmark {

  /** Image and filter. Batches are small: the reference device has to follow. */
  public enum Geometry {
    /** The first layer of a network for digits: one channel. */
    FIRST_5X5(16, 28, 1, 32, 5, 1, 1),
    IMAGE_28_3X3(16, 28, 32, 32, 3, 1, 1),
    IMAGE_14_3X3(16, 14, 64, 64, 3, 1, 1),
    STRIDED_3X3(16, 28, 32, 64, 3, 2, 1),
    POINTWISE_1X1(16, 28, 64, 64, 1, 1, 1),
    DEPTHWISE_3X3(16, 28, 64, 64, 3, 1, 64);

    private final int batch;
    private final int extent;
    private final int channels;
    private final int filters;
    private final int kernel;
    private final int stride;
    private final int groups;

    Geometry(int batch, int extent, int channels, int filters, int kernel, int stride, int groups) {
      this.batch = batch;
      this.extent = extent;
      this.channels = channels;
      this.filters = filters;
      this.kernel = kernel;
      this.stride = stride;
      this.groups = groups;
    }

    private ConvSpec spec() {
      return new ConvSpec(Size.square(stride), Padding.all(kernel / 2), Size.square(1), groups);
    }

    private Shape image() {
      return Shape.of(batch, extent, extent, channels);
    }

    private Shape filter() {
      return Shape.of(filters, kernel, kernel, channels / groups);
    }

    private Shape output() {
      int out = spec().outputHeight(extent, kernel);
      return Shape.of(batch, out, out, filters);
    }
  }

  /** Which of the three convolutions of a training step. */
  public enum Gradient {
    NONE,
    IMAGE,
    FILTER
  }

  @Param public Geometry geometry;
  @Param public Gradient gradient;

  @Override
  Workload prepare(Device on) {
    Shape output = geometry.output();
    double sum =
        switch (gradient) {
          case NONE -> geometry.filter().sliceSize();
          case IMAGE -> (double) geometry.kernel * geometry.kernel * geometry.filters / geometry.groups;
          case FILTER -> (double) output.size() / geometry.filters;
        };
    return new GraphWorkload(on, new Definition(this::convolution, output.size(), sum));
  }

  private void convolution(Problem problem) {
    ConvSpec spec = geometry.spec();
    Shape image = geometry.image();
    Shape filter = geometry.filter();
    problem
        .graph()
        .output(
            "convolution",
            switch (gradient) {
              case NONE -> normal(problem, "image", image).conv2d(normal(problem, "filter", filter), spec);
              case IMAGE -> {
                var op = new Op.Conv2dInputGradient(spec, image);
                yield problem
                    .graph()
                    .one(op, normal(problem, "dy", geometry.output()), normal(problem, "filter", filter));
              }
              case FILTER -> {
                var op = new Op.Conv2dFilterGradient(spec, filter);
                yield problem
                    .graph()
                    .one(op, normal(problem, "image", image), normal(problem, "dy", geometry.output()));
              }
            });
  }

  private static Tensor normal(Problem problem, String name, Shape shape) {
    return problem.normal(name, 1, shape.dims());
  }
}
