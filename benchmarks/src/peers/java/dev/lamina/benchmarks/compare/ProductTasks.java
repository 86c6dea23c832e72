package dev.lamina.benchmarks.compare;

import java.util.ArrayList;
import java.util.List;

/** Matrix products. */
final class ProductTasks {
  private static final double TOLERANCE = 1e-4;

  private ProductTasks() {}

  static List<Task> all() {
    List<Task> tasks = new ArrayList<>();
    for (int n : new int[] {512, 1024, 2048}) {
      tasks.add(product(n, n, n, false, false));
    }
    tasks.add(product(64, 4096, 1024, false, false));
    tasks.add(product(1024, 1024, 1024, true, false));
    tasks.add(product(1024, 1024, 1024, false, true));
    tasks.add(product(64, 4096, 1024, false, true));
    tasks.add(product(4096, 64, 1024, true, false));
    return tasks;
  }

  /** [m,k] times [k,n], or what gives these when it is transposed. */
  private static Task product(int m, int k, int n, boolean transposeA, boolean transposeB) {
    int[] a = transposeA ? new int[] {k, m} : new int[] {m, k};
    int[] b = transposeB ? new int[] {n, k} : new int[] {k, n};
    return new Task.Operations(
        "matmul",
        m + "x" + k + "x" + n + (transposeA ? ", Aᵀ" : "") + (transposeB ? ", Bᵀ" : ""),
        TOLERANCE,
        p -> p.graph().output("c", p.normal("a", 1, a).matmul(p.normal("b", 1, b), transposeA, transposeB)),
        "",
        "return torch.matmul(%s, %s)".formatted(transposeA ? "torch.t(a)" : "a", transposeB ? "torch.t(b)" : "b"));
  }
}
