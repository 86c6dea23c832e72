package dev.lamina.train;

import dev.lamina.graph.Tensor;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/**
 * {@code (x·factor − mean) / deviation}, by channel, of numbers that are known without data.
 *
 * @param factor brings the raw input to the unit of mean and deviation: 1/255 for bytes
 * @param mean of each channel
 * @param deviation the standard deviation of each channel, above 0
 */
public record InputScaling(double factor, List<Double> mean, List<Double> deviation) implements InputPreparation {
  public InputScaling {
    mean = List.copyOf(mean);
    deviation = List.copyOf(deviation);
    if (mean.size() != deviation.size() || mean.isEmpty() || deviation.stream().anyMatch(d -> !(d > 0))) {
      throw new IllegalArgumentException(
          "input scaling: expected a mean and a deviation above 0 for each channel, got " + mean + " and " + deviation);
    }
  }

  @Override
  public Tensor prepare(Tensor images, Scope scope, Precision precision) {
    Shape channels = Shape.of(mean.size());
    Tensor offset = scope.statistic("preprocessing.offset", channels, (target, _) -> fill(target, mean::get));
    Tensor scale =
        scope.statistic("preprocessing.scale", channels, (target, _) -> fill(target, c -> 1 / deviation.get(c)));
    return InputPreparation.scaled(images, factor, offset, scale, precision.activations());
  }

  private static void fill(HostTensor target, IntToDoubleFunction values) {
    for (int c = 0; c < target.size(); c++) {
      target.set(c, values.applyAsDouble(c));
    }
  }
}
