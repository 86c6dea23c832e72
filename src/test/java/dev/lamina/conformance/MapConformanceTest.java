package dev.lamina.conformance;

import static dev.lamina.conformance.Fills.f32;
import static dev.lamina.conformance.Fills.in;

import dev.lamina.conformance.OpCase.In;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.RandomStream;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Expressions on every device. */
class MapConformanceTest {
  private static final Expr A = Exprs.input(0);
  private static final Expr B = Exprs.input(1);
  private static final Expr C = Exprs.input(2);

  /** One element, less than a vector, around one, many with a rest. */
  private static final int[] LENGTHS = {1, 3, 16, 17, 1003};

  /** Nodes of all expressions of a random map: a device may refuse what is far larger than any of training. */
  private static final int LARGEST_MAP = 16;

  @TestFactory
  Stream<DynamicNode> functionsOfOneValue() {
    List<OpCase> cases = new ArrayList<>();
    for (UnaryOp op : UnaryOp.values()) {
      boolean needsPositive = op == UnaryOp.LOG || op == UnaryOp.SQRT || op == UnaryOp.LOG1P;
      for (int length : LENGTHS) {
        cases.add(map(new Expr.Unary(op, A), in(DType.F32, needsPositive ? Fills.POSITIVE : Fills.WIDE, length)));
      }
      cases.add(map(new Expr.Unary(op, A), in(DType.F32, Fills.HARD_NUMBERS, 200)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> functionsOfTwoValues() {
    List<OpCase> cases = new ArrayList<>();
    for (BinaryOp op : BinaryOp.values()) {
      Expr expr = new Expr.Binary(op, A, B);
      for (int length : LENGTHS) {
        cases.add(map(expr, f32(length), f32(length)));
      }
      cases.add(map(expr, in(DType.F32, Fills.HARD_NUMBERS, 400), in(DType.F32, Fills.BROKEN, 400)));
      cases.add(map(expr, in(DType.F32, Fills.TIES, 100), in(DType.F32, Fills.TIES, 100)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> comparisons() {
    List<OpCase> cases = new ArrayList<>();
    for (Relation relation : Relation.values()) {
      Expr expr = new Expr.Select(relation, A, B, C, Exprs.neg(C));
      cases.add(map(expr, in(DType.F32, Fills.TIES, 117), in(DType.F32, Fills.TIES, 117), f32(117)));
      cases.add(map(expr, in(DType.F32, Fills.BROKEN, 117), in(DType.F32, Fills.BROKEN, 117), f32(117)));
      cases.add(map(expr, in(DType.F32, Fills.NORMAL, 5, 7), in(DType.F32, Fills.constant(0)), f32(7)));
    }
    return Conformance.tests(cases);
  }

  /** So many elements that a thread of a GPU takes several groups of them at a time, and some are left over. */
  @TestFactory
  Stream<DynamicNode> manyElements() {
    Shape shape = Shape.of(360_501, 12);
    Expr expr = Exprs.select(Relation.GT, A, Exprs.constant(0), Exprs.mul(A, B), B);
    return Conformance.tests(List.of(map(expr, in(Fills.NORMAL, shape), f32(12))));
  }

  @TestFactory
  Stream<DynamicNode> repeatedInputs() {
    List<OpCase> cases = new ArrayList<>();
    Expr two = Exprs.add(Exprs.mul(A, 3), B);
    int[][][] pairs = {
      {{5, 7}, {7}},
      {{5, 7}, {}},
      {{5, 7}, {5, 1}},
      {{5, 1}, {1, 7}},
      {{2, 3, 4, 33}, {33}},
      {{2, 3, 4, 5}, {2, 1, 1, 5}},
      {{2, 3, 4, 5}, {3, 1, 1}},
      {{64, 10}, {64, 1}},
      {{1, 1, 17}, {4, 3, 1}},
      {{3, 1, 5, 1}, {1, 4, 1, 6}},
      {{2, 2, 2, 2, 9}, {2, 1, 2, 1, 9}},
      {{1}, {31}}
    };
    for (int[][] pair : pairs) {
      cases.add(map(two, f32(pair[0]), f32(pair[1])));
      cases.add(map(two, f32(pair[1]), f32(pair[0])));
    }
    Random random = new Random(3);
    for (int i = 0; i < 15; i++) {
      int[] full = new int[1 + random.nextInt(5)];
      for (int axis = 0; axis < full.length; axis++) {
        full[axis] = 1 + random.nextInt(7);
      }
      cases.add(
          new OpCase(
              new Op.Map(Exprs.add(two, Exprs.mul(C, B)), DType.F32, Shape.of(full)),
              List.of(f32(part(full, random)), f32(part(full, random)), f32(part(full, random))),
              i));
    }
    return Conformance.tests(cases);
  }

  /** Some of the last dimensions of a shape, some of these made 1. */
  private static int[] part(int[] full, Random random) {
    int rank = random.nextInt(full.length + 1);
    int[] dims = new int[rank];
    for (int axis = 0; axis < rank; axis++) {
      dims[axis] = random.nextBoolean() ? 1 : full[full.length - rank + axis];
    }
    return dims;
  }

  @TestFactory
  Stream<DynamicNode> constantsAndCoordinates() {
    Shape shape = Shape.of(3, 5, 19);
    List<OpCase> cases = new ArrayList<>();
    cases.add(OpCase.of(new Op.Map(Exprs.constant(0.1), DType.F32, shape)));
    cases.add(OpCase.of(new Op.Map(Exprs.constant(7), DType.I32, shape)));
    cases.add(OpCase.of(new Op.Map(Exprs.constant(Double.NaN), DType.F32, Shape.scalar())));
    for (int axis = 0; axis < 3; axis++) {
      cases.add(OpCase.of(new Op.Map(new Expr.Index(axis), DType.F32, shape)));
      cases.add(OpCase.of(new Op.Map(Exprs.add(new Expr.Index(axis), A), DType.F32, shape), f32(19)));
      Expr oneHot = Exprs.select(Relation.EQ, new Expr.Index(axis), A, Exprs.constant(1), Exprs.constant(0));
      cases.add(OpCase.of(new Op.Map(oneHot, DType.F32, shape), in(DType.I32, Fills.labels(3), 3, 1, 1)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> elementTypes() {
    List<OpCase> cases = new ArrayList<>();
    for (DType from : DType.values()) {
      for (DType to : DType.values()) {
        Expr expr = to == DType.U8 ? Exprs.min(Exprs.abs(A), Exprs.constant(255)) : A;
        cases.add(
            OpCase.of(
                new Op.Map(expr, to, Shape.of(77)), in(from, from.isFloating() ? Fills.WIDE : Fills.INTEGERS, 77)));
      }
    }
    Expr normalised = Exprs.mul(Exprs.sub(A, 33.3), 1 / 78.5);
    cases.add(
        OpCase.of(
            new Op.Map(normalised, DType.F32, Shape.of(4, 28, 28, 1)), in(DType.U8, Fills.INTEGERS, 4, 28, 28, 1)));
    cases.add(
        OpCase.of(
            new Op.Map(Exprs.add(A, 1), DType.I32, Shape.scalar()),
            in(DType.I32, Fills.constant(Integer.MAX_VALUE - 1))));
    cases.add(
        OpCase.of(
            new Op.Map(Exprs.mul(A, B), DType.F32, Shape.of(5, 33)), f32(5, 33), in(DType.U8, Fills.INTEGERS, 5, 33)));
    cases.add(
        OpCase.of(new Op.Map(Exprs.add(A, B), DType.F64, Shape.of(21)), in(DType.F64, Fills.NORMAL, 21), f32(21)));
    cases.add(OpCase.of(new Op.Map(Exprs.exp(A), DType.F64, Shape.of(21)), in(DType.F64, Fills.NORMAL, 21)));
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> severalOutputs() {
    Expr shared = Exprs.tanh(Exprs.add(Exprs.mul(A, B), C));
    List<OpCase> cases = new ArrayList<>();
    for (Shape shape : List.of(Shape.of(1), Shape.of(7, 33), Shape.of(1000))) {
      cases.add(
          OpCase.of(
              new Op.Map(
                  List.of(shared, Exprs.sub(1, Exprs.mul(shared, shared)), Exprs.add(A, B)),
                  List.of(DType.F32, DType.F32, DType.F32),
                  shape),
              in(Fills.NORMAL, shape),
              in(Fills.NORMAL, shape),
              in(Fills.NORMAL, Shape.of(shape.last()))));
      Expr positive = Exprs.ifPositive(A, Exprs.constant(1), Exprs.constant(0));
      cases.add(
          OpCase.of(
              new Op.Map(List.of(Exprs.mul(A, positive), positive), List.of(DType.F32, DType.U8), shape),
              in(Fills.NORMAL, shape)));
    }
    return Conformance.tests(cases);
  }

  /** Momentum, Nesterov and Adam as one pass over several tensors, with the rate and the finite guard as scalars. */
  @TestFactory
  Stream<DynamicNode> optimizerUpdates() {
    Expr ok = Exprs.input(4);
    Expr velocity = Exprs.add(Exprs.mul(Exprs.input(2), 0.9), Exprs.input(1));
    Expr weight = Exprs.sub(Exprs.input(0), Exprs.mul(Exprs.input(3), velocity));
    Expr first = Exprs.add(Exprs.mul(Exprs.input(2), 0.9), Exprs.mul(Exprs.input(1), 0.1));
    Expr second =
        Exprs.add(Exprs.mul(Exprs.input(5), 0.999), Exprs.mul(Exprs.mul(Exprs.input(1), Exprs.input(1)), 0.001));
    Expr adam =
        Exprs.sub(Exprs.input(0), Exprs.div(Exprs.mul(Exprs.input(3), first), Exprs.add(Exprs.sqrt(second), 1e-8)));
    int n = 1039;
    In scalar = in(DType.F32, Fills.constant(0.05));
    return Conformance.tests(
        List.of(
            OpCase.of(
                new Op.Map(
                    List.of(guarded(ok, weight, 0), guarded(ok, velocity, 2)),
                    List.of(DType.F32, DType.F32),
                    Shape.of(n)),
                f32(n),
                f32(n),
                f32(n),
                scalar,
                in(DType.F32, Fills.constant(1))),
            OpCase.of(
                new Op.Map(
                    List.of(guarded(ok, weight, 0), guarded(ok, velocity, 2)),
                    List.of(DType.F32, DType.F32),
                    Shape.of(n)),
                f32(n),
                in(DType.F32, Fills.BROKEN, n),
                f32(n),
                scalar,
                in(DType.F32, Fills.constant(0))),
            OpCase.of(
                new Op.Map(
                    List.of(guarded(ok, adam, 0), guarded(ok, first, 2), guarded(ok, second, 5)),
                    List.of(DType.F32, DType.F32, DType.F32),
                    Shape.of(n)),
                f32(n),
                f32(n),
                f32(n),
                scalar,
                in(DType.F32, Fills.constant(1)),
                in(DType.F32, Fills.POSITIVE, n))));
  }

  private static Expr guarded(Expr ok, Expr value, int old) {
    return Exprs.select(Relation.GT, ok, Exprs.constant(0), value, Exprs.input(old));
  }

  @TestFactory
  Stream<DynamicNode> randomNumbersToTheBit() {
    List<OpCase> cases = new ArrayList<>();
    for (int[] shape :
        List.of(new int[] {1}, new int[] {6}, new int[] {3, 17}, new int[] {2, 5, 5, 9}, new int[] {4099})) {
      for (long seed : new long[] {0, -1, 0x123456789abcdefL}) {
        var stream = new RandomStream(seed, 31 * seed + 0xfedcba9876543210L, 0);
        In step = in(DType.I32, Fills.labels(100_000));
        cases.add(OpCase.of(new Op.Map(new Expr.Uniform(stream), DType.F32, Shape.of(shape)), step));
        cases.add(OpCase.of(new Op.Map(new Expr.Bernoulli(stream, 0x40000000L), DType.U8, Shape.of(shape)), step));
        Expr dropout = Exprs.mul(B, Exprs.mul(new Expr.Bernoulli(stream, 3L << 30), 4 / 3.0));
        cases.add(OpCase.of(new Op.Map(dropout, DType.F32, Shape.of(shape)), step, f32(shape)));
      }
      var stream = new RandomStream(5, 6, 0);
      cases.add(
          OpCase.of(
              new Op.Map(new Expr.Bernoulli(stream, 0), DType.U8, Shape.of(shape)), in(DType.I32, Fills.constant(-1))));
      cases.add(
          OpCase.of(
              new Op.Map(new Expr.Bernoulli(stream, 1L << 32), DType.U8, Shape.of(shape)),
              in(DType.I32, Fills.constant(2))));
    }
    return Conformance.tests(cases);
  }

  /** Trees that nobody thought of: what a compiler of expressions has to get right is their combination. */
  @TestFactory
  Stream<DynamicNode> randomExpressions() {
    List<OpCase> cases = new ArrayList<>();
    for (int seed = 0; seed < 120; seed++) {
      Random random = new Random(seed);
      Shape shape = Shape.of(1 + random.nextInt(4), 1 + random.nextInt(40));
      List<Expr> exprs = new ArrayList<>();
      List<DType> dtypes = new ArrayList<>();
      for (int i = 0; i <= random.nextInt(3); i++) {
        Expr expr = randomExpr(random, 5);
        if (exprs.stream().mapToInt(Expr::treeSize).sum() + expr.treeSize() <= LARGEST_MAP) {
          exprs.add(expr);
          dtypes.add(DType.F32);
        }
      }
      if (exprs.isEmpty()) {
        continue;
      }
      cases.add(
          new OpCase(
              new Op.Map(exprs, dtypes, shape),
              List.of(
                  in(Fills.NORMAL, shape),
                  in(Fills.NORMAL, Shape.of(shape.last())),
                  in(Fills.POSITIVE, Shape.scalar())),
              seed));
    }
    return Conformance.tests(cases);
  }

  private static Expr randomExpr(Random random, int depth) {
    int choice = depth == 0 ? random.nextInt(3) : random.nextInt(12);
    return switch (choice) {
      case 0, 1 -> Exprs.input(random.nextInt(3));
      case 2 -> Exprs.constant(random.nextInt(9) / 4.0 - 1);
      case 3, 4, 5, 6 ->
          Exprs.unary(UnaryOp.values()[random.nextInt(UnaryOp.values().length)], randomExpr(random, depth - 1));
      case 7, 8, 9, 10 ->
          Exprs.binary(
              BinaryOp.values()[random.nextInt(BinaryOp.values().length)],
              randomExpr(random, depth - 1),
              randomExpr(random, depth - 1));
      default ->
          Exprs.select(
              Relation.values()[random.nextInt(Relation.values().length)],
              randomExpr(random, depth - 1),
              randomExpr(random, depth - 1),
              randomExpr(random, depth - 1),
              randomExpr(random, depth - 1));
    };
  }

  private static OpCase map(Expr expr, In... inputs) {
    Shape shape = Shape.scalar();
    for (In input : inputs) {
      shape = Shape.broadcast(shape, input.type().shape());
    }
    return OpCase.of(new Op.Map(expr, DType.F32, shape), inputs);
  }
}
