package dev.lamina.nn.models;

import dev.lamina.nn.AvgPool2d;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Tanh;
import dev.lamina.nn.init.Xavier;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Networks by name, each a list of layers to start from. */
public final class Architectures {
  private static final List<String> NAMES =
      List.of("lenet", "small-cnn", "mlp", "vgg-small", "resnet20", "resnet18", "resnet34", "resnet50", "vgg16");

  private static final Set<String> FOR_IMAGENET = Set.of("resnet18", "resnet34", "resnet50", "vgg16");

  private Architectures() {}

  /** Whether a network is meant for images of 224×224 pixels in 1000 classes. */
  public static boolean isForImageNet(String name) {
    return FOR_IMAGENET.contains(name);
  }

  /** The names that {@link #create} knows. */
  public static List<String> names() {
    return NAMES;
  }

  /**
   * The network called {@code name}.
   *
   * @param classes outputs
   * @param image the shape of one example, [h,w,c]
   * @throws IllegalArgumentException if there is no such network, or it takes images and {@code image} is none
   */
  public static Sequential create(String name, int classes, Shape image) {
    if (!name.equals("mlp") && image.rank() != 3) {
      throw new IllegalArgumentException(name + ": expected images [h,w,c], the data has " + image);
    }
    return switch (name) {
      case "lenet" -> lenet(classes, image.dim(0));
      case "small-cnn" -> smallCnn(classes);
      case "mlp" -> mlp(classes);
      case "vgg-small" -> vggSmall(classes);
      case "resnet20" -> ResNet.ofTwenty(classes);
      case "resnet18" -> ResNet.forImageNet(new int[] {2, 2, 2, 2}, false, classes);
      case "resnet34" -> ResNet.forImageNet(new int[] {3, 4, 6, 3}, false, classes);
      case "resnet50" -> ResNet.forImageNet(new int[] {3, 4, 6, 3}, true, classes);
      case "vgg16" -> vgg16(classes);
      default ->
          throw new IllegalArgumentException("there is no model '" + name + "'; there are " + String.join(", ", NAMES));
    };
  }

  /**
   * LeNet-5 (LeCun et al. 1998) as it is built today: all maps of the second convolution see all of the first, and the
   * end is a dense layer. Smaller images than its 32×32 are padded to that.
   *
   * @param height rows of an image
   */
  public static Sequential lenet(int classes, int height) {
    int border = Math.max(0, Math.ceilDiv(32 - height, 2));
    return new Sequential(
        new Conv2d(6, 5).padding(border).init(new Xavier()),
        new Tanh(),
        new AvgPool2d(2),
        new Conv2d(16, 5).init(new Xavier()),
        new Tanh(),
        new AvgPool2d(2),
        new Flatten(),
        new Dense(120).init(new Xavier()),
        new Tanh(),
        new Dense(84).init(new Xavier()),
        new Tanh(),
        new Dense(classes).init(new Xavier()));
  }

  /** Two convolutions and a dense layer: 99 % on MNIST after few epochs. */
  public static Sequential smallCnn(int classes) {
    List<Layer> layers = new ArrayList<>();
    layers.addAll(convolution(16));
    layers.add(new MaxPool2d(2));
    layers.addAll(convolution(32));
    layers.add(new MaxPool2d(2));
    layers.addAll(List.of(new Flatten(), new Dropout(0.25), new Dense(classes)));
    return new Sequential(layers);
  }

  /** Two hidden layers, no convolution; takes any shape. */
  public static Sequential mlp(int classes) {
    return new Sequential(
        new Flatten(),
        new Dense(256),
        new ReLU(),
        new Dropout(0.2),
        new Dense(128),
        new ReLU(),
        new Dropout(0.2),
        new Dense(classes));
  }

  /**
   * Three blocks of two 3×3 convolutions and a pool, in the manner of VGG (Simonyan and Zisserman 2014), with batch
   * norm.
   */
  public static Sequential vggSmall(int classes) {
    List<Layer> layers = new ArrayList<>();
    for (int filters : new int[] {32, 64, 128}) {
      layers.addAll(convolution(filters));
      layers.addAll(convolution(filters));
      layers.add(new MaxPool2d(2));
    }
    layers.addAll(
        List.of(new Flatten(), new Dropout(0.25), new Dense(256), new ReLU(), new Dropout(0.5), new Dense(classes)));
    return new Sequential(layers);
  }

  /**
   * VGG with 16 layers (Simonyan and Zisserman 2014, configuration D), without batch norm, as in the paper.
   *
   * @param classes outputs
   */
  public static Sequential vgg16(int classes) {
    List<Layer> layers = new ArrayList<>();
    int[][] blocks = {{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}};
    for (int[] block : blocks) {
      for (int filters : block) {
        layers.addAll(List.of(new Conv2d(filters, 3).same(), new ReLU()));
      }
      layers.add(new MaxPool2d(2));
    }
    layers.add(new Flatten());
    for (int i = 0; i < 2; i++) {
      layers.addAll(List.of(new Dense(4096), new ReLU(), new Dropout(0.5)));
    }
    layers.add(new Dense(classes));
    return new Sequential(layers);
  }

  /** 3×3, the size stays, with batch norm and ReLU. */
  private static List<Layer> convolution(int filters) {
    return List.of(new Conv2d(filters, 3).same().withoutBias(), new BatchNorm(), new ReLU());
  }
}
