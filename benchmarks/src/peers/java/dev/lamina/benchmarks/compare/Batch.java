package dev.lamina.benchmarks.compare;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;

/**
 * Noise with labels, the same for every contender.
 *
 * @param images F32 [n,h,w,c]
 * @param labels I32 [n]
 */
record Batch(HostTensor images, HostTensor labels) {
  private static final long SEED = 2024;

  static Batch of(Arena memory, Shape example, int classes, int batch) {
    var random = new SplittableRandom(SEED);
    HostTensor images =
        HostTensor.allocate(memory, TensorType.of(DType.F32, batch, example.dim(0), example.dim(1), example.dim(2)));
    for (long i = 0; i < images.size(); i++) {
      images.set(i, random.nextGaussian());
    }
    HostTensor labels = HostTensor.allocate(memory, TensorType.of(DType.I32, batch));
    for (long i = 0; i < labels.size(); i++) {
      labels.set(i, random.nextInt(classes));
    }
    return new Batch(images, labels);
  }
}
