package dev.lamina.conformance;

import static dev.lamina.conformance.Fills.f32;
import static dev.lamina.conformance.Fills.in;

import dev.lamina.conformance.OpCase.Fill;
import dev.lamina.conformance.OpCase.In;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Operations that move or choose elements, on every device and for every element type: exact. */
class MovementConformanceTest {

  @TestFactory
  Stream<DynamicNode> permute() {
    List<OpCase> cases = new ArrayList<>();
    for (DType dtype : DType.values()) {
      cases.add(OpCase.of(new Op.Permute(List.of(1, 0)), of(dtype, 17, 33)));
      cases.add(OpCase.of(new Op.Permute(List.of(0, 3, 1, 2)), of(dtype, 2, 5, 7, 3)));
      cases.add(OpCase.of(new Op.Permute(List.of(0, 2, 3, 1)), of(dtype, 3, 4, 5, 6)));
      cases.add(OpCase.of(new Op.Permute(List.of(3, 2, 1, 0)), of(dtype, 2, 3, 4, 5)));
      cases.add(OpCase.of(new Op.Permute(List.of(0, 1, 2)), of(dtype, 4, 1, 9)));
      cases.add(OpCase.of(new Op.Permute(List.of(0)), of(dtype, 11)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> slice() {
    List<OpCase> cases = new ArrayList<>();
    for (DType dtype : DType.values()) {
      cases.add(OpCase.of(new Op.Slice(0, 2, 3), of(dtype, 5, 7)));
      cases.add(OpCase.of(new Op.Slice(1, 3, 7), of(dtype, 5, 7)));
      cases.add(OpCase.of(new Op.Slice(1, 0, 2), of(dtype, 3, 4, 5, 3)));
      cases.add(OpCase.of(new Op.Slice(3, 1, 2), of(dtype, 2, 3, 2, 3)));
      cases.add(OpCase.of(new Op.Slice(0, 0, 6), of(dtype, 6)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> concat() {
    List<OpCase> cases = new ArrayList<>();
    for (DType dtype : DType.values()) {
      cases.add(OpCase.of(new Op.Concat(0), of(dtype, 2, 3), of(dtype, 5, 3)));
      cases.add(OpCase.of(new Op.Concat(3), of(dtype, 2, 3, 4, 5), of(dtype, 2, 3, 4, 1), of(dtype, 2, 3, 4, 17)));
      cases.add(OpCase.of(new Op.Concat(1), of(dtype, 3, 2, 5), of(dtype, 3, 1, 5)));
      cases.add(OpCase.of(new Op.Concat(0), of(dtype, 9)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> pad() {
    List<OpCase> cases = new ArrayList<>();
    for (DType dtype : DType.values()) {
      cases.add(OpCase.of(new Op.Pad(0, 2, 1), of(dtype, 3, 5)));
      cases.add(OpCase.of(new Op.Pad(1, 0, 4), of(dtype, 3, 5)));
      cases.add(OpCase.of(new Op.Pad(2, 3, 0), of(dtype, 2, 3, 4, 5)));
      cases.add(OpCase.of(new Op.Pad(0, 0, 0), of(dtype, 7)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> pack() {
    List<OpCase> cases = new ArrayList<>();
    for (DType dtype : DType.values()) {
      cases.add(OpCase.of(new Op.Pack(List.of(0L), 15), of(dtype, 3, 5)));
      cases.add(OpCase.of(new Op.Pack(List.of(0L, 16L, 48L), 64), of(dtype, 3, 5), of(dtype, 7), of(dtype, 2, 2, 4)));
      cases.add(OpCase.of(new Op.Pack(List.of(3L, 4L), 9), of(dtype), of(dtype, 2)));
    }
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> argMax() {
    List<OpCase> cases = new ArrayList<>();
    for (Fill fill :
        List.of(
            Fills.NORMAL,
            Fills.TIES,
            Fills.BROKEN,
            Fills.constant(Double.NEGATIVE_INFINITY),
            Fills.constant(Double.NaN))) {
      for (int[] shape :
          List.of(new int[] {1}, new int[] {13}, new int[] {9, 10}, new int[] {3, 2, 65}, new int[] {40, 1})) {
        cases.add(OpCase.of(new Op.ArgMax(), in(DType.F32, fill, shape)));
      }
    }
    cases.add(OpCase.of(new Op.ArgMax(), f32(2, 5000)));
    return Conformance.tests(cases);
  }

  @TestFactory
  Stream<DynamicNode> histogram() {
    List<OpCase> cases = new ArrayList<>();
    double[][] ranges = {{-1, 1}, {-0.7, 1.9}, {0, 0}, {1, -1}, {0, Float.MIN_VALUE}, {-3e38, 3e38}, {Double.NaN, 1}};
    for (Fill fill : List.of(Fills.NORMAL, Fills.TIES, Fills.BROKEN, Fills.constant(0), Fills.constant(Double.NaN))) {
      for (double[] range : ranges) {
        In low = in(DType.F32, Fills.constant(range[0]));
        In high = in(DType.F32, Fills.constant(range[1]));
        cases.add(OpCase.of(new Op.Histogram(7), in(DType.F32, fill, 3, 70, 5), low, high));
        cases.add(OpCase.of(new Op.Histogram(300), in(DType.F32, fill, 100_000), low, high));
      }
    }
    In wide = in(DType.F64, Fills.constant(2.5));
    cases.add(
        OpCase.of(
            new Op.Histogram(30), in(DType.F64, Fills.NORMAL, 3, 70, 5), in(DType.F64, Fills.constant(-0.5)), wide));
    In one = in(DType.F32, Fills.constant(1));
    cases.add(OpCase.of(new Op.Histogram(30), f32(2_200_003), in(DType.F32, Fills.constant(-3)), one));
    cases.add(OpCase.of(new Op.Histogram(1), one, one, one));
    cases.add(OpCase.of(new Op.Histogram(Op.Histogram.MOST_BINS), f32(9), in(DType.F32, Fills.constant(-2)), one));
    return Conformance.tests(cases);
  }

  private static In of(DType dtype, int... dims) {
    return in(dtype, dtype.isFloating() ? Fills.NORMAL : Fills.INTEGERS, dims);
  }
}
