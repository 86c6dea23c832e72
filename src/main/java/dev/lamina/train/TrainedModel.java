package dev.lamina.train;

import dev.lamina.data.Dataset;
import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.HostAllocator;
import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Preparation;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.io.SafetensorsFile;
import dev.lamina.loss.Loss;
import dev.lamina.nn.Layer;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** A model with its weights on a device, ready to be judged and used. Close it before the device. */
public final class TrainedModel implements AutoCloseable {
  /** Enough rows to keep a CPU's cores and vectors busy, and few enough that one picture does not wait for hundreds. */
  private static final int EVALUATION_BATCH = 64;

  private final CompiledModel model;
  private final ModelFile description;
  private final TrainingReport report;

  TrainedModel(CompiledModel model, ModelFile description, TrainingReport report) {
    this.model = model;
    this.description = description;
    this.report = report;
  }

  /**
   * Loads the weights that {@link #save}, or a training with {@link Checkpoints}, wrote.
   *
   * @param file model.safetensors of a run
   * @param layers the architecture that the weights belong to
   * @param loss the one it was trained with: it says what outputs mean
   * @throws BadInputException if the file cannot be read or holds another architecture
   */
  public static TrainedModel load(Path file, Layer layers, Loss loss, Device device) {
    return load(file, layers, loss, device, _ -> {});
  }

  /**
   * The same, with somebody who watches.
   *
   * @param progress is told of each kernel before it is made ready
   */
  public static TrainedModel load(Path file, Layer layers, Loss loss, Device device, Consumer<Preparation> progress) {
    try (Arena scratch = Arena.ofConfined()) {
      SafetensorsFile saved = Safetensors.read(file, scratch);
      ModelFile description = ModelFile.of(file, saved);
      CompiledModel model = compile(device, layers, loss, description, progress);
      try {
        model.load(
            PreparedInputs.completed(
                saved.tensors(), description.preprocessing(), model.spec().precision().parameters(), scratch));
      } catch (IllegalArgumentException e) {
        model.close();
        throw new BadInputException(file + ": " + e.getMessage(), e);
      }
      return new TrainedModel(model, description, null);
    }
  }

  /** To be used, not trained; in smaller batches where memory is short. */
  private static CompiledModel compile(
      Device device, Layer layers, Loss loss, ModelFile description, Consumer<Preparation> progress) {
    for (int batch = EVALUATION_BATCH; ; batch /= 2) {
      ModelSpec spec =
          ModelSpec.of(layers, description.example(), loss)
              .preparation(new PreparedInputs(description.preprocessing()))
              .evaluationBatch(batch)
              .build();
      try {
        return CompiledModel.compile(device, spec, progress);
      } catch (OutOfDeviceMemoryException e) {
        if (batch == 1) {
          throw e;
        }
      }
    }
  }

  /**
   * The figures on all examples of {@code data}.
   *
   * @throws BadInputException if the data has inputs or classes that the model was not made for
   */
  public Evaluation evaluate(Dataset data) {
    if (!data.inputType().equals(description.example())) {
      throw new BadInputException(
          data.name() + " has inputs " + data.inputType() + ", the model takes " + description.example());
    }
    if (data.classes() > 0 && data.classes() != description.classNames().size()) {
      throw new BadInputException(
          data.name()
              + " has "
              + data.classes()
              + " classes, the model tells "
              + description.classNames().size()
              + " apart");
    }
    try (Arena arena = Arena.ofShared();
        Judge judge = new Judge(model, data, HostAllocator.in(arena))) {
      return judge.evaluate();
    }
  }

  /**
   * Probabilities of the classes (or one probability, or values, as the loss has it) for each input.
   *
   * @param inputs each of the type of one example
   * @return [input][output]
   * @throws IllegalArgumentException if an input has another type
   */
  public double[][] predict(List<HostTensor> inputs) {
    TensorType outputs = model.predictionType();
    int batch = model.spec().evaluationBatch();
    int width = Math.toIntExact(outputs.shape().sliceSize());
    double[][] predictions = new double[inputs.size()][width];
    try (Arena arena = Arena.ofShared()) {
      HostTensor images = HostTensor.allocate(arena, description.example().batched(batch));
      HostTensor results = HostTensor.allocate(arena, outputs);
      for (int first = 0; first < inputs.size(); first += batch) {
        int count = Math.min(batch, inputs.size() - first);
        for (int i = 0; i < count; i++) {
          copy(inputs.get(first + i), images, i);
        }
        model.predict(images, results);
        for (int i = 0; i < count * width; i++) {
          predictions[first + i / width][i % width] = results.get(i);
        }
      }
    }
    return predictions;
  }

  private void copy(HostTensor input, HostTensor images, int slot) {
    if (!input.type().equals(description.example())) {
      throw new IllegalArgumentException("predict: expected inputs " + description.example() + ", got " + input.type());
    }
    long bytes = input.type().bytes();
    MemorySegment.copy(input.segment(), 0, images.segment(), slot * bytes, bytes);
  }

  /** Writes weights and statistics to {@code file}, with what {@link #load} needs to know. */
  public void save(Path file) {
    try (Arena scratch = Arena.ofConfined()) {
      description.write(file, model.weights(scratch));
    }
  }

  /** How it was trained; null if it was loaded. */
  public TrainingReport report() {
    return report;
  }

  /** The names of the classes in the order of the outputs; empty for regression. */
  public List<String> classNames() {
    return description.classNames();
  }

  /** Shape and type of one input. */
  public TensorType inputType() {
    return description.example();
  }

  /** What the model does to inputs before its first layer. */
  public FittedPreprocessing preprocessing() {
    return description.preprocessing();
  }

  /** Programs, layers and variables. */
  public CompiledModel compiled() {
    return model;
  }

  @Override
  public void close() {
    model.close();
  }
}
