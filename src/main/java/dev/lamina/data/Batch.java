package dev.lamina.data;

import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;

/** Examples for one step, in buffers that the loader fills again after {@link BatchLoader#release}. */
public final class Batch {
  private final HostTensor inputs;
  private final HostTensor targets;
  private final HostTensor weights;
  private int count;
  private BatchLoader holder; // null while the buffers are the loader's

  Batch(Dataset data, int size, HostAllocator memory) {
    inputs = memory.allocate(data.inputType().batched(size));
    targets = memory.allocate(data.targetType().batched(size));
    weights = memory.allocate(TensorType.f32(size));
  }

  /** The inputs, U8 or F32, [batch, ...]. */
  public HostTensor inputs() {
    return inputs;
  }

  /** The class indices, I32 [batch], or the numbers to predict, F32 [batch, ...]. */
  public HostTensor targets() {
    return targets;
  }

  /** F32 [batch]: 1 for an example, 0 for what only fills the batch up. */
  public HostTensor weights() {
    return weights;
  }

  /** The number of real examples; they come first. */
  public int count() {
    return count;
  }

  /** Fills it with the examples at places [index · batch size, ...) of {@code order}; makes no garbage. */
  void fill(Dataset data, int[] order, int index) {
    int size = weights.shape().dim(0);
    int first = index * size;
    count = Math.min(size, order.length - first);
    data.copyInputs(order, first, count, inputs);
    data.copyTargets(order, first, count, targets);
    for (int i = 0; i < count; i++) {
      weights.set(i, 1);
    }
    if (count < size) {
      clearFrom(inputs, count);
      clearFrom(targets, count);
      clearFrom(weights, count);
    }
  }

  private static void clearFrom(HostTensor tensor, int slot) {
    long rowBytes = tensor.shape().sliceSize() * tensor.type().dtype().bytes();
    tensor.segment().asSlice(slot * rowBytes).fill((byte) 0);
  }

  BatchLoader holder() {
    return holder;
  }

  void setHolder(BatchLoader loader) {
    holder = loader;
  }
}
