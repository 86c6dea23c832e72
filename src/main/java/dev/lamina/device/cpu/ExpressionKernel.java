package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Op;
import dev.lamina.tensor.TensorType;
import java.util.List;

/** Maps and reductions as kernels. */
final class ExpressionKernel {
  private ExpressionKernel() {}

  static CpuKernel of(Op.Map op, List<TensorType> inputs, ExprCompiler compiler, Workers workers) {
    MapKernel map = compiler.map(op.exprs(), inputs, op.dtypes(), op.shape());
    return new CpuKernel() {
      @Override
      public boolean canShare(int input, int output) {
        return map.canShare(input, output);
      }

      @Override
      public Step bind(long[] in, long[] out, long workspace) {
        BoundMap bound = map.bind(in, out);
        return () -> bound.run(workers);
      }
    };
  }

  /**
   * A reduction.
   *
   * @param stored expressions over the same inputs and shape that are outputs too
   */
  static CpuKernel of(
      Op.Reduce op, List<Expr> stored, List<TensorType> inputs, ExprCompiler compiler, Workers workers) {
    Reduction reduction = compiler.reduce(op, stored, inputs);
    return new CpuKernel() {
      @Override
      public long workspaceBytes() {
        return reduction.workspaceBytes();
      }

      @Override
      public boolean canShare(int input, int output) {
        return reduction.canShare(input, output);
      }

      @Override
      public Step bind(long[] in, long[] out, long workspace) {
        Reduction.Bound bound = reduction.bind(in, out, workspace);
        return () -> bound.run(workers);
      }
    };
  }
}
