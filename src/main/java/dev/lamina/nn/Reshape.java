package dev.lamina.nn;

import dev.lamina.graph.Tensor;
import dev.lamina.tensor.Shape;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The elements of each example under another shape: {@code new Reshape(28, 28, 1)} makes [n,784] to [n,28,28,1].
 *
 * @param dims extents behind the batch dimension; one may be −1, which is what remains
 */
public record Reshape(List<Integer> dims) implements Layer {
  public Reshape {
    dims = List.copyOf(dims);
    if (dims.stream().anyMatch(d -> d < 1 && d != -1) || dims.stream().filter(d -> d == -1).count() > 1) {
      throw new IllegalArgumentException("reshape: expected extents of 1 or more and at most one -1, got " + dims);
    }
  }

  public Reshape(int... dims) {
    this(IntStream.of(dims).boxed().toList());
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    long each = x.shape().sliceSize();
    long known = dims.stream().filter(d -> d != -1).mapToLong(d -> d).reduce(1, Math::multiplyExact);
    if (dims.contains(-1) ? each % known != 0 : each != known) {
      throw Inputs.refuse(
          "reshape", "examples of " + each + " elements cannot become " + dims + " (input " + x.shape() + ")", scope);
    }
    IntStream extents = dims.stream().mapToInt(d -> d == -1 ? Math.toIntExact(each / known) : d);
    return x.reshape(Shape.of(IntStream.concat(IntStream.of(x.shape().dim(0)), extents).toArray()));
  }
}
