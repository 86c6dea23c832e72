package dev.lamina.conformance;

import static dev.lamina.conformance.Fills.f32;
import static dev.lamina.conformance.Fills.in;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Matrix products on every device. */
class MatMulConformanceTest {

  /** Rows, inner, columns: around register tiles and cache blocks, long and thin, and random. */
  private static List<int[]> extents() {
    List<int[]> extents =
        new ArrayList<>(
            List.of(
                new int[] {1, 1, 1},
                new int[] {1, 7, 1},
                new int[] {1, 300, 10},
                new int[] {128, 1, 3},
                new int[] {8, 16, 48},
                new int[] {9, 17, 49},
                new int[] {7, 15, 47},
                new int[] {64, 64, 64},
                new int[] {33, 400, 65},
                new int[] {5, 1030, 3},
                new int[] {130, 37, 10},
                new int[] {2, 3, 515},
                new int[] {257, 2, 2}));
    Random random = new Random(11);
    for (int i = 0; i < 12; i++) {
      extents.add(new int[] {1 + random.nextInt(70), 1 + random.nextInt(90), 1 + random.nextInt(110)});
    }
    return extents;
  }

  private static int[] left(Op.MatMul op, int[] e) {
    return op.transposeA() ? new int[] {e[1], e[0]} : new int[] {e[0], e[1]};
  }

  private static int[] right(Op.MatMul op, int[] e) {
    return op.transposeB() ? new int[] {e[2], e[1]} : new int[] {e[1], e[2]};
  }

  private static List<Op.MatMul> transpositions() {
    return List.of(
        new Op.MatMul(false, false), new Op.MatMul(true, false), new Op.MatMul(false, true), new Op.MatMul(true, true));
  }

  @TestFactory
  Stream<DynamicNode> products() {
    List<OpCase> cases = new ArrayList<>();
    for (Op.MatMul op : transpositions()) {
      extents().forEach(e -> cases.add(OpCase.of(op, f32(left(op, e)), f32(right(op, e)))));
    }
    return Conformance.tests(cases);
  }

  /** A NaN or an infinity spoils its row or column and nothing else. */
  @TestFactory
  Stream<DynamicNode> brokenMatrices() {
    List<OpCase> cases = new ArrayList<>();
    for (Op.MatMul op : transpositions()) {
      int[] e = {19, 5, 35};
      cases.add(OpCase.of(op, in(DType.F32, Fills.BROKEN, left(op, e)), f32(right(op, e))));
      cases.add(OpCase.of(op, f32(left(op, e)), in(DType.F32, Fills.BROKEN, right(op, e))));
      cases.add(OpCase.of(op, in(DType.F32, Fills.LARGE, left(op, e)), in(DType.F32, Fills.LARGE, right(op, e))));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> withExpressionsRiding() {
    List<OpCase> cases = new ArrayList<>();
    for (Op.MatMul op : transpositions()) {
      for (int[] e : extents().subList(0, 12)) {
        Expr biased = Exprs.add(Exprs.input(3), Exprs.input(2));
        cases.add(OpCase.of(new Op.Fused(op, -1, null, biased, 1), f32(left(op, e)), f32(right(op, e)), f32(e[2])));
        cases.add(
            OpCase.of(
                new Op.Fused(op, -1, null, Exprs.sigmoid(biased), 1),
                f32(left(op, e)),
                f32(right(op, e)),
                f32(e[0], e[2])));
        Expr scaled = Exprs.mul(Exprs.input(0), Exprs.input(2));
        cases.add(OpCase.of(new Op.Fused(op, 0, scaled, null, 1), f32(left(op, e)), f32(right(op, e)), f32()));
      }
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> otherTypes() {
    List<OpCase> cases = new ArrayList<>();
    for (DType dtype : List.of(DType.F64, DType.BF16, DType.F16)) {
      for (Op.MatMul op : transpositions()) {
        int[] e = {9, 33, 20};
        cases.add(OpCase.of(op, in(dtype, Fills.NORMAL, left(op, e)), in(dtype, Fills.NORMAL, right(op, e))));
      }
    }
    return Conformance.tests(cases);
  }
}
