package dev.lamina.train.check;

import dev.lamina.data.Batch;
import dev.lamina.data.BatchLoader;
import dev.lamina.data.BatchOrder;
import dev.lamina.data.Dataset;
import dev.lamina.data.HostAllocator;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;

/**
 * A batch of training examples, drawn at random.
 *
 * @param inputs [count, …]
 * @param targets [count, …]
 */
record Examples(HostTensor inputs, HostTensor targets) {

  /** The first {@code count} examples of the order in which a training with {@code seed} sees {@code data}. */
  static Examples of(Dataset data, int count, long seed, Arena arena) {
    BatchOrder order = new BatchOrder.Shuffled(seed);
    try (BatchLoader loader = new BatchLoader(data, order, count, 1, HostAllocator.in(arena))) {
      Batch batch = loader.next();
      return new Examples(batch.inputs(), batch.targets());
    }
  }
}
