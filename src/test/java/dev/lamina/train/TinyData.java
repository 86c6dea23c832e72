package dev.lamina.train;

import dev.lamina.data.Dataset;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Data sets that are learned in a moment. */
public final class TinyData {
  private TinyData() {}

  /** The four cases of exclusive or, with targets F32[1]. */
  static Dataset xor(Arena arena) {
    return Dataset.withTargets(
        "xor",
        HostTensor.of(arena, Shape.of(4, 2), 0, 0, 0, 1, 1, 0, 1, 1),
        HostTensor.of(arena, Shape.of(4, 1), 0, 1, 1, 0));
  }

  /** Vectors of 6 around a centre for each of 3 classes; the spread decides how hard they are to tell apart. */
  public static Dataset clouds(Arena arena, int examples, double spread, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(examples, 6));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, examples));
    for (int i = 0; i < examples; i++) {
      labels.set(i, i % 3);
      for (int j = 0; j < 6; j++) {
        inputs.set(i * 6L + j, (j % 3 == i % 3 ? 1 : 0) + spread * random.nextGaussian());
      }
    }
    return Dataset.labelled("clouds", inputs, labels, IntStream.range(0, 3).mapToObj(Integer::toString).toList());
  }

  /** Labels without any relation to the inputs: nothing that was held out can be learned. */
  static Dataset noise(Arena arena, int examples, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(examples, 6));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, examples));
    for (int i = 0; i < examples; i++) {
      labels.set(i, random.nextInt(2));
    }
    for (long i = 0; i < inputs.size(); i++) {
      inputs.set(i, random.nextGaussian());
    }
    return Dataset.labelled("noise", inputs, labels, List.of("no", "yes"));
  }

  /** Grey images of 28 by 28, dark noise with a bright band whose height is the label, for 10 classes. */
  static Dataset bands(Arena arena, int examples, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, examples, 28, 28, 1));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, examples));
    for (int n = 0; n < examples; n++) {
      int label = random.nextInt(10);
      labels.set(n, label);
      for (int i = 0; i < 28 * 28; i++) {
        images.set(n * 784L + i, random.nextInt(100) + (i / 78 == label ? 120 : 0));
      }
    }
    return Dataset.labelled("bands", images, labels, IntStream.range(0, 10).mapToObj(Integer::toString).toList());
  }
}
