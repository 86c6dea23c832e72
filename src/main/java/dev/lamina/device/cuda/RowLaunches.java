package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Work on the rows of a matrix, each by a few threads of one block: softmax cross-entropy, its gradient, argmax. */
final class RowLaunches {
  /** Elements of a row for one thread, unless there are more than a block can share. */
  private static final int SHARE = 4;

  private RowLaunches() {}

  static Optional<String> unsupportedCrossEntropy(List<TensorType> types) {
    for (TensorType type : types) {
      if (type.dtype() == DType.F64) {
        return Real.unsupported(DType.F64);
      }
    }
    return Real.unsupported(types.getFirst().dtype());
  }

  static List<Launch> crossEntropy(double smoothing, List<TensorType> types, long[] inputs, long[] outputs) {
    Shape logits = types.getFirst().shape();
    if (logits.size() == 0) {
      return List.of();
    }
    boolean gradient = inputs.length == 3;
    DType real = types.getFirst().dtype();
    int across = across(logits.dim(1));
    Sizes sizes = new Sizes(logits.size());
    List<Argument> arguments = new ArrayList<>();
    for (long address : inputs) {
      arguments.add(new Argument.Address(address));
    }
    arguments.add(new Argument.Address(outputs[0]));
    arguments.add(sizes.index(logits.dim(0)));
    arguments.add(new Argument.Int32(logits.dim(1)));
    arguments.add(new Argument.Int32(across));
    arguments.add(new Argument.Float32((float) (1 - smoothing)));
    arguments.add(new Argument.Float32((float) (smoothing / logits.dim(1))));
    String generated =
        "typedef "
            + CudaSource.typeName(types.get(1).dtype())
            + " Target;\ntypedef "
            + CudaSource.typeName(gradient ? types.get(2).dtype() : real)
            + " Gradient;\n"
            + FloatBody.function("lamina_exp", new Expr.Unary(UnaryOp.EXP, new Expr.Input(0)))
            + FloatBody.function("lamina_log", new Expr.Unary(UnaryOp.LOG, new Expr.Input(0)));
    return List.of(
        new Launch(
            KernelText.files(generated, "cross_entropy.cu"),
            sizes.options(1, List.of(Real.option(real), "--fmad=false")),
            gradient ? "lamina_cross_entropy_gradient" : "lamina_cross_entropy",
            grid(logits.dim(0), across),
            Launch.BLOCK,
            0,
            arguments));
  }

  static List<Launch> argMax(TensorType in, long from, long to) {
    int length = in.shape().last();
    long rows = in.shape().size() / length;
    if (rows == 0) {
      return List.of();
    }
    int across = across(length);
    Sizes sizes = new Sizes(in.shape().size());
    String value =
        switch (in.dtype()) {
          case F32, BF16, F16 -> "float";
          case F64 -> "double";
          case I32, U8 -> "int";
        };
    return List.of(
        new Launch(
            KernelText.files(
                "typedef " + CudaSource.typeName(in.dtype()) + " Element;\ntypedef " + value + " Value;", "argmax.cu"),
            sizes.options(1, List.of()),
            "lamina_argmax",
            grid(rows, across),
            Launch.BLOCK,
            0,
            List.of(
                new Argument.Address(from),
                new Argument.Address(to),
                sizes.index(rows),
                new Argument.Int32(length),
                new Argument.Int32(across))));
  }

  private static int across(int length) {
    return ReduceLaunches.powerOfTwo((length + SHARE - 1) / SHARE);
  }

  private static int grid(long rows, int across) {
    return Launch.blocksFor(rows * across);
  }
}
