package dev.lamina.train;

import dev.lamina.device.RunningGraph;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters.Declaration;
import dev.lamina.nn.init.Lsuv;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The part of {@link Lsuv} that takes data: weights are divided by the standard deviation of their layer's output on a
 * batch, layer by layer in the order in which they end, until each variance is about 1.
 *
 * <p>One program gives the variances of all layers, in training mode: norms see the batch, dropout drops. A layer's
 * weights change nothing before it, so a run that follows a change says at once whether it was enough and where the
 * next layer stands; statistics and counters stay as they are.
 */
public final class UnitVariance {

  /**
   * What became of one layer.
   *
   * @param layer its path
   * @param before variance of its output with the orthonormal weights of all layers
   * @param after the variance at the end
   * @param rounds how often its weights were divided
   * @param tolerance how far from 1 the variance was to be at most
   */
  public record Scaled(String layer, double before, double after, int rounds, double tolerance) {

    /** Whether the variance is about 1, and not only as near as the rounds got it. */
    public boolean isUnit() {
      return Math.abs(after - 1) < tolerance;
    }
  }

  /** A layer with what it declared to begin this way. */
  private record Target(LayerTrace layer, List<Variable> weights, Lsuv rule) {}

  private UnitVariance() {}

  /** Whether a weight of {@code model} is to begin by {@link Lsuv}. */
  public static boolean isWantedBy(CompiledModel model) {
    return model.parameters().all().stream().anyMatch(declaration -> declaration.initializer() instanceof Lsuv);
  }

  /**
   * Scales the weights of {@code model} that have {@link Lsuv} as initializer and hold what that filled in.
   *
   * @param images a batch of the spec's examples
   * @return the scaled layers, in the order in which they end
   * @throws IllegalArgumentException if a layer's output does not vary or is not finite, so that no factor helps, or a
   *     layer has no name, being the whole model
   */
  public static List<Scaled> apply(CompiledModel model, HostTensor images) {
    Graph graph = model.trace().training().graph();
    List<Target> targets = targets(model, graph);
    requireAll(model, targets);
    graph.dropAssigns();
    for (Target target : targets) {
      graph.output(
          target.layer.path(), Statistics.variance(target.layer.output(), model.spec().precision().parameters()));
    }
    if (targets.isEmpty()) {
      return List.of();
    }
    try (RunningGraph probe = model.probe(graph)) {
      probe.stage("images", images);
      probe.run();
      double[] before = targets.stream().mapToDouble(target -> probe.number(target.layer.path())).toArray();
      List<Scaled> scaled = new ArrayList<>();
      for (Target target : targets) {
        scaled.add(scale(model, probe, target, before[scaled.size()]));
      }
      return scaled;
    }
  }

  private static List<Target> targets(CompiledModel model, Graph graph) {
    List<Target> targets = new ArrayList<>();
    for (LayerTrace layer : LayerTrace.of(graph)) {
      List<Declaration> own =
          model.parameters().all().stream()
              .filter(d -> d.initializer() instanceof Lsuv && pathOf(d.variable()).equals(layer.path()))
              .toList();
      if (!own.isEmpty()) {
        List<Variable> weights = own.stream().map(Declaration::variable).toList();
        targets.add(new Target(layer, weights, (Lsuv) own.getFirst().initializer()));
      }
    }
    targets.sort(Comparator.comparingInt(target -> target.layer.output().node().id()));
    return targets;
  }

  /** A layer that is the whole model has no name, so what it gives is not found. */
  private static void requireAll(CompiledModel model, List<Target> targets) {
    model.parameters().all().stream()
        .filter(d -> d.initializer() instanceof Lsuv)
        .map(Declaration::variable)
        .filter(weight -> targets.stream().noneMatch(target -> target.weights.contains(weight)))
        .findFirst()
        .ifPresent(weight -> {
          throw new IllegalArgumentException(
              "init lsuv: '" + weight.name() + "' is of no layer with a name; put the layer into a Sequential");
        });
  }

  private static String pathOf(Variable variable) {
    return variable.name().substring(0, Math.max(0, variable.name().lastIndexOf('.')));
  }

  private static Scaled scale(CompiledModel model, RunningGraph probe, Target target, double before) {
    double tolerance = target.rule.tolerance();
    Scaled scaled = new Scaled(target.layer.path(), before, variance(probe, target), 0, tolerance);
    while (!scaled.isUnit() && scaled.rounds < target.rule.rounds()) {
      for (Variable weight : target.weights) {
        divide(model, weight, Math.sqrt(scaled.after));
      }
      probe.run();
      scaled = new Scaled(scaled.layer, before, variance(probe, target), scaled.rounds + 1, tolerance);
    }
    return scaled;
  }

  private static double variance(RunningGraph probe, Target target) {
    double variance = probe.number(target.layer.path());
    if (!(variance > 0 && variance < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "init lsuv: the output of "
              + target.layer.path()
              + " has variance "
              + variance
              + " on this batch, so no factor of its weights makes that 1; take a larger batch, or another init");
    }
    return variance;
  }

  private static void divide(CompiledModel model, Variable weight, double divisor) {
    try (Arena scratch = Arena.ofConfined()) {
      HostTensor value = model.store().read(weight, scratch);
      for (long i = 0; i < value.size(); i++) {
        value.set(i, value.get(i) / divisor);
      }
      model.store().write(weight, value);
    }
  }
}
