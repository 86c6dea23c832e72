package dev.lamina.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.ExprEvaluator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The primitives of expressions against PyTorch's functions of the same names, in double. */
@Tag("parity")
class ExpressionParityTest {
  /** From saturation to saturation, with 0 and the neighbourhood in which naive formulas cancel. */
  private static final double[] POINTS =
      IntStream.rangeClosed(-400, 400)
          .mapToDouble(i -> Math.copySign(Math.pow(Math.abs(i) / 20.0, 3) / 80, i))
          .toArray();

  @Test
  void sigmoidIsPyTorchs() {
    compare(UnaryOp.SIGMOID, x -> ai.djl.nn.Activation.sigmoid(x));
  }

  @Test
  void softplusIsPyTorchs() {
    // PyTorch returns x itself above 20, where log(1 + exp(x)) − x is below 2.1e-9.
    compare(UnaryOp.SOFTPLUS, x -> ai.djl.nn.Activation.softPlus(x), 2.1e-9);
  }

  @Test
  void tanhIsPyTorchs() {
    compare(UnaryOp.TANH, NDArray::tanh);
  }

  @Test
  void erfIsPyTorchs() {
    compare(UnaryOp.ERF, NDArray::erf);
  }

  private static void compare(UnaryOp op, UnaryOperator<NDArray> theirs) {
    compare(op, theirs, 0);
  }

  private static void compare(UnaryOp op, UnaryOperator<NDArray> theirs, double allowance) {
    try (var manager = NDManager.newBaseManager("PyTorch")) {
      NDArray x = manager.create(POINTS);
      assertEquals(DataType.FLOAT64, x.getDataType());
      double[] expected = theirs.apply(x).toDoubleArray();
      for (int i = 0; i < POINTS.length; i++) {
        double point = POINTS[i];
        // Four units in the last place: two for their vector functions, one for ours, one for composing.
        assertEquals(
            expected[i],
            ExprEvaluator.apply(op, point),
            4 * Math.ulp(expected[i]) + allowance,
            () -> op + " of " + point);
      }
    }
  }
}
