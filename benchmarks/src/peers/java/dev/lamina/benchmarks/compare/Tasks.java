package dev.lamina.benchmarks.compare;

import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.models.Architectures;
import dev.lamina.optim.Adam;
import dev.lamina.optim.Momentum;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** Everything that is compared, in the order in which it is. */
final class Tasks {
  /** The group of what is held against a copy. */
  static final String BANDWIDTH = "bandwidth";

  private static final int CLASSES = 10;
  private static final Shape CIFAR = Shape.of(32, 32, 3);
  private static final Shape DIGIT = Shape.of(28, 28, 1);

  /** Of loss and probabilities after sums over thousands of products in 32 bits. */
  private static final double ROUNDING = 1e-3;

  /** Masks of dropout are each library's own. */
  private static final double DROPOUT = 0.2;

  private Tasks() {}

  /** All tasks. */
  static List<Task> all() {
    List<Task> tasks = new ArrayList<>();
    Sequential six = sixConvolutions();
    tasks.add(new Task.Training("six-conv, batch 128", ROUNDING, six, CIFAR, CLASSES, 128, momentum()));
    tasks.add(new Task.Training("resnet20, batch 64", ROUNDING, resnet20(), CIFAR, CLASSES, 64, momentum()));
    tasks.add(
        new Task.Training(
            "default (MNIST), batch 64", DROPOUT, Architectures.smallCnn(CLASSES), DIGIT, CLASSES, 64, new Adam()));
    tasks.add(new Task.Inference("six-conv, batch 1", ROUNDING, six, CIFAR, CLASSES, 1));
    tasks.add(new Task.Inference("six-conv, batch 128", ROUNDING, six, CIFAR, CLASSES, 128));
    tasks.addAll(ConvolutionTasks.all());
    tasks.addAll(ProductTasks.all());
    tasks.addAll(ActivationTasks.all());
    tasks.addAll(LayerTasks.all());
    tasks.addAll(ActivationTasks.besideCopies());
    return tasks;
  }

  private static Momentum momentum() {
    return new Momentum(0.9);
  }

  private static Sequential resnet20() {
    return Architectures.create("resnet20", CLASSES, CIFAR);
  }

  /** 3×[conv 3×3 – batch norm – ReLU, twice, max pool] with 32, 64, 128 filters, then a dense layer. */
  private static Sequential sixConvolutions() {
    List<Layer> layers = new ArrayList<>();
    for (int filters : new int[] {32, 64, 128}) {
      for (int i = 0; i < 2; i++) {
        layers.addAll(List.of(new Conv2d(filters, 3).same().withoutBias(), new BatchNorm(), new ReLU()));
      }
      layers.add(new MaxPool2d(2));
    }
    layers.addAll(List.of(new Flatten(), new Dense(CLASSES)));
    return new Sequential(layers);
  }
}
