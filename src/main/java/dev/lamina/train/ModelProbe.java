package dev.lamina.train;

import dev.lamina.device.Buffer;
import dev.lamina.device.Plan;
import dev.lamina.device.Program;
import dev.lamina.graph.Graph;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;

/**
 * A program beside those of a model, over the same variables. It works in the model's arena, as their programs do, if
 * there is room enough: what a training has measured out stays as it is.
 */
final class ModelProbe implements AutoCloseable {
  private final Buffer memory; // null where the model's is used
  private final Program program;

  /** Plans and binds {@code graph} for the device of {@code model}. */
  ModelProbe(CompiledModel model, Graph graph) {
    Plan plan = Plan.of(graph, model.device(), model.store().layout());
    boolean fits = plan.arenaBytes() <= model.arena().bytes();
    memory = fits ? null : model.device().allocate(plan.arenaBytes());
    try {
      program = new Program(plan, model.device(), model.store(), fits ? model.arena() : memory);
    } catch (RuntimeException e) {
      closeMemory();
      throw e;
    }
  }

  /** Hands in an input of the next runs; it stays what it is until another one comes. */
  void stage(String name, HostTensor value) {
    program.stage(name, value).await();
  }

  void run() {
    program.run();
  }

  /** Waits for the last run; the scalar output {@code name}. */
  double number(String name) {
    try (Arena scratch = Arena.ofConfined()) {
      return tensor(name, scratch).get(0);
    }
  }

  /** Waits for the last run; the output {@code name} in {@code arena}. */
  HostTensor tensor(String name, Arena arena) {
    HostTensor value = HostTensor.allocate(arena, program.resultType(name));
    program.read(name, value);
    return value;
  }

  @Override
  public void close() {
    program.close();
    closeMemory();
  }

  private void closeMemory() {
    if (memory != null) {
      memory.close();
    }
  }
}
