package dev.lamina.device.cpu;

import static dev.lamina.graph.Exprs.input;
import static dev.lamina.graph.Exprs.mul;
import static dev.lamina.graph.Exprs.sub;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReductionTest {
  private static final Expr X = input(0);

  static IntStream widths() {
    return IntStream.of(0, VectorSupport.FOUND.bits()).distinct();
  }

  /** A reduction of {@code value} over inputs filled with random numbers. */
  private static final class Case {
    final MapFixture values;
    final Reduction reduction;
    final HostTensor output;
    final Reduction.Bound bound;
    final ReduceKind kind;
    final List<Integer> axes;

    Case(
        Arena arena,
        int bits,
        ReduceKind kind,
        Expr value,
        List<TensorType> inputs,
        DType dtype,
        Shape shape,
        List<Integer> axes) {
      this.kind = kind;
      this.axes = axes;
      values =
          new MapFixture(arena, List.of(value), inputs, List.of(DType.F32), shape, axes.hashCode() + shape.hashCode());
      reduction = new ExprCompiler(bits).reduce(new Op.Reduce(kind, value, dtype, shape, axes), List.of(), inputs);
      int[] kept = IntStream.range(0, shape.rank()).filter(axis -> !axes.contains(axis)).map(shape::dim).toArray();
      output = HostTensor.allocate(arena, TensorType.of(dtype, kept));
      long workspace = arena.allocate(Math.max(64, reduction.workspaceBytes()), 64).address();
      bound = reduction.bind(MapFixture.addresses(values.inputs), new long[] {output.segment().address()}, workspace);
    }

    void run(int threads) {
      try (Workers workers = new Workers(threads)) {
        bound.run(workers);
      }
    }

    /** Joins the values, to the bit those of the map, in double; and the sums of their magnitudes. */
    double[][] expected() {
      float[] all = values.expected();
      double[] joined = new double[(int) output.size()];
      double[] magnitudes = new double[joined.length];
      Arrays.fill(
          joined,
          kind == ReduceKind.SUM ? 0 : kind == ReduceKind.MAX ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY);
      for (int element = 0; element < all.length; element++) {
        int[] coordinates = values.coordinates(element);
        int index = 0;
        for (int axis = 0; axis < coordinates.length; axis++) {
          index = axes.contains(axis) ? index : index * values.shape.dim(axis) + coordinates[axis];
        }
        joined[index] =
            switch (kind) {
              case SUM -> joined[index] + all[element];
              case MAX -> Math.max(joined[index], all[element]);
              case MIN -> Math.min(joined[index], all[element]);
            };
        magnitudes[index] += Math.abs(all[element]);
      }
      return new double[][] {joined, magnitudes};
    }

    /** Double accumulation leaves one rounding to float, and the doubles' own 2⁻⁵² a value. */
    void check() {
      double[][] expected = expected();
      long length = values.shape.size() / Math.max(1, output.size());
      for (int i = 0; i < expected[0].length; i++) {
        double allowed = Math.ulp((float) expected[0][i]) / 2 + expected[1][i] * length * 0x1p-52;
        double error = Math.abs(expected[0][i] - output.get(i));
        assertTrue(
            error <= allowed,
            kind
                + " of "
                + values.shape
                + " along "
                + axes
                + ", result "
                + i
                + ": expected "
                + expected[0][i]
                + ", got "
                + output.get(i)
                + ", allowed is "
                + allowed);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("widths")
  void anySetOfAxesOfAnyShape(int bits) {
    Random random = new Random(3);
    int[] extents = {1, 2, 3, 5, 10, 33, 64, 130, 1100, 40_000};
    for (int trial = 0; trial < 150; trial++) {
      int[] dims = new int[random.nextInt(5)];
      long size = 1;
      for (int i = 0; i < dims.length; i++) {
        dims[i] = extents[random.nextInt(extents.length)];
        dims[i] = size * dims[i] > 150_000 ? 2 : dims[i];
        size *= dims[i];
      }
      Shape shape = Shape.of(dims);
      List<Integer> axes = new ArrayList<>();
      for (int axis = 0; axis < dims.length; axis++) {
        if (random.nextBoolean()) {
          axes.add(axis);
        }
      }
      ReduceKind kind = List.of(ReduceKind.values()).get(trial % 3);
      Expr value = random.nextBoolean() ? X : mul(sub(X, input(1)), X);
      try (Arena arena = Arena.ofConfined()) {
        TensorType second = TensorType.f32(random.nextBoolean() ? shape.last() : 1);
        Case reduction =
            new Case(
                arena,
                bits,
                kind,
                value,
                List.of(new TensorType(shape, DType.F32), dims.length == 0 ? TensorType.f32() : second),
                DType.F32,
                shape,
                axes);
        reduction.run(2);
        reduction.check();
      }
    }
  }

  /** In float, one after the other, the error of such a sum is some per cent. */
  @ParameterizedTest
  @MethodSource("widths")
  void theSumOfSixteenMillionIsRightToTheLastBit(int bits) {
    int size = 1 << 24;
    try (Arena arena = Arena.ofConfined()) {
      var fill = HostTensor.allocate(arena, TensorType.f32(size));
      fill.fill(0.1);
      Reduction reduction =
          new ExprCompiler(bits)
              .reduce(
                  new Op.Reduce(ReduceKind.SUM, X, DType.F32, fill.shape(), List.of(0)),
                  List.of(),
                  List.of(fill.type()));
      HostTensor result = HostTensor.allocate(arena, TensorType.f32());
      long workspace = arena.allocate(reduction.workspaceBytes(), 64).address();
      try (Workers workers = new Workers(2)) {
        reduction
            .bind(new long[] {fill.segment().address()}, new long[] {result.segment().address()}, workspace)
            .run(workers);
      }
      assertEquals((float) (0.1f * (double) size), (float) result.get(0));
    }
  }

  @ParameterizedTest
  @MethodSource("widths")
  void notANumberWinsAndInfinityStays(int bits) {
    for (ReduceKind kind : ReduceKind.values()) {
      for (List<Integer> axes : List.of(List.of(0), List.of(1), List.of(0, 1))) {
        for (float special : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
          try (Arena arena = Arena.ofConfined()) {
            Case reduction =
                new Case(
                    arena, bits, kind, mul(X, 1.5), List.of(TensorType.f32(70, 70)), DType.F32, Shape.of(70, 70), axes);
            reduction.values.inputs.getFirst().set(70 * 35 + 36, special);
            reduction.run(1);
            double[] expected = reduction.expected()[0];
            for (int i = 0; i < expected.length; i++) {
              if (!Double.isFinite(expected[i])) {
                assertEquals(expected[i], reduction.output.get(i), kind + " along " + axes);
              }
            }
          }
        }
      }
    }
  }

  /** Ones between numbers that swallow them in float, and a sum on the way that no float can hold. */
  @ParameterizedTest
  @MethodSource("widths")
  void whatCancelsOutLeavesTheRest(int bits) {
    for (float large : new float[] {0x1p30f, Float.MAX_VALUE}) {
      try (Arena arena = Arena.ofConfined()) {
        int size = 1000;
        Case reduction =
            new Case(
                arena, bits, ReduceKind.SUM, X, List.of(TensorType.f32(size)), DType.F32, Shape.of(size), List.of(0));
        HostTensor input = reduction.values.inputs.getFirst();
        input.fill(1);
        for (int i = 0; i < 100; i++) {
          input.set(i, large);
          input.set(size - 1 - i, -large);
        }
        reduction.run(1);
        assertEquals(large == Float.MAX_VALUE ? 0 : size - 200, reduction.output.get(0));
      }
    }
  }

  /** Columns are added in float where there are vectors: infinite, and never a number that is wrong. */
  @ParameterizedTest
  @MethodSource("widths")
  void aColumnThatIsTooLargeOnItsWayIsInfinite(int bits) {
    for (int columns : new int[] {70, 1100}) {
      try (Arena arena = Arena.ofConfined()) {
        Case reduction =
            new Case(
                arena,
                bits,
                ReduceKind.SUM,
                mul(X, -1),
                List.of(TensorType.f32(4, columns)),
                DType.F32,
                Shape.of(4, columns),
                List.of(0));
        HostTensor input = reduction.values.inputs.getFirst();
        for (int i = 0; i < input.size(); i++) {
          input.set(i, i < 2 * columns ? Float.MAX_VALUE : -Float.MAX_VALUE);
        }
        reduction.run(1);
        for (int i = 0; i < columns; i++) {
          assertEquals(bits == 0 ? 0 : Double.NEGATIVE_INFINITY, reduction.output.get(i), columns + " columns, " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("widths")
  void whatCancelsOutInColumnsLeavesTheRest(int bits) {
    for (int columns : new int[] {1, 3, 70, 1100}) {
      try (Arena arena = Arena.ofConfined()) {
        int rows = 1000;
        Case reduction =
            new Case(
                arena,
                bits,
                ReduceKind.SUM,
                mul(X, -1),
                List.of(TensorType.f32(rows, columns)),
                DType.F32,
                Shape.of(rows, columns),
                List.of(0));
        HostTensor input = reduction.values.inputs.getFirst();
        input.fill(1);
        for (int i = 0; i < 100 * columns; i++) {
          input.set(i, 0x1p30f);
          input.set(input.size() - 1 - i, -0x1p30f);
        }
        reduction.run(1);
        for (int i = 0; i < columns; i++) {
          assertEquals(200 - rows, reduction.output.get(i), columns + " columns, " + i);
        }
      }
    }
  }

  @Test
  void theNumberOfThreadsDoesNotChangeTheBits() {
    for (List<Integer> axes :
        List.of(List.of(0, 1, 2), List.of(0, 1), List.of(0), List.of(2), List.of(1, 2), List.of(0, 2))) {
      try (Arena arena = Arena.ofConfined()) {
        Case reduction =
            new Case(
                arena,
                VectorSupport.FOUND.bits(),
                ReduceKind.SUM,
                mul(X, X),
                List.of(TensorType.f32(130, 70, 20)),
                DType.F32,
                Shape.of(130, 70, 20),
                axes);
        reduction.run(1);
        float[] one = reduction.output.toFloats();
        for (int threads = 2; threads <= 3; threads++) {
          reduction.output.fill(Double.NaN);
          reduction.run(threads);
          assertArrayEquals(one, reduction.output.toFloats());
        }
      }
    }
  }

  @Test
  void compilationChangesNoBitsAndLeavesNoGarbage() {
    try (Arena arena = Arena.ofConfined();
        Workers workers = new Workers(1)) {
      for (List<Integer> axes : List.of(List.of(0, 1), List.of(0), List.of(1))) {
        for (ReduceKind kind : ReduceKind.values()) {
          Case reduction =
              new Case(
                  arena,
                  VectorSupport.FOUND.bits(),
                  kind,
                  mul(X, input(1)),
                  List.of(TensorType.f32(700, 70), TensorType.f32(70)),
                  DType.F32,
                  Shape.of(700, 70),
                  axes);
          reduction.bound.run(workers);
          final float[] before = reduction.output.toFloats();
          long allocated = Long.MAX_VALUE;
          for (int round = 0; round < 20_000 && allocated > 0; round++) {
            allocated =
                ExprCompilerTest.allocatedBy(() -> {
                  for (int i = 0; i < 10; i++) {
                    reduction.bound.run(workers);
                  }
                });
          }
          assertArrayEquals(before, reduction.output.toFloats());
          assertEquals(0, allocated, "bytes that 10 runs of " + kind + " along " + axes + " allocate");
        }
      }
    }
  }

  @Test
  void sumsOfMetricsAreInDouble() {
    try (Arena arena = Arena.ofConfined()) {
      Case reduction =
          new Case(
              arena,
              0,
              ReduceKind.SUM,
              mul(X, X),
              List.of(TensorType.f32(3, 2000)),
              DType.F64,
              Shape.of(3, 2000),
              List.of(1));
      reduction.run(2);
      for (int row = 0; row < 3; row++) {
        double sum = 0;
        for (int i = 0; i < 2000; i++) {
          double x = reduction.values.inputs.getFirst().get(row * 2000L + i);
          sum += x * x;
        }
        assertEquals(sum, reduction.output.get(row), sum * 2000 * 0x1p-53);
      }
    }
  }
}
