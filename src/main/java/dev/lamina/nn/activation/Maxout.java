package dev.lamina.nn.activation;

import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Scope;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Zeros;
import dev.lamina.tensor.Shape;

/**
 * The largest of {@code pieces} linear functions for each unit: {@code max_p (x·W_pᵀ + b_p)} (Goodfellow et al. 2013).
 * It contains ReLU and its leaky kin, does not saturate, and has {@code pieces} times the parameters of a dense layer.
 * Takes vectors [n,in] to [n,units]; on images it acts on each pixel, like a 1×1 convolution. Parameters: {@code
 * weight} [pieces·units, in], piece by piece, and {@code bias} [pieces·units]. Of equal pieces the first takes the
 * gradient.
 *
 * @param units outputs
 * @param pieces linear functions for each unit, 2 to 256
 * @param weight fills the weight; He normal by fan-in unless said otherwise
 * @param bias fills the bias; zeros unless said otherwise
 */
public record Maxout(int units, int pieces, Initializer weight, Initializer bias) implements Layer {
  public Maxout {
    if (units < 1 || pieces < 2 || pieces > 256) {
      throw new IllegalArgumentException(
          "maxout: expected 1 unit or more of 2 to 256 pieces, got " + units + " of " + pieces);
    }
    if (weight == null || bias == null) {
      throw new IllegalArgumentException("maxout: weight and bias need an initializer");
    }
  }

  public Maxout(int units, int pieces) {
    this(units, pieces, new He(), new Zeros());
  }

  @Override
  public Tensor forward(Tensor x, Scope scope) {
    int in = x.shape().last();
    int rows = Math.toIntExact(x.shape().size() / in);
    int outputs = Math.multiplyExact(pieces, units);
    Tensor w = scope.parameter("weight", Shape.of(outputs, in), weight);
    Tensor b = scope.parameter("bias", Shape.of(outputs), bias, false);
    Tensor sums = x.reshape(rows, in).matmul(w, false, true).plus(b);
    // The pieces of a row are an image of one column, whose pooling keeps which of them was the largest.
    Size window = new Size(pieces, 1);
    Tensor largest = sums.reshape(rows, pieces, 1, units).maxPool2d(new PoolSpec(window, window, Padding.NONE));
    return largest.reshape(x.shape().with(-1, units));
  }
}
