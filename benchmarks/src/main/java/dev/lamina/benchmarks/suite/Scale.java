package dev.lamina.benchmarks.suite;

import java.util.List;

/**
 * How much is measured.
 *
 * @param networks whose training steps are timed
 * @param seconds for which a step is timed
 * @param epochs of the training of digits
 * @param accuracy that it has to reach
 * @param images of digits; 0 for all
 * @param batch of the training of digits
 * @param activationValues of a tensor
 * @param activationSeconds for which each activation is timed
 * @param products sides of the matrices
 */
record Scale(
    List<Network> networks,
    double seconds,
    int epochs,
    double accuracy,
    int images,
    int batch,
    int activationValues,
    double activationSeconds,
    List<Integer> products) {

  /** The question first for which most people buy a GPU. */
  private static final List<Network> NETWORKS =
      List.of(
          Network.of("resnet50", 256),
          Network.of("small-cnn", 64),
          Network.of("resnet20", 128),
          Network.of("resnet18", 256),
          Network.of("vgg16", 128));

  private static final int VALUES = 1 << 26;

  static final Scale FULL = new Scale(NETWORKS, 4, 6, 0.99, 0, 64, VALUES, 0.15, List.of(4096, 8192));

  static final Scale QUICK = new Scale(NETWORKS, 1, 2, 0.98, 0, 64, VALUES, 0.05, List.of(4096));

  /** For the emulator, which computes some million products a second: shows that everything runs. */
  static final Scale TINY =
      new Scale(
          List.of(new Network("resnet20", 2, 8), new Network("small-cnn", 8, 28)),
          0.05,
          2,
          0.2,
          256,
          32,
          1 << 12,
          0.01,
          List.of(128));
}
