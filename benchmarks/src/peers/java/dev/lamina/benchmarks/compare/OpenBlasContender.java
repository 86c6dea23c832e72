package dev.lamina.benchmarks.compare;

import dev.lamina.benchmarks.Problem;
import dev.lamina.graph.Node;
import dev.lamina.graph.Op;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;

/** OpenBLAS through JavaCPP; matrix products only. */
final class OpenBlasContender implements Contender {
  OpenBlasContender(int threads) {
    openblas.blas_set_num_threads(threads);
  }

  @Override
  public String name() {
    return "OpenBLAS";
  }

  @Override
  public Trial prepare(Task task) {
    if (task instanceof Task.Operations operations) {
      var problem = new Problem(DType.F32);
      operations.problem().accept(problem);
      for (Node node : problem.graph().nodes()) {
        if (node.op() instanceof Op.MatMul product) {
          return new Product(problem, product);
        }
      }
    }
    throw new IllegalArgumentException("OpenBLAS has matrix products, not " + task.name());
  }

  @Override
  public void close() {}

  private static final class Product implements Trial {
    private final FloatPointer a;
    private final FloatPointer b;
    private final FloatPointer c;
    private final Op.MatMul op;
    private final int m;
    private final int n;
    private final int k;

    private Product(Problem problem, Op.MatMul op) {
      this.op = op;
      List<Variable> operands = problem.variables();
      var left = operands.get(0).type().shape();
      var right = operands.get(1).type().shape();
      m = left.dim(op.transposeA() ? 1 : 0);
      k = left.dim(op.transposeA() ? 0 : 1);
      n = right.dim(op.transposeB() ? 0 : 1);
      a = filled(problem, operands.get(0));
      b = filled(problem, operands.get(1));
      c = new FloatPointer((long) m * n);
    }

    private static FloatPointer filled(Problem problem, Variable operand) {
      try (Arena scratch = Arena.ofConfined()) {
        HostTensor value = HostTensor.allocate(scratch, operand.type());
        problem.fill(operand, value);
        return new FloatPointer(Floats.of(List.of(value)));
      }
    }

    @Override
    public void run() {
      openblas.cblas_sgemm(
          openblas.CblasRowMajor,
          op.transposeA() ? openblas.CblasTrans : openblas.CblasNoTrans,
          op.transposeB() ? openblas.CblasTrans : openblas.CblasNoTrans,
          m,
          n,
          k,
          1,
          a,
          op.transposeA() ? m : k,
          b,
          op.transposeB() ? k : n,
          0,
          c,
          n);
    }

    @Override
    public float[] results() {
      run();
      float[] values = new float[m * n];
      c.get(values);
      return values;
    }

    @Override
    public void close() {
      a.close();
      b.close();
      c.close();
    }
  }
}
