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

/** Softmax cross-entropy and its gradient on every device. */
class CrossEntropyConformanceTest {

  private static List<OpCase> cases(Fill logits) {
    List<OpCase> cases = new ArrayList<>();
    for (int[] shape :
        List.of(
            new int[] {1, 1},
            new int[] {5, 2},
            new int[] {33, 10},
            new int[] {7, 17},
            new int[] {3, 1000},
            new int[] {130, 64})) {
      In z = in(DType.F32, logits, shape);
      for (In target :
          List.of(in(DType.I32, Fills.labels(shape[1]), shape[0]), in(DType.F32, Fills.DISTRIBUTIONS, shape))) {
        for (double smoothing : new double[] {0, 0.1}) {
          cases.add(OpCase.of(new Op.SoftmaxCrossEntropy(smoothing), z, target));
          cases.add(OpCase.of(new Op.SoftmaxCrossEntropyGradient(smoothing), z, target, f32(shape[0])));
          cases.add(OpCase.of(new Op.SoftmaxCrossEntropyWithGradient(smoothing), z, target, f32(shape[0])));
        }
      }
    }
    return cases;
  }

  @TestFactory
  Stream<DynamicNode> ordinaryLogits() {
    return Conformance.tests(cases(Fills.NORMAL));
  }

  @TestFactory
  Stream<DynamicNode> saturatedLogits() {
    return Conformance.tests(cases(Fills.LARGE));
  }

  @TestFactory
  Stream<DynamicNode> equalLogits() {
    return Conformance.tests(cases(Fills.TIES));
  }

  /** A NaN or an infinite logit is not hidden, and spoils its own row only. */
  @TestFactory
  Stream<DynamicNode> brokenLogits() {
    return Conformance.tests(cases(Fills.BROKEN));
  }

  /** Weights of padded rows are made into targets too: a row need not sum to 1. */
  @TestFactory
  Stream<DynamicNode> targetsOfAnyMass() {
    In z = f32(9, 13);
    In target = in(DType.F32, Fills.POSITIVE, 9, 13);
    return Conformance.tests(
        List.of(
            OpCase.of(new Op.SoftmaxCrossEntropy(0), z, target),
            OpCase.of(new Op.SoftmaxCrossEntropyGradient(0), z, target, f32(9)),
            OpCase.of(new Op.SoftmaxCrossEntropyWithGradient(0), z, target, f32(9))));
  }

  /** What no class is cannot be learned: NaN, which the finite guard of a step finds, and no read beside the logits. */
  @TestFactory
  Stream<DynamicNode> labelsOutOfRange() {
    In z = f32(12, 4);
    In labels =
        in(
            DType.I32,
            (tensor, random) -> {
              for (int i = 0; i < tensor.size(); i++) {
                tensor.set(i, random.nextInt(8) - 2);
              }
            },
            12);
    return Conformance.tests(
        List.of(
            OpCase.of(new Op.SoftmaxCrossEntropy(0), z, labels),
            OpCase.of(new Op.SoftmaxCrossEntropyGradient(0), z, labels, f32(12)),
            OpCase.of(new Op.SoftmaxCrossEntropyWithGradient(0), z, labels, f32(12))));
  }
}
