package dev.lamina.parity;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The network of the parity tests written in PyTorch's operations: {@code conv 3x3 - batch norm - ReLU - max pool 2 -
 * conv 3x3, stride 2 - batch norm - leaky ReLU - dense}, with softmax cross-entropy. Weights have Lamina's names and
 * layouts on the outside (OHWI, NHWC), PyTorch's inside.
 */
final class TorchNetwork implements AutoCloseable {
  /**
   * DJL's momentum is the share of the old value that stays. It is a float, as ε is: that alone makes differences of
   * 1e-8.
   */
  private static final float KEPT = 0.9f;

  private final NDManager manager;
  private final DataType type;
  private final SequencedMap<String, NDArray> weights = new LinkedHashMap<>();
  private final Map<String, NDArray> statistics = new LinkedHashMap<>();

  /** Copies {@code state}, weights and running statistics by their names. */
  TorchNetwork(SequencedMap<String, HostTensor> state, DType dtype) {
    manager = NDManager.newBaseManager("PyTorch");
    type = dtype == DType.F64 ? DataType.FLOAT64 : DataType.FLOAT32;
    state.forEach((name, value) -> {
      NDArray array = array(value);
      if (name.contains("running_")) {
        statistics.put(name, array);
      } else {
        array.setRequiresGradient(true);
        weights.put(name, array);
      }
    });
  }

  /** In PyTorch's layout: filters OHWI to OIHW, images NHWC to NCHW. */
  NDArray array(HostTensor value) {
    Shape shape = new Shape(IntStream.of(value.shape().dims()).asLongStream().toArray());
    double[] values = LongStream.range(0, value.size()).mapToDouble(value::get).toArray();
    NDArray array = manager.create(values, shape).toType(type, true);
    return value.shape().rank() == 4 ? array.transpose(0, 3, 1, 2).duplicate() : array;
  }

  SequencedMap<String, NDArray> weights() {
    return weights;
  }

  /** A weight or statistic in Lamina's layout, row-major. */
  double[] values(String name) {
    NDArray array = weights.getOrDefault(name, statistics.get(name));
    NDArray ours = array.getShape().dimension() == 4 ? array.transpose(0, 2, 3, 1) : array;
    return ours.toType(DataType.FLOAT64, true).toDoubleArray();
  }

  /** A gradient in Lamina's layout, row-major. */
  double[] gradient(String name) {
    NDArray array = weights.get(name).getGradient();
    NDArray ours = array.getShape().dimension() == 4 ? array.transpose(0, 2, 3, 1) : array;
    return ours.toType(DataType.FLOAT64, true).toDoubleArray();
  }

  /** Computes the loss of a batch in training mode, and the gradients of all weights. */
  double backward(HostTensor images, HostTensor labels) {
    try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
      collector.zeroGradients();
      NDArray loss = loss(logits(array(images)), labels);
      collector.backward(loss);
      return loss.toType(DataType.FLOAT64, true).getDouble();
    }
  }

  private NDArray loss(NDArray logits, HostTensor labels) {
    long[] classes = LongStream.range(0, labels.size()).map(i -> (long) labels.get(i)).toArray();
    NDArray index = manager.create(classes, new Shape(classes.length, 1));
    return logits.logSoftmax(1).gather(index, 1).neg().mean();
  }

  private NDArray logits(NDArray x) {
    NDArray value = conv(x, "conv2d1.weight", 1, 1);
    value = norm(value, "batchnorm1").getNDArrayInternal().relu();
    value = value.getNDArrayInternal().maxPool(new Shape(2, 2), new Shape(2, 2), new Shape(0, 0), false);
    value = norm(conv(value, "conv2d2.weight", 2, 1), "batchnorm2").getNDArrayInternal().leakyRelu(0.01f);
    // Flattened as Lamina has it, channels last, so that the dense weights mean the same.
    NDArray flat = value.transpose(0, 2, 3, 1).reshape(value.getShape().get(0), -1);
    return flat.matMul(weights.get("dense1.weight").transpose()).add(weights.get("dense1.bias"));
  }

  private NDArray conv(NDArray x, String weight, long stride, long padding) {
    return x.getNDArrayInternal()
        .convolution(
            x, weights.get(weight), null, new Shape(stride, stride), new Shape(padding, padding), new Shape(1, 1), 1)
        .singletonOrThrow();
  }

  private NDArray norm(NDArray x, String name) {
    NDList result =
        x.getNDArrayInternal()
            .batchNorm(
                x,
                statistics.get(name + ".running_mean"),
                statistics.get(name + ".running_var"),
                weights.get(name + ".weight"),
                weights.get(name + ".bias"),
                1,
                KEPT,
                1e-5f,
                true);
    return result.singletonOrThrow();
  }

  NDManager manager() {
    return manager;
  }

  @Override
  public void close() {
    manager.close();
  }
}
