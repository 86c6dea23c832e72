package dev.lamina.train;

import dev.lamina.device.VariableStore;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.init.Initializer;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The values of a model's variables on the device: how they begin, are saved, and come back.
 *
 * @param trace of the layers that declared them
 * @param store that holds them
 */
record ModelVariables(ModelTrace trace, VariableStore store) {

  /** {@link CompiledModel#initialise()}. */
  void initialise() {
    try (Arena scratch = Arena.ofConfined()) {
      for (Variable variable : store.layout().variables()) {
        if (!isPacked(variable)) {
          store.write(variable, HostTensor.allocate(scratch, variable.type()));
        }
      }
      for (Parameters.Declaration declaration : trace.parameters().all()) {
        HostTensor value = HostTensor.allocate(scratch, declaration.variable().type());
        String name = declaration.variable().name();
        declaration.initializer().fill(value, Initializer.generator(trace.spec().seed(), name));
        store.write(declaration.variable(), value);
      }
      if (trace.spec().trains()) {
        store.write(TrainingGraph.BAD_STEP, HostTensor.allocate(scratch, TrainingGraph.BAD_STEP.type()).fill(-1));
      }
    }
    beginAverages();
  }

  /** Until there are others the averages are what they are of. */
  void beginAverages() {
    try (Arena scratch = Arena.ofConfined()) {
      trace.averages().all().forEach((variable, average) -> store.write(average, store.read(variable, scratch)));
    }
  }

  /** The value of a scalar; waits for the passes. */
  long counter(Variable variable) {
    try (Arena scratch = Arena.ofConfined()) {
      return (long) store.read(variable, scratch).get(0);
    }
  }

  /** {@link CompiledModel#state}. */
  SequencedMap<String, HostTensor> state(Arena arenaOfState) {
    SequencedMap<String, HostTensor> state = new LinkedHashMap<>();
    for (Variable variable : saved()) {
      state.put(variable.name(), store.read(variable, arenaOfState));
    }
    return state;
  }

  /** {@link CompiledModel#weights}. */
  SequencedMap<String, HostTensor> weights(Arena arenaOfState) {
    SequencedMap<String, HostTensor> weights = new LinkedHashMap<>();
    for (Parameters.Declaration declaration : trace.parameters().all()) {
      Variable variable = declaration.variable();
      weights.put(variable.name(), store.read(trace.averages().read(variable), arenaOfState));
    }
    return weights;
  }

  /** {@link CompiledModel#load}. */
  void load(Map<String, HostTensor> values) {
    for (Parameters.Declaration declaration : trace.parameters().all()) {
      Variable variable = declaration.variable();
      if (!values.containsKey(variable.name())) {
        throw new IllegalArgumentException("the saved model has no " + variable + "; it is of another architecture");
      }
    }
    for (Variable variable : saved()) {
      HostTensor value = values.get(variable.name());
      if (value != null && !value.type().equals(variable.type())) {
        throw new IllegalArgumentException(
            variable.name() + " is " + variable.type() + " in this model, and " + value.type() + " in the saved one");
      }
    }
    for (Variable variable : saved()) {
      if (values.containsKey(variable.name())) {
        store.write(variable, values.get(variable.name()));
      }
    }
    trace
        .averages()
        .all()
        .forEach((variable, average) -> {
          if (!values.containsKey(average.name())) {
            store.write(average, values.get(variable.name()));
          }
        });
  }

  private List<Variable> saved() {
    return store.layout().variables().stream()
        .filter(variable -> variable.kind() != Variable.Kind.METRIC && !isPacked(variable))
        .toList();
  }

  private static boolean isPacked(Variable variable) {
    return !variable.members().isEmpty();
  }
}
