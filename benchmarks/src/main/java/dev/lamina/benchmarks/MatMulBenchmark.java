package dev.lamina.benchmarks;

import dev.lamina.device.Device;
import dev.lamina.graph.Tensor;
import org.openjdk.jmh.annotations.Param;

/** Matrix products: square ones, and those of a dense layer in its three directions. */
public class MatMulBenchmark extends DeviceBenchmark {

  /** What is multiplied: [rows, depth] by [depth, columns]. */
  public enum Matrices {
    SQUARE_256(256, 256, 256, false, false),
    SQUARE_512(512, 512, 512, false, false),
    SQUARE_1024(1024, 1024, 1024, false, false),
    /** x·Wᵀ of 3136 features to 128 units, batch 64. */
    DENSE_FORWARD(64, 3136, 128, false, true),
    /** dy·W. */
    DENSE_INPUT_GRADIENT(64, 128, 3136, false, false),
    /** dyᵀ·x. */
    DENSE_WEIGHT_GRADIENT(128, 64, 3136, true, false);

    private final int rows;
    private final int depth;
    private final int columns;
    private final boolean transposeA;
    private final boolean transposeB;

    Matrices(int rows, int depth, int columns, boolean transposeA, boolean transposeB) {
      this.rows = rows;
      this.depth = depth;
      this.columns = columns;
      this.transposeA = transposeA;
      this.transposeB = transposeB;
    }
  }

  @Param public Matrices matrices;

  @Override
  Workload prepare(Device on) {
    return new GraphWorkload(
        on, new Definition(this::product, (long) matrices.rows * matrices.columns, matrices.depth));
  }

  private void product(Problem problem) {
    Tensor a = matrix(problem, "a", matrices.rows, matrices.depth, matrices.transposeA);
    Tensor b = matrix(problem, "b", matrices.depth, matrices.columns, matrices.transposeB);
    problem.graph().output("product", a.matmul(b, matrices.transposeA, matrices.transposeB));
  }

  private static Tensor matrix(Problem problem, String name, int rows, int columns, boolean transposed) {
    return transposed ? problem.normal(name, 1, columns, rows) : problem.normal(name, 1, rows, columns);
  }
}
