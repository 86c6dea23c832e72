package dev.lamina.device;

import dev.lamina.graph.Op;
import java.util.Collection;
import java.util.function.Consumer;

/**
 * How far a model has been made ready for a device, kernel by kernel. The first time, that can take longer than a first
 * epoch: a device may time algorithms, and compile.
 *
 * @param stage what is being done
 * @param done kernels with which that has been done
 * @param all kernels with which it is going to be done
 * @param next the operation whose kernel comes next
 */
public record Preparation(Stage stage, int done, int all, Op next) {

  /** One after the other, each for all kernels. */
  public enum Stage {
    /** Algorithms are chosen: by what is known of them, by trying them, or as they were before. */
    CHOOSING,
    /** Addresses are fixed, and code is compiled for them. */
    BINDING
  }

  /** Tells {@code progress} how many kernels of all {@code plans} came before each that goes through {@code stage}. */
  public static Consumer<Op> counted(Stage stage, Collection<Plan> plans, Consumer<Preparation> progress) {
    int all = plans.stream().mapToInt(Plan::kernels).sum();
    int[] done = {0};
    return op -> progress.accept(new Preparation(stage, done[0]++, all, op));
  }
}
