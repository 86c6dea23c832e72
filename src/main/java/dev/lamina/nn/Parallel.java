package dev.lamina.nn;

import dev.lamina.graph.Tensor;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Layers side by side: each takes the same input, and their results are merged. Named like the layers of a {@link
 * Sequential}.
 *
 * @param branches at least one
 * @param merge how results become one
 */
public record Parallel(List<Layer> branches, Merge merge) implements Layer {

  /** How branches are joined. */
  public enum Merge {
    /** Channels one behind the other. */
    CONCAT,
    /** Added; all shapes are the same. */
    SUM
  }

  public Parallel {
    branches = List.copyOf(branches);
    if (branches.isEmpty() || merge == null) {
      throw new IllegalArgumentException(
          "parallel: expected " + (merge == null ? "a way to merge" : "at least one branch"));
    }
  }

  public Parallel(Merge merge, Layer... branches) {
    this(List.of(branches), merge);
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    List<Tensor> results = new ArrayList<>();
    for (Layer branch : branches) {
      results.add(scope.applyAll(List.of(branch), x));
    }
    Shape first = results.getFirst().shape();
    for (Tensor result : results) {
      boolean fits =
          merge == Merge.SUM
              ? result.shape().equals(first)
              : result.shape().rank() == first.rank() && result.shape().with(-1, 1).equals(first.with(-1, 1));
      if (!fits) {
        String expected = merge == Merge.SUM ? "the same shape" : "shapes that differ in channels only";
        throw Inputs.refuse(
            "parallel", "expected " + expected + " from all branches, got " + first + " and " + result.shape(), scope);
      }
    }
    return merge == Merge.CONCAT ? Tensor.concat(-1, results) : results.stream().reduce(Tensor::plus).orElseThrow();
  }
}
