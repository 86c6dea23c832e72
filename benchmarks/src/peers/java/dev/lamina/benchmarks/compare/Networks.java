package dev.lamina.benchmarks.compare;

import dev.lamina.device.Device;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Layer;
import dev.lamina.optim.Optimizer;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Precision;

/** The networks of tasks as models, with the same first weights for every contender. */
final class Networks {
  /** Small: noise has no pattern, and a loss that runs away compares nothing. */
  static final double RATE = 1e-3;

  /** Steps whose losses are compared: that of the third needs two updates of all weights and slots. */
  static final int COMPARED = 3;

  private static final long SEED = 2024;

  private Networks() {}

  static CompiledModel training(Device device, Task.Training task) {
    return model(device, task.network(), task.example(), task.optimizer(), task.batch(), 1);
  }

  static CompiledModel inference(Device device, Task.Inference task) {
    return model(device, task.network(), task.example(), null, 1, task.batch());
  }

  private static CompiledModel model(
      Device device, Layer network, Shape example, Optimizer optimizer, int batch, int evaluationBatch) {
    CompiledModel model =
        CompiledModel.compile(
            device,
            ModelSpec.of(network, new TensorType(example, DType.F32), new SoftmaxCrossEntropy())
                .optimizer(optimizer)
                .batch(batch)
                .evaluationBatch(evaluationBatch)
                .precision(Precision.FP32)
                .seed(SEED)
                .build());
    model.initialise();
    return model;
  }
}
