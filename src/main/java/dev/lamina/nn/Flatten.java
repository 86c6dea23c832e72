package dev.lamina.nn;

import dev.lamina.graph.Tensor;

/** Images as vectors: [n, …] to [n, everything else]. The order is that of memory: rows, columns, channels. */
public record Flatten() implements Layer {
  @Override
  public Tensor forward(Tensor x, Scope scope) {
    if (x.shape().rank() < 2) {
      throw Inputs.refuse("flatten", "expected [n, …], got " + x.shape(), scope);
    }
    return x.reshape(x.shape().dim(0), Math.toIntExact(x.shape().sliceSize()));
  }
}
