package dev.lamina.train;

import dev.lamina.device.Program;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.LayerStatistics.Histogram;
import dev.lamina.train.StatisticsGraphs.Figure;
import dev.lamina.train.StatisticsGraphs.Norm;
import dev.lamina.train.StatisticsGraphs.Watched;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** The programs of {@link StatisticsGraphs}, and their results as records. */
final class StatisticsProbe {
  private final StatisticsGraphs.Built graphs;
  private final Program before;
  private final Program after;

  StatisticsProbe(StatisticsGraphs.Built graphs, Program before, Program after) {
    this.graphs = graphs;
    this.before = before;
    this.after = after;
  }

  /** Run it before an update, on the same batch. */
  Program before() {
    return before;
  }

  /** Compares the weights, and reads everything. */
  ModelStatistics statistics(long step, int epoch, int examples) {
    after.run();
    try (Arena scratch = Arena.ofConfined()) {
      List<LayerStatistics> layers = graphs.layers().stream().map(layer -> layer(layer, scratch)).toList();
      HostTensor gradients = before.read(StatisticsGraphs.NORMS, scratch);
      HostTensor norms = after.read(StatisticsGraphs.NORMS, scratch);
      int each = Norm.values().length;
      List<WeightStatistics> weights = new ArrayList<>();
      for (int i = 0; i < graphs.weights().size(); i++) {
        weights.add(
            new WeightStatistics(
                graphs.weights().get(i).name(),
                norms.get((long) each * i + Norm.WEIGHT.ordinal()),
                gradients.get(i),
                norms.get((long) each * i + Norm.UPDATE.ordinal())));
      }
      return new ModelStatistics(step, epoch, examples, layers, weights);
    }
  }

  private LayerStatistics layer(Watched layer, Arena scratch) {
    HostTensor figures = before.read(layer.figures(), scratch);
    List<Double> peaks = layer.canDie() ? values(before.read(layer.units(), scratch)) : List.of();
    return new LayerStatistics(
        layer.path(),
        layer.kind(),
        figure(figures, Figure.MEAN),
        Math.sqrt(figure(figures, Figure.VARIANCE)),
        figure(figures, Figure.GRADIENT_MEAN),
        figure(figures, Figure.GRADIENT_DEVIATION),
        layer.isActivation() ? figure(figures, Figure.ZEROS) : Double.NaN,
        layer.canSaturate() ? figure(figures, Figure.SATURATED) : Double.NaN,
        peaks.isEmpty() ? Double.NaN : peaks.stream().filter(peak -> peak <= 0).count() / (double) peaks.size(),
        peaks,
        new Histogram(
            figure(figures, Figure.LOW), figure(figures, Figure.HIGH), counts(before.read(layer.histogram(), scratch))),
        new Histogram(
            figure(figures, Figure.GRADIENT_LOW),
            figure(figures, Figure.GRADIENT_HIGH),
            counts(before.read(layer.gradients(), scratch))));
  }

  private static double figure(HostTensor figures, Figure figure) {
    return figures.get(figure.ordinal());
  }

  private static List<Long> counts(HostTensor histogram) {
    return values(histogram).stream().map(Math::round).toList();
  }

  private static List<Double> values(HostTensor tensor) {
    return LongStream.range(0, tensor.size()).mapToObj(tensor::get).toList();
  }
}
