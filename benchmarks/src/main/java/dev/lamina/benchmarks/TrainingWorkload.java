package dev.lamina.benchmarks;

import dev.lamina.device.Device;
import dev.lamina.device.Program;
import dev.lamina.graph.Cost;
import dev.lamina.loss.SoftmaxCrossEntropy;
import dev.lamina.nn.Layer;
import dev.lamina.nn.models.Architectures;
import dev.lamina.optim.Adam;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.InputScaling;
import dev.lamina.train.ModelSpec;
import java.util.List;
import java.util.SplittableRandom;

/** Training of the default network for digits on one batch of noise, over and over. */
final class TrainingWorkload implements Workload {
  private static final int BATCH = 64;
  private static final int CLASSES = 10;
  private static final long SEED = 2024;

  /** So small that a thousand steps on noise do not end in infinity. */
  private static final double RATE = 1e-3;

  /** Steps that are held against the reference device: the loss of the second one needs the gradients of the first. */
  private static final int COMPARED = 2;

  /** Relative; 2000 products are summed at most, in 32 bits. */
  private static final double TOLERANCE = 1e-4;

  private final Device device;
  private final CompiledModel model;
  private final HostTensor images;
  private final HostTensor labels;

  /** Compiles the model for {@code device}, with its first weights. */
  TrainingWorkload(Device device) {
    this.device = device;
    model = CompiledModel.compile(device, spec());
    model.initialise();
    images = device.allocateHost(TensorType.of(DType.U8, BATCH, 28, 28, 1));
    labels = device.allocateHost(TensorType.of(DType.I32, BATCH));
    var random = new SplittableRandom(SEED);
    for (long i = 0; i < images.size(); i++) {
      images.set(i, random.nextInt(256));
    }
    for (long i = 0; i < BATCH; i++) {
      labels.set(i, random.nextInt(CLASSES));
    }
  }

  private static ModelSpec spec() {
    Layer network = Architectures.smallCnn(CLASSES);
    var scaling = new InputScaling(1 / 255.0, List.of(0.5), List.of(0.3));
    TensorType digit = TensorType.of(DType.U8, 28, 28, 1);
    return ModelSpec.of(network, digit, new SoftmaxCrossEntropy())
        .preparation(scaling)
        .optimizer(new Adam())
        .batch(BATCH)
        .seed(SEED)
        .build();
  }

  @Override
  public void run() {
    model.update(images, labels, RATE);
    device.synchronize();
  }

  @Override
  public Cost cost() {
    return GraphWorkload.sum(model.updateProgram().parts().stream().map(Program.Part::node).toList());
  }

  /** The batch: time is told by image. */
  @Override
  public long elements() {
    return BATCH;
  }

  @Override
  public double verify() {
    try (Device reference = BenchmarkDevices.reference();
        TrainingWorkload exact = new TrainingWorkload(reference)) {
      for (int step = 1; step <= COMPARED; step++) {
        double got = lossOfStep();
        double want = exact.lossOfStep();
        if (!(Math.abs(got - want) <= TOLERANCE * want)) {
          throw new IllegalStateException(
              device.name() + ", training step " + step + ": the loss is " + got + ", on the reference device " + want);
        }
      }
    }
    return Double.NaN;
  }

  private double lossOfStep() {
    run();
    return model.takeTrainingFigures().loss();
  }

  @Override
  public void close() {
    model.close();
  }
}
