package dev.lamina.train;

import dev.lamina.data.Batch;
import dev.lamina.data.BatchLoader;
import dev.lamina.data.BatchOrder;
import dev.lamina.data.Dataset;
import dev.lamina.data.HostAllocator;

/** Judges a model on all examples of one data set, as often as asked, with the next batches always prepared. */
final class Judge implements AutoCloseable {
  /** One in use, one ready, one being filled. */
  private static final int SLOTS = 3;

  private final CompiledModel model;
  private final BatchLoader loader;

  Judge(CompiledModel model, Dataset data, HostAllocator memory) {
    this.model = model;
    loader = new BatchLoader(data, new BatchOrder.Sequential(), model.spec().evaluationBatch(), SLOTS, memory);
  }

  /** The figures with the weights as they are. */
  Evaluation evaluate() {
    for (int i = 0; i < loader.batchesPerEpoch(); i++) {
      Batch batch = loader.next();
      model.judge(batch.inputs(), batch.targets(), batch.weights());
      loader.release(batch);
    }
    return model.takeEvaluation();
  }

  @Override
  public void close() {
    loader.close();
  }
}
