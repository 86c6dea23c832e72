package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.Op.PoolKind;

/**
 * Pooling and its gradients, cut into rows. Gradients are gathered: no two threads write one pixel, and sums have one
 * order.
 */
final class PoolKernel implements CpuKernel {
  /** Elements of a chunk of the larger side: tens of microseconds. */
  private static final int CHUNK = 32 * 1024;

  private final PoolKind kind;
  private final boolean gradient;
  private final PoolShape shape;
  private final PoolLoops loops;
  private final MapKernel epilogue;
  private final Workers workers;

  /** Prepares it; {@code epilogue}, null if there is none, is run on pooled rows that have just been stored. */
  PoolKernel(PoolKind kind, boolean gradient, PoolShape shape, PoolLoops loops, MapKernel epilogue, Workers workers) {
    this.kind = kind;
    this.gradient = gradient;
    this.shape = shape;
    this.loops = loops;
    this.epilogue = epilogue;
    this.workers = workers;
  }

  private boolean tiled() {
    return gradient && kind == PoolKind.MAX && shape.tiled();
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    Workers.Task row = row(inputs, outputs);
    int height = gradient && !tiled() ? shape.height() : shape.outHeight();
    int rows = Math.multiplyExact(shape.images(), height);
    int together = (int) Math.max(1, CHUNK / Math.max(1, shape.imageSize() / height));
    BoundMap behind = Epilogue.bind(epilogue, inputs, outputs[0]);
    long rowSize = shape.pooledSize() / shape.outHeight();
    Workers.Task task =
        chunk -> {
          int first = chunk * together;
          int last = Math.min(rows, first + together);
          for (int r = first; r < last; r++) {
            row.run(r);
          }
          if (behind != null) {
            behind.range(first * rowSize, last * rowSize);
          }
        };
    int chunks = (rows + together - 1) / together;
    return () -> workers.run(task, chunks);
  }

  /** The work on one row: number {@code r} of all images together. */
  private Workers.Task row(long[] inputs, long[] outputs) {
    long imageBytes = 4 * shape.imageSize();
    long pooled = shape.pooledSize();
    int outHeight = shape.outHeight();
    int height = shape.height();
    long in = inputs[0];
    long out = outputs[0];
    if (!gradient) {
      if (kind == PoolKind.AVERAGE) {
        return r ->
            loops.average(shape, in + r / outHeight * imageBytes, r % outHeight, out + r / outHeight * 4 * pooled);
      }
      long winners = outputs[1];
      return r ->
          loops.max(
              shape,
              in + r / outHeight * imageBytes,
              r % outHeight,
              out + r / outHeight * 4 * pooled,
              winners + r / outHeight * pooled);
    }
    if (kind == PoolKind.AVERAGE) {
      return r -> loops.averageGradient(shape, in + r / height * 4 * pooled, r % height, out + r / height * imageBytes);
    }
    long winners = inputs[1];
    if (tiled()) {
      return r -> tile(r / outHeight, r % outHeight, in, winners, out);
    }
    return r ->
        loops.maxGradient(
            shape,
            in + r / height * 4 * pooled,
            winners + r / height * pooled,
            r % height,
            out + r / height * imageBytes);
  }

  /** The rows under one row of windows, with what no window reaches on the right and, after the last of them, below. */
  private void tile(int image, int y, long pooled, long winners, long out) {
    long target = out + image * 4 * shape.imageSize();
    loops.tiledMaxGradient(
        shape, pooled + image * 4 * shape.pooledSize(), winners + image * shape.pooledSize(), y, target);
    int reached = shape.outWidth() * shape.windowWidth();
    long pixel = 4L * shape.channels();
    for (int row = shape.top(y); reached < shape.width() && row < shape.top(y) + shape.windowHeight(); row++) {
      Memory.clear(target + ((long) row * shape.width() + reached) * pixel, (shape.width() - reached) * pixel);
    }
    if (y == shape.outHeight() - 1) {
      int below = shape.outHeight() * shape.windowHeight();
      Memory.clear(target + (long) below * shape.width() * pixel, (shape.height() - below) * shape.width() * pixel);
    }
  }
}
