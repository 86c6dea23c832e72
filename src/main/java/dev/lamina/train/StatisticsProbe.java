package dev.lamina.train;

import dev.lamina.device.Program;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.LayerStatistics.Histogram;
import dev.lamina.train.StatisticsGraphs.Figure;
import dev.lamina.train.StatisticsGraphs.Square;
import dev.lamina.train.StatisticsGraphs.Watched;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** The programs of {@link StatisticsGraphs}, and their results as records. */
final class StatisticsProbe implements AutoCloseable {
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
      HostTensor gradients = read(before, StatisticsGraphs.SQUARES, scratch);
      HostTensor squares = read(after, StatisticsGraphs.SQUARES, scratch);
      int each = Square.values().length;
      List<WeightStatistics> weights = new ArrayList<>();
      for (int i = 0; i < graphs.weights().size(); i++) {
        weights.add(
            new WeightStatistics(
                graphs.weights().get(i).name(),
                Math.sqrt(squares.get((long) each * i + Square.WEIGHT.ordinal())),
                Math.sqrt(gradients.get(i)),
                Math.sqrt(squares.get((long) each * i + Square.UPDATE.ordinal()))));
      }
      return new ModelStatistics(step, epoch, examples, layers, weights);
    }
  }

  private LayerStatistics layer(Watched layer, Arena scratch) {
    HostTensor figures = read(before, layer.figures(), scratch);
    List<Double> peaks = layer.canDie() ? values(read(before, layer.units(), scratch)) : List.of();
    List<Long> counts = values(read(before, layer.histogram(), scratch)).stream().map(Math::round).toList();
    return new LayerStatistics(
        layer.path(),
        layer.kind(),
        figure(figures, Figure.MEAN),
        Math.sqrt(figure(figures, Figure.VARIANCE)),
        figure(figures, Figure.GRADIENT_MEAN),
        Math.sqrt(figure(figures, Figure.GRADIENT_VARIANCE)),
        layer.isActivation() ? figure(figures, Figure.ZEROS) : Double.NaN,
        layer.canSaturate() ? figure(figures, Figure.SATURATED) : Double.NaN,
        peaks.isEmpty() ? Double.NaN : peaks.stream().filter(peak -> peak <= 0).count() / (double) peaks.size(),
        peaks,
        new Histogram(figure(figures, Figure.LOW), figure(figures, Figure.HIGH), counts));
  }

  private static double figure(HostTensor figures, Figure figure) {
    return figures.get(figure.ordinal());
  }

  private static List<Double> values(HostTensor tensor) {
    return LongStream.range(0, tensor.size()).mapToObj(tensor::get).toList();
  }

  private static HostTensor read(Program program, String name, Arena scratch) {
    HostTensor result = HostTensor.allocate(scratch, program.resultType(name));
    program.read(name, result);
    return result;
  }

  @Override
  public void close() {
    before.close();
    after.close();
  }
}
