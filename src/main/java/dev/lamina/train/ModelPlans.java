package dev.lamina.train;

import dev.lamina.device.Device;
import dev.lamina.device.Plan;
import dev.lamina.device.Preparation;
import dev.lamina.device.VariableLayout;
import dev.lamina.graph.Op;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters;
import dev.lamina.optim.WeightAveraging;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * All programs of a model, planned over one set of variables; nothing is allocated.
 *
 * @param trace of the layers
 * @param layout of the variables
 * @param looks what is looked at inside; null for a model that nobody looks into
 * @param plans of the programs that this model has
 */
record ModelPlans(ModelTrace trace, VariableLayout layout, StatisticsGraphs.Built looks, Map<Role, Plan> plans) {

  /** What programs are for, in the order in which their variables lie. */
  enum Role {
    /** A pass that ends with an update; of a model that is trained. */
    UPDATE,
    /** A pass that only adds its gradients; unless each pass ends with an update. */
    ACCUMULATE,
    /** Takes the weights into their mean; where that is wanted at times. */
    AVERAGE,
    /** A pass of evaluation. */
    JUDGE,
    /** A pass of prediction. */
    PREDICT,
    /** Looks inside before an update; of a model that somebody looks into. */
    LOOK,
    /** Looks at what the update has changed. */
    COMPARE,
    /** Gives the averaged weights their statistics; where they have some of their own. */
    FOLLOW
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
    Map<Role, TrainingGraph.Built> graphs = new EnumMap<>(Role.class);
    StatisticsGraphs.Built looks = null;
    if (spec.trains()) {
      graphs.put(Role.UPDATE, TrainingGraph.updating(trace));
      if (spec.accumulate() > 1) {
        graphs.put(Role.ACCUMULATE, TrainingGraph.accumulating(trace));
      }
      if (spec.averaging() instanceof WeightAveraging.Swa) {
        graphs.put(Role.AVERAGE, TrainingGraph.averaging(trace));
        if (!trace.averages().statistics().isEmpty()) {
          graphs.put(Role.FOLLOW, new TrainingGraph.Built(trace.trainingOfAverages().graph(), List.of()));
        }
      }
      if (spec.observed()) {
        looks = StatisticsGraphs.of(trace);
        graphs.put(Role.LOOK, new TrainingGraph.Built(looks.before(), looks.variables()));
        graphs.put(Role.COMPARE, new TrainingGraph.Built(looks.after(), List.of()));
      }
    }
    graphs.put(Role.JUDGE, EvaluationGraph.judging(trace));
    graphs.put(Role.PREDICT, new TrainingGraph.Built(EvaluationGraph.predicting(trace), List.of()));
    // Packed variables come first, so that their members take their place within them.
    Set<Variable> variables = new LinkedHashSet<>();
    graphs.values().forEach(built -> variables.addAll(built.variables()));
    trace.parameters().all().forEach(declaration -> variables.add(declaration.variable()));
    VariableLayout layout = new VariableLayout(variables);
    Map<Role, Plan> plans = new EnumMap<>(Role.class);
    graphs.forEach((role, built) -> plans.put(role, Plan.forecast(built.graph(), device, layout)));
    return new ModelPlans(trace, layout, looks, plans);
  }

  /** The same where predictions keep what they make of weights: sooner, for more memory. */
  ModelPlans keeping(Device device) {
    return with((role, plan) -> role == Role.PREDICT ? plan.keeping(device) : plan);
  }

  /** The same with kernels that can run. */
  ModelPlans prepared(Device device, Consumer<Preparation> progress) {
    Consumer<Op> next = Preparation.counted(Preparation.Stage.CHOOSING, plans.values(), progress);
    return with((_, plan) -> plan.prepared(device, next));
  }

  private ModelPlans with(BiFunction<Role, Plan, Plan> change) {
    Map<Role, Plan> changed = new EnumMap<>(plans);
    changed.replaceAll(change);
    return new ModelPlans(trace, layout, looks, changed);
  }

  /** What the programs take on the device. */
  CompiledModel.MemoryNeed memory() {
    return new CompiledModel.MemoryNeed(
        layout.bytes(),
        plans.values().stream().mapToLong(Plan::arenaBytes).max().orElseThrow(),
        plans.values().stream().mapToLong(Plan::ownBytes).sum());
  }

  /** What they take together with the batches that are prepared ahead. */
  long neededBytes() {
    ModelSpec spec = trace.spec();
    int batch = spec.trains() ? spec.batch() : spec.evaluationBatch();
    return memory().total() + spec.example().bytes() * batch * TrainingLoop.SLOTS;
  }
}
