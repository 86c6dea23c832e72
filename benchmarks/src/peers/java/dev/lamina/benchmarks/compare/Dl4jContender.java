package dev.lamina.benchmarks.compare;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.graph.Variable;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Momentum;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.train.CompiledModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/**
 * DL4J, images NCHW, which is its default, and Nesterov's momentum, for it has no other. Trains plain chains of layers.
 */
final class Dl4jContender implements Contender {
  static {
    // Its binaries for AVX-512 are others, which must be asked for before anything is loaded.
    try {
      if (Files.readString(Path.of("/proc/cpuinfo")).contains(" avx512vl ")) {
        System.setProperty("org.bytedeco.javacpp.platform.extension", "-avx512");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String name() {
    return "DL4J 1.0.0-M2.1";
  }

  @Override
  public Trial prepare(Task task) {
    if (!(task instanceof Task.Training training && training.optimizer() instanceof Momentum momentum)) {
      throw new IllegalArgumentException("not written for DL4J: " + task.name());
    }
    MultiLayerNetwork network = network(training, momentum);
    try (Arena scratch = Arena.ofConfined();
        Device device = new Devices().open("cpu", DeviceOptions.DEFAULT);
        CompiledModel model = Networks.training(device, training)) {
      setWeights(network, (Sequential) training.network(), model, scratch);
      Batch batch = Batch.of(scratch, training.example(), training.classes(), training.batch());
      INDArray labels = Nd4j.zeros(DataType.FLOAT, training.batch(), training.classes());
      for (long i = 0; i < training.batch(); i++) {
        labels.putScalar(i, (long) batch.labels().get(i), 1);
      }
      return new Fit(network, new DataSet(array(batch.images()), labels));
    }
  }

  private static MultiLayerNetwork network(Task.Training task, Momentum momentum) {
    var list =
        new NeuralNetConfiguration.Builder()
            .dataType(DataType.FLOAT)
            .updater(new Nesterovs(Networks.RATE, momentum.momentum()))
            .convolutionMode(ConvolutionMode.Same)
            .list();
    for (Layer layer : ((Sequential) task.network()).layers()) {
      switch (layer) {
        case Conv2d conv when conv.bias() == null && conv.groups() == 1 ->
            list.layer(
                new ConvolutionLayer.Builder(conv.kernel().height(), conv.kernel().width())
                    .nOut(conv.filters())
                    .hasBias(false)
                    .activation(Activation.IDENTITY)
                    .build());
        case BatchNorm norm ->
            list.layer(
                new BatchNormalization.Builder()
                    .decay(1 - norm.momentum())
                    .eps(norm.epsilon())
                    .useLogStd(false)
                    .build());
        case ReLU _ -> list.layer(new ActivationLayer(Activation.RELU));
        case MaxPool2d pool ->
            list.layer(
                new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                    .kernelSize(pool.window().height(), pool.window().width())
                    .stride(pool.stride().height(), pool.stride().width())
                    .build());
        case Dense _ ->
            list.layer(
                new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                    .nOut(task.classes())
                    .activation(Activation.SOFTMAX)
                    .build());
        case Flatten _ -> {} // DL4J's own, where an image meets a dense layer
        default -> throw new IllegalArgumentException("not written for DL4J: " + layer);
      }
    }
    Shape example = task.example();
    var network =
        new MultiLayerNetwork(
            list.setInputType(InputType.convolutional(example.dim(0), example.dim(1), example.dim(2))).build());
    network.init();
    return network;
  }

  /** Lamina's first weights. */
  private static void setWeights(MultiLayerNetwork network, Sequential layers, CompiledModel model, Arena scratch) {
    Map<String, HostTensor> state = model.state(scratch);
    Iterator<INDArray> values =
        model.parameters().all().stream()
            .map(declared -> declared.variable())
            .map(Variable::name)
            .map(name -> array(state.get(name)))
            .iterator();
    int channels = 0;
    int at = 0;
    for (Layer layer : layers.layers()) {
      switch (layer) {
        case Conv2d conv -> {
          network.setParam(at + "_W", values.next());
          channels = conv.filters();
        }
        case BatchNorm _ -> {
          for (String part : List.of("gamma", "beta", "mean", "var")) {
            network.setParam(at + "_" + part, values.next().reshape(1, channels));
          }
        }
        case Dense _ -> {
          // Columns in the order of a flattened NCHW image, and inputs first.
          INDArray weight = values.next();
          long filters = weight.size(0);
          long pixels = weight.size(1) / channels;
          INDArray columns = weight.reshape(filters, pixels, channels).permute(2, 1, 0).dup('c');
          network.setParam(at + "_W", columns.reshape(channels * pixels, filters));
          network.setParam(at + "_b", values.next().reshape(1, filters));
        }
        default -> {}
      }
      at += layer instanceof Flatten ? 0 : 1;
    }
  }

  /** In DL4J's layout: NHWC to NCHW, OHWI to OIHW. */
  private static INDArray array(HostTensor value) {
    int[] dims = value.shape().dims();
    long[] shape = new long[dims.length];
    for (int i = 0; i < dims.length; i++) {
      shape[i] = dims[i];
    }
    INDArray array = Nd4j.create(Floats.of(List.of(value)), shape, 'c');
    return shape.length == 4 ? array.permute(0, 3, 1, 2).dup('c') : array;
  }

  @Override
  public void close() {}

  /** Steps of training on one batch. */
  private record Fit(MultiLayerNetwork network, DataSet batch) implements Trial {
    @Override
    public void run() {
      network.fit(batch);
    }

    /** The loss of the first step: later ones have Nesterov's momentum. */
    @Override
    public float[] results() {
      run();
      return new float[] {(float) network.score()};
    }

    @Override
    public void close() {
      network.close();
    }
  }
}
