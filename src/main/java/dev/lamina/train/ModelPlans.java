package dev.lamina.train;

import dev.lamina.device.Device;
import dev.lamina.device.Plan;
import dev.lamina.device.Preparation;
import dev.lamina.device.VariableLayout;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters;
import dev.lamina.optim.WeightAveraging;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * All programs of a model, planned over one set of variables; nothing is allocated.
 *
 * @param trace of the layers
 * @param layout of the variables
 * @param update a pass that ends with an update; empty for a model that is not trained
 * @param accumulate a pass that only adds its gradients; empty if each pass ends with an update
 * @param judge a pass of evaluation
 * @param predict a pass of prediction
 * @param observation looks inside; empty for a model that nobody looks into
 * @param averaging takes the weights into their mean; empty unless that is wanted at times
 * @param averagedStatistics gives the averaged weights their statistics; empty unless they have some of their own
 */
record ModelPlans(
    ModelTrace trace,
    VariableLayout layout,
    Optional<Plan> update,
    Optional<Plan> accumulate,
    Plan judge,
    Plan predict,
    Optional<Observation> observation,
    Optional<Plan> averaging,
    Optional<Plan> averagedStatistics) {

  /**
   * Plans that look inside a model.
   *
   * @param graphs what is looked at
   * @param before an update
   * @param after it
   */
  record Observation(StatisticsGraphs.Built graphs, Plan before, Plan after) {
    Observation prepared(Device device, Consumer<Op> next) {
      return new Observation(graphs, before.prepared(device, next), after.prepared(device, next));
    }
  }

  /**
   * What {@code spec} is going to need, as far as that can be told without running anything.
   *
   * @throws IllegalArgumentException if the layers do not fit together or to the data, or are too large to be counted
   */
  static ModelPlans forecast(Device device, ModelSpec spec) {
    try {
      return traced(device, spec);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "the model is too large for batch "
              + spec.batch()
              + ": a tensor, or all weights together, have more elements than can be counted ("
              + e.getMessage()
              + "); make layers or the batch smaller",
          e);
    }
  }

  private static ModelPlans traced(Device device, ModelSpec spec) {
    ModelTrace trace = new ModelTrace(spec, new Parameters());
    Optional<TrainingGraph.Built> update =
        spec.trains() ? Optional.of(TrainingGraph.updating(trace)) : Optional.empty();
    Optional<TrainingGraph.Built> accumulate =
        spec.trains() && spec.accumulate() > 1 ? Optional.of(TrainingGraph.accumulating(trace)) : Optional.empty();
    TrainingGraph.Built judge = EvaluationGraph.judging(trace);
    Graph predict = EvaluationGraph.predicting(trace);
    Optional<StatisticsGraphs.Built> observation =
        spec.trains() && spec.observed() ? Optional.of(StatisticsGraphs.of(trace)) : Optional.empty();
    boolean takesMeans = spec.trains() && spec.averaging() instanceof WeightAveraging.Swa;
    Optional<TrainingGraph.Built> averaging =
        takesMeans ? Optional.of(TrainingGraph.averaging(trace)) : Optional.empty();
    Optional<Graph> averagedStatistics =
        takesMeans && !trace.averages().statistics().isEmpty()
            ? Optional.of(trace.trainingOfAverages().graph())
            : Optional.empty();
    // Packed variables come first, so that their members take their place within them.
    Set<Variable> variables = new LinkedHashSet<>();
    update.ifPresent(built -> variables.addAll(built.variables()));
    accumulate.ifPresent(built -> variables.addAll(built.variables()));
    averaging.ifPresent(built -> variables.addAll(built.variables()));
    variables.addAll(judge.variables());
    observation.ifPresent(built -> variables.addAll(built.variables()));
    trace.parameters().all().forEach(declaration -> variables.add(declaration.variable()));
    VariableLayout layout = new VariableLayout(variables);
    return new ModelPlans(
        trace,
        layout,
        update.map(built -> Plan.forecast(built.graph(), device, layout)),
        accumulate.map(built -> Plan.forecast(built.graph(), device, layout)),
        Plan.forecast(judge.graph(), device, layout),
        Plan.forecast(predict, device, layout),
        observation.map(built ->
            new Observation(
                built, Plan.forecast(built.before(), device, layout), Plan.forecast(built.after(), device, layout))),
        averaging.map(built -> Plan.forecast(built.graph(), device, layout)),
        averagedStatistics.map(graph -> Plan.forecast(graph, device, layout)));
  }

  /** The same where predictions keep what they make of weights: sooner, for more memory. */
  ModelPlans keeping(Device device) {
    return new ModelPlans(
        trace, layout, update, accumulate, judge, predict.keeping(device), observation, averaging, averagedStatistics);
  }

  /** The same with kernels that can run. */
  ModelPlans prepared(Device device, Consumer<Preparation> progress) {
    Consumer<Op> next = Preparation.counted(Preparation.Stage.CHOOSING, all(), progress);
    return new ModelPlans(
        trace,
        layout,
        update.map(plan -> plan.prepared(device, next)),
        accumulate.map(plan -> plan.prepared(device, next)),
        judge.prepared(device, next),
        predict.prepared(device, next),
        observation.map(plans -> plans.prepared(device, next)),
        averaging.map(plan -> plan.prepared(device, next)),
        averagedStatistics.map(plan -> plan.prepared(device, next)));
  }

  List<Plan> all() {
    List<Plan> plans = new ArrayList<>(List.of(judge, predict));
    update.ifPresent(plans::add);
    accumulate.ifPresent(plans::add);
    averaging.ifPresent(plans::add);
    averagedStatistics.ifPresent(plans::add);
    observation.ifPresent(look -> plans.addAll(List.of(look.before, look.after)));
    return plans;
  }

  /** What the programs take on the device. */
  CompiledModel.MemoryNeed memory() {
    return new CompiledModel.MemoryNeed(
        layout.bytes(),
        all().stream().mapToLong(Plan::arenaBytes).max().orElseThrow(),
        all().stream().mapToLong(Plan::ownBytes).sum());
  }

  /** What they take together with the batches that are prepared ahead. */
  long neededBytes() {
    ModelSpec spec = trace.spec();
    int batch = spec.trains() ? spec.batch() : spec.evaluationBatch();
    return memory().total() + spec.example().bytes() * batch * TrainingLoop.SLOTS;
  }
}
