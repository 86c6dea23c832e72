package dev.lamina.nn;

import dev.lamina.graph.Tensor;

/** The average of each channel over its image: [n,h,w,c] to [n,c] (Lin et al. 2013, "Network in network"). */
public record GlobalAveragePool() implements Layer {
  @Override
  public Tensor forward(Tensor x, Scope scope) {
    Inputs.requireImages(x, "globalaveragepool", scope);
    return x.mean(1, 2);
  }
}
