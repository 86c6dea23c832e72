package dev.lamina.benchmarks.compare;

import dev.lamina.benchmarks.Definition;
import dev.lamina.benchmarks.GraphWorkload;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.CompiledModel;
import java.lang.foreign.Arena;

/** Lamina on the CPU. */
final class LaminaContender implements Contender {
  private final Device device;

  LaminaContender(int threads) {
    device = new Devices().open("cpu", new DeviceOptions(threads));
  }

  @Override
  public String name() {
    return "Lamina";
  }

  @Override
  public Trial prepare(Task task) {
    return switch (task) {
      case Task.Operations operations -> new Operations(device, operations);
      case Task.Training training -> new Training(device, training);
      case Task.Inference inference -> new Inference(device, inference);
    };
  }

  @Override
  public void close() {
    device.close();
  }

  private static final class Operations implements Trial {
    private final GraphWorkload workload;

    private Operations(Device device, Task.Operations task) {
      workload = new GraphWorkload(device, new Definition(task.problem(), 1, 1));
    }

    @Override
    public void run() {
      workload.run();
    }

    @Override
    public float[] results() {
      workload.run();
      try (Arena scratch = Arena.ofConfined()) {
        return Floats.of(workload.results(scratch));
      }
    }

    @Override
    public void close() {
      workload.close();
    }
  }

  private static final class Training implements Trial {
    private final Arena memory = Arena.ofConfined();
    private final Device device;
    private final CompiledModel model;
    private final Batch batch;

    private Training(Device device, Task.Training task) {
      this.device = device;
      model = Networks.training(device, task);
      batch = Batch.of(memory, task.example(), task.classes(), task.batch());
    }

    @Override
    public void run() {
      model.update(batch.images(), batch.labels(), Networks.RATE);
      device.synchronize();
    }

    @Override
    public float[] results() {
      float[] losses = new float[Networks.COMPARED];
      for (int i = 0; i < losses.length; i++) {
        run();
        losses[i] = (float) model.takeTrainingFigures().loss();
      }
      return losses;
    }

    @Override
    public void close() {
      model.close();
      memory.close();
    }
  }

  private static final class Inference implements Trial {
    private final Arena memory = Arena.ofConfined();
    private final CompiledModel model;
    private final Batch batch;
    private final HostTensor predictions;

    private Inference(Device device, Task.Inference task) {
      model = Networks.inference(device, task);
      batch = Batch.of(memory, task.example(), task.classes(), task.batch());
      predictions = HostTensor.allocate(memory, model.predictionType());
    }

    @Override
    public void run() {
      model.predict(batch.images(), predictions);
    }

    @Override
    public float[] results() {
      run();
      return Floats.of(java.util.List.of(predictions));
    }

    @Override
    public void close() {
      model.close();
      memory.close();
    }
  }
}
