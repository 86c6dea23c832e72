package dev.lamina.data;

/**
 * How one axis of a picture changes its length: output i is the sum of {@code weights[i][k] · input[first[i] + k]}.
 *
 * @param first for each output the first input that it reads
 * @param weights for each output the weights of the inputs from there on; they add up to 1
 */
record Resampling(int[] first, float[][] weights) {

  /** Means over areas if the axis shrinks, linear interpolation between pixel centres if it grows. */
  static Resampling of(int from, int to) {
    int[] first = new int[to];
    float[][] weights = new float[to][];
    double scale = (double) from / to;
    for (int i = 0; i < to; i++) {
      if (to < from) {
        double begin = i * scale;
        double end = (i + 1) * scale;
        first[i] = (int) begin;
        int last = Math.min(from, (int) Math.ceil(end));
        weights[i] = new float[last - first[i]];
        for (int k = first[i]; k < last; k++) {
          double covered = Math.min(end, k + 1) - Math.max(begin, k);
          weights[i][k - first[i]] = (float) (covered / scale);
        }
      } else {
        double centre = Math.clamp((i + 0.5) * scale - 0.5, 0, from - 1);
        first[i] = (int) centre;
        float right = (float) (centre - first[i]);
        weights[i] = right == 0 ? new float[] {1} : new float[] {1 - right, right};
      }
    }
    return new Resampling(first, weights);
  }

  /** Applied to {@code row}, [length · channels]. */
  float[] alongRow(float[] row, int channels) {
    float[] result = new float[first.length * channels];
    for (int i = 0; i < result.length; i++) {
      int output = i / channels;
      float sum = 0;
      for (int k = 0; k < weights[output].length; k++) {
        sum += weights[output][k] * row[(first[output] + k) * channels + i % channels];
      }
      result[i] = sum;
    }
    return result;
  }

  /** Applied across {@code rows}, [length][width]. */
  float[][] alongColumns(float[][] rows) {
    float[][] result = new float[first.length][rows[0].length];
    for (int output = 0; output < result.length; output++) {
      for (int k = 0; k < weights[output].length; k++) {
        for (int x = 0; x < result[output].length; x++) {
          result[output][x] += weights[output][k] * rows[first[output] + k][x];
        }
      }
    }
    return result;
  }
}
