package dev.lamina.benchmarks.compare;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import dev.lamina.benchmarks.Problem;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.CompiledModel;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** PyTorch through DJL, images NCHW, which is its default. */
final class TorchContender implements Contender {
  private final PtNDManager manager = (PtNDManager) NDManager.newBaseManager("PyTorch");

  TorchContender(int threads) {
    JniUtils.setNumThreads(threads);
    JniUtils.setGraphExecutorOptimize(false);
    JniUtils.setGradMode(true);
  }

  @Override
  public String name() {
    return "PyTorch " + Engine.getEngine("PyTorch").getVersion();
  }

  @Override
  public Trial prepare(Task task) {
    return switch (task) {
      case Task.Operations operations -> operations(operations);
      case Task.Training training -> training(training);
      case Task.Inference inference -> inference(inference);
    };
  }

  @Override
  public void close() {
    manager.close();
  }

  private Trial operations(Task.Operations task) {
    var problem = new Problem(DType.F32);
    task.problem().accept(problem);
    PtNDManager own = (PtNDManager) manager.newSubManager();
    List<String> names = new ArrayList<>();
    NDList arguments = new NDList();
    try (Arena scratch = Arena.ofConfined()) {
      for (Variable variable : problem.variables()) {
        HostTensor value = HostTensor.allocate(scratch, variable.type());
        problem.fill(variable, value);
        names.add(TorchNetwork.name(variable));
        arguments.add(array(own, value));
      }
    }
    if (!task.saved().isEmpty()) {
      arguments.addAll(new TorchScript(own, names, 1, "return " + task.saved()).call(arguments));
      names.add("saved");
    }
    int results = problem.graph().outputs().isEmpty() ? problem.assigned().size() : problem.graph().outputs().size();
    var script = new TorchScript(own, names, results, task.torch());
    return new Calls(own, script, arguments, 1);
  }

  private Trial training(Task.Training task) {
    PtNDManager own = (PtNDManager) manager.newSubManager();
    List<String> names = new ArrayList<>(List.of("x", "labels", "step"));
    NDList arguments = batch(own, task.example(), task.classes(), task.batch());
    arguments.add(own.zeros(new Shape()));
    try (Device device = new Devices().open("cpu", DeviceOptions.DEFAULT);
        CompiledModel model = Networks.training(device, task)) {
      List<Variable> variables = variables(model);
      TorchNetwork network = TorchNetwork.update(task.network(), variables, task.optimizer(), Networks.RATE);
      add(own, model, network, names, arguments);
      for (Variable variable : variables) {
        if (variable.kind() == Variable.Kind.WEIGHT) {
          Shape shape = arguments.get(names.indexOf(TorchNetwork.name(variable))).getShape();
          for (String slot : TorchNetwork.slots(task.optimizer())) {
            names.add(TorchNetwork.slot(slot, variable));
            arguments.add(own.zeros(shape));
          }
        }
      }
      return new Calls(own, new TorchScript(own, names, 1, network.text()), arguments, Networks.COMPARED);
    }
  }

  private Trial inference(Task.Inference task) {
    JniUtils.setGradMode(false);
    PtNDManager own = (PtNDManager) manager.newSubManager();
    List<String> names = new ArrayList<>(List.of("x", "labels"));
    NDList arguments = batch(own, task.example(), task.classes(), task.batch());
    try (Device device = new Devices().open("cpu", DeviceOptions.DEFAULT);
        CompiledModel model = Networks.inference(device, task)) {
      TorchNetwork network = TorchNetwork.inference(task.network(), variables(model));
      add(own, model, network, names, arguments);
      return new Calls(own, new TorchScript(own, names, 1, network.text()), arguments, 1) {
        @Override
        public void close() {
          super.close();
          JniUtils.setGradMode(true);
        }
      };
    }
  }

  private static List<Variable> variables(CompiledModel model) {
    return model.parameters().all().stream().map(declared -> declared.variable()).toList();
  }

  private static void add(
      PtNDManager own, CompiledModel model, TorchNetwork network, List<String> names, NDList arguments) {
    try (Arena scratch = Arena.ofConfined()) {
      Map<String, HostTensor> state = model.state(scratch);
      for (Variable variable : variables(model)) {
        NDArray value = array(own, state.get(variable.name()));
        int channels = network.channelsOfColumns(variable);
        names.add(TorchNetwork.name(variable));
        arguments.add(channels == 0 ? value : channelsFirst(value, channels));
      }
    }
  }

  /** The columns of a dense weight in the order of a flattened NCHW image. */
  private static NDArray channelsFirst(NDArray weight, int channels) {
    Shape shape = weight.getShape();
    long pixels = shape.get(1) / channels;
    return weight.reshape(shape.get(0), pixels, channels).transpose(0, 2, 1).reshape(shape).duplicate();
  }

  private static NDList batch(PtNDManager own, dev.lamina.tensor.Shape example, int classes, int size) {
    try (Arena scratch = Arena.ofConfined()) {
      Batch batch = Batch.of(scratch, example, classes, size);
      return new NDList(array(own, batch.images()), array(own, batch.labels()));
    }
  }

  /** In PyTorch's layout: NHWC to NCHW, OHWI to OIHW; classes as 64-bit integers. */
  private static NDArray array(NDManager own, HostTensor value) {
    Shape shape = new Shape(IntStream.of(value.shape().dims()).asLongStream().toArray());
    NDArray array = own.create(Floats.of(List.of(value)), shape);
    if (value.type().dtype() == DType.I32) {
      return array.toType(DataType.INT64, true);
    }
    return value.shape().rank() == 4 ? array.transpose(0, 3, 1, 2).duplicate() : array;
  }

  /** A function called with the same arguments, over and over. */
  private static class Calls implements Trial {
    private final PtNDManager own;
    private final TorchScript script;
    private final NDList arguments;
    private final int compared;

    /**
     * A function with its arguments.
     *
     * @param compared calls whose results are told
     */
    Calls(PtNDManager own, TorchScript script, NDList arguments, int compared) {
      this.own = own;
      this.script = script;
      this.arguments = arguments;
      this.compared = compared;
    }

    @Override
    public void run() {
      script.call(arguments).close();
    }

    @Override
    public float[] results() {
      float[][] parts = new float[compared][];
      for (int i = 0; i < compared; i++) {
        try (NDList results = script.call(arguments)) {
          float[][] each = results.stream().map(Calls::values).toArray(float[][]::new);
          parts[i] = joined(each);
        }
      }
      return joined(parts);
    }

    private static float[] values(NDArray result) {
      NDArray ours = result.getShape().dimension() == 4 ? result.transpose(0, 2, 3, 1) : result;
      return ours.toFloatArray();
    }

    private static float[] joined(float[][] parts) {
      int size = 0;
      for (float[] part : parts) {
        size += part.length;
      }
      float[] all = new float[size];
      int at = 0;
      for (float[] part : parts) {
        System.arraycopy(part, 0, all, at, part.length);
        at += part.length;
      }
      return all;
    }

    @Override
    public void close() {
      own.close();
    }
  }
}
