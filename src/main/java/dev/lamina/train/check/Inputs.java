package dev.lamina.train.check;

import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.loss.MeanSquaredError;
import dev.lamina.nn.activation.Identity;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.ModelSpec;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Locale;

/** Looks at the data as the network sees it: inputs of one sign give the weights of a unit gradients of one sign. */
final class Inputs {
  private static final String NAME = "inputs";
  private static final int EXAMPLES = 256;

  /** The mean of a channel, as a share of its standard deviation, from which it is named. */
  private static final double FAR = 0.1;

  /** Standard errors of a mean by which it may be away from the centre by chance, where there are thousands of them. */
  private static final double CHANCE = 4;

  /** A channel whose variance is this share of the largest is constant in this sample. */
  private static final double CONSTANT = 1e-6;

  private Inputs() {}

  static Finding of(Device device, ModelSpec spec, Dataset training) {
    int examples = Math.min(EXAMPLES, training.size());
    // A model without layers predicts what it is given.
    ModelSpec bare = Variants.of(spec, new Identity(), new MeanSquaredError(), null, spec.precision(), examples);
    try (Arena arena = Arena.ofShared();
        CompiledModel model = CompiledModel.compile(device, bare)) {
      model.initialise();
      HostTensor seen = HostTensor.allocate(arena, model.predictionType());
      model.predict(Examples.of(training, examples, spec.seed(), arena).inputs(), seen);
      return verdict(seen);
    }
  }

  private static Finding verdict(HostTensor seen) {
    int channels = seen.shape().last();
    double count = (double) seen.size() / channels;
    double[] mean = new double[channels];
    double[] variance = new double[channels];
    for (long i = 0; i < seen.size(); i++) {
      mean[(int) (i % channels)] += seen.get(i) / count;
    }
    for (long i = 0; i < seen.size(); i++) {
      double deviation = seen.get(i) - mean[(int) (i % channels)];
      variance[(int) (i % channels)] += deviation * deviation / count;
    }
    double largest = Arrays.stream(variance).max().orElseThrow();
    double[] ratio = new double[channels];
    // The pixels of an image are no examples of their own.
    double bound = Math.max(FAR, CHANCE / Math.sqrt(seen.shape().dim(0)));
    int worst = 0;
    int far = 0;
    for (int c = 0; c < channels; c++) {
      ratio[c] = ratio(mean[c], variance[c] > CONSTANT * largest ? variance[c] : largest);
      worst = ratio[c] > ratio[worst] ? c : worst;
      far += ratio[c] > bound ? 1 : 0;
    }
    String words =
        String.format(
            Locale.ROOT,
            "%s has mean %.3g and standard deviation %.3g",
            channels == 1
                ? "the only channel"
                : "channel " + worst + ", the farthest from the centre of " + channels + ",",
            mean[worst],
            Math.sqrt(variance[worst]));
    if (Double.isNaN(mean[worst])) {
      return Finding.failure(NAME, words + ": the data has values that are no numbers");
    }
    return far == 0
        ? Finding.ok(NAME, "centred as the network sees them: " + words)
        : Finding.warning(
            NAME,
            (channels == 1 ? "not centred: " : far + " of " + channels + " channels are not centred: ")
                + words
                + "; subtract the mean (preprocessing: mean, or z_score)");
  }

  /** Infinite for a channel that is constant and not 0, or no number. */
  private static double ratio(double mean, double variance) {
    double ratio = mean == 0 ? 0 : Math.abs(mean) / Math.sqrt(variance);
    return Double.isNaN(ratio) ? Double.POSITIVE_INFINITY : ratio;
  }
}
