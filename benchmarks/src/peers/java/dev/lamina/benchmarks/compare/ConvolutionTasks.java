package dev.lamina.benchmarks.compare;

import dev.lamina.benchmarks.Problem;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** Convolutions of networks, each in the three directions of a training step. */
final class ConvolutionTasks {
  private static final double TOLERANCE = 1e-4;

  private ConvolutionTasks() {}

  /** One layer's geometry. */
  private record Geometry(
      String name, int batch, int extent, int channels, int filters, int kernel, int stride, int groups) {
    ConvSpec spec() {
      return new ConvSpec(Size.square(stride), Padding.all(kernel / 2), Size.square(1), groups);
    }

    Shape image() {
      return Shape.of(batch, extent, extent, channels);
    }

    Shape filter() {
      return Shape.of(filters, kernel, kernel, channels / groups);
    }

    Shape output() {
      int out = spec().outputHeight(extent, kernel);
      return Shape.of(batch, out, out, filters);
    }

    /** Stride, padding, dilation, not transposed, no output padding, groups. */
    String torch() {
      return "[%d, %d], [%d, %d], [1, 1], False, [0, 0], %d".formatted(stride, stride, kernel / 2, kernel / 2, groups);
    }
  }

  private static final List<Geometry> GEOMETRIES =
      List.of(
          new Geometry("3x3 32²x64", 128, 32, 64, 64, 3, 1, 1),
          new Geometry("3x3 16²x128", 128, 16, 128, 128, 3, 1, 1),
          new Geometry("3x3 8²x256", 128, 8, 256, 256, 3, 1, 1),
          new Geometry("1x1 32²x64-64", 128, 32, 64, 64, 1, 1, 1),
          new Geometry("3x3/2 32²x64-128", 128, 32, 64, 128, 3, 2, 1),
          new Geometry("7x7/2 stem 112²x3-64", 16, 112, 3, 64, 7, 2, 1),
          new Geometry("5x5 16²x64", 64, 16, 64, 64, 5, 1, 1),
          new Geometry("depthwise 3x3 32²x64", 128, 32, 64, 64, 3, 1, 64));

  static List<Task> all() {
    List<Task> tasks = new ArrayList<>();
    for (Geometry geometry : GEOMETRIES) {
      tasks.add(
          task(
              geometry,
              "forward",
              p -> {
                var image = p.normal("x", 1, geometry.image().dims());
                p.graph().output("y", image.conv2d(p.normal("w", 1, geometry.filter().dims()), geometry.spec()));
              },
              "return torch.convolution(x, w, None, " + geometry.torch() + ")"));
      tasks.add(
          task(
              geometry,
              "input gradient",
              p -> {
                var op = new Op.Conv2dInputGradient(geometry.spec(), geometry.image());
                var dy = p.normal("g", 1, geometry.output().dims());
                // PyTorch's call takes the image too.
                p.normal("x", 1, geometry.image().dims());
                p.graph().output("dx", p.graph().one(op, dy, p.normal("w", 1, geometry.filter().dims())));
              },
              """
              dx, dw, db = torch.convolution_backward(g, x, w, None, %s, [True, False, False])
              return dx\
              """
                  .formatted(geometry.torch())));
      tasks.add(
          task(
              geometry,
              "filter gradient",
              p -> {
                var op = new Op.Conv2dFilterGradient(geometry.spec(), geometry.filter());
                var image = p.normal("x", 1, geometry.image().dims());
                p.normal("w", 1, geometry.filter().dims());
                p.graph().output("dw", p.graph().one(op, image, p.normal("g", 1, geometry.output().dims())));
              },
              """
              dx, dw, db = torch.convolution_backward(g, x, w, None, %s, [False, True, False])
              return dw\
              """
                  .formatted(geometry.torch())));
    }
    return tasks;
  }

  private static Task task(
      Geometry geometry, String direction, java.util.function.Consumer<Problem> problem, String torch) {
    return new Task.Operations("conv", geometry.name + ", " + direction, TOLERANCE, problem, "", torch);
  }
}
