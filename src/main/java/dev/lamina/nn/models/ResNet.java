package dev.lamina.nn.models;

import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.GlobalAveragePool;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Residual;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import java.util.ArrayList;
import java.util.List;

/** Residual networks (He et al. 2015). */
final class ResNet {
  private ResNet() {}

  /**
   * The network for CIFAR with 20 layers (section 4.2): a convolution, three stages of three blocks with 16, 32 and 64
   * filters, a global average, a dense layer. Where a stage begins with half the size and twice the filters the
   * shortcut is a 1×1 convolution with batch norm, the paper's option B; its CIFAR experiments pad with zeros (option
   * A), which has 2,752 parameters less.
   */
  static Sequential ofTwenty(int classes) {
    List<Layer> layers = new ArrayList<>(List.of(new Conv2d(16, 3).same().withoutBias(), new BatchNorm(), new ReLU()));
    int channels = 16;
    for (int filters : new int[] {16, 32, 64}) {
      for (int block = 0; block < 3; block++) {
        layers.addAll(basic(channels, filters, channels == filters ? 1 : 2));
        channels = filters;
      }
    }
    layers.addAll(List.of(new GlobalAveragePool(), new Dense(classes)));
    return new Sequential(layers);
  }

  /**
   * A network for ImageNet (section 4.1): a 7×7 convolution with stride 2, a pool, four stages from 64 filters on, a
   * global average, a dense layer.
   *
   * @param blocks of each stage
   * @param bottleneck whether a block is 1×1, 3×3, 1×1 with four times the filters at its end, instead of 3×3 twice;
   *     its stride lies on the 3×3, as it is done today ("v1.5"), not on the first 1×1
   */
  static Sequential forImageNet(int[] blocks, boolean bottleneck, int classes) {
    List<Layer> layers =
        new ArrayList<>(
            List.of(
                new Conv2d(64, 7).stride(2).padding(3).withoutBias(),
                new BatchNorm(),
                new ReLU(),
                new MaxPool2d(3, 2, 1)));
    int channels = 64;
    for (int stage = 0; stage < blocks.length; stage++) {
      int filters = 64 << stage;
      for (int block = 0; block < blocks[stage]; block++) {
        int stride = stage > 0 && block == 0 ? 2 : 1;
        layers.addAll(bottleneck ? bottleneck(channels, filters, stride) : basic(channels, filters, stride));
        channels = bottleneck ? 4 * filters : filters;
      }
    }
    layers.addAll(List.of(new GlobalAveragePool(), new Dense(classes)));
    return new Sequential(layers);
  }

  /** Two 3×3 convolutions. */
  private static List<Layer> basic(int channels, int filters, int stride) {
    return block(
        new Sequential(
            convolution(filters, 3, stride), new BatchNorm(), new ReLU(), convolution(filters, 3, 1), new BatchNorm()),
        channels,
        filters,
        stride);
  }

  /** Few filters for the 3×3 convolution, between two of 1×1. */
  private static List<Layer> bottleneck(int channels, int filters, int stride) {
    return block(
        new Sequential(
            convolution(filters, 1, 1),
            new BatchNorm(),
            new ReLU(),
            convolution(filters, 3, stride),
            new BatchNorm(),
            new ReLU(),
            convolution(4 * filters, 1, 1),
            new BatchNorm()),
        channels,
        4 * filters,
        stride);
  }

  private static List<Layer> block(Layer body, int channels, int filters, int stride) {
    boolean same = channels == filters && stride == 1;
    Layer projection = same ? null : new Sequential(convolution(filters, 1, stride), new BatchNorm());
    return List.of(new Residual(body, projection), new ReLU());
  }

  /**
   * Padding in numbers: "same" with stride 2 would put all of it on the bottom right; the paper has it on both sides.
   */
  private static Layer convolution(int filters, int kernel, int stride) {
    return new Conv2d(filters, kernel).stride(stride).padding(kernel / 2).withoutBias();
  }
}
