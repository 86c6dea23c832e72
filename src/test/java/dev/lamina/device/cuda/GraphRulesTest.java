package dev.lamina.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.graph.ConvSpec;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which engines of cuDNN may compute what. */
class GraphRulesTest {
  /** Notes as numbers: 0 tensor cores, 1 inputs rounded, 2 sums in fewer bits, 4 other bits each time, 5 Winograd. */
  @ParameterizedTest
  @CsvSource({
    "F32, FP32, false, 5, true",
    "F32, FP32, false, 0, false",
    "F32, TF32, false, 0, true",
    "BF16, FP32, false, 0, true",
    "F16, TF32, false, 0, true",
    "F32, TF32, false, 1, false",
    "BF16, TF32, false, 1, false",
    "F16, TF32, false, 2, false",
    "F32, TF32, false, 4, true",
    "F32, TF32, true, 4, false",
    "BF16, FP32, true, 0, true"
  })
  void notesDecide(DType dtype, MathMode math, boolean deterministic, int note, boolean permitted) {
    var shape =
        new ConvolutionShape(
            ConvolutionShape.Direction.FILTER_GRADIENT,
            ConvSpec.PLAIN,
            Shape.of(1, 1, 1, 8),
            Shape.of(8, 1, 1, 8),
            Shape.of(1, 1, 1, 8),
            dtype);
    var request = new ConvolutionRequest(shape, math, 0, deterministic);
    assertEquals(permitted, GraphConvolutions.permits(request, List.of(note)));
    assertEquals(true, GraphConvolutions.permits(request, List.of()));
  }

  /** What cuDNN answers with an empty list, or with a status that means another architecture. */
  @ParameterizedTest
  @CsvSource({"BF16, 75, false", "BF16, 80, true", "F16, 75, true", "F32, 75, true", "F64, 90, false"})
  void convolutionsOfSixteenBitsNeedAGpuThatHasThem(DType dtype, int capability, boolean supported) {
    assertEquals(supported, CudnnConvolution.unsupported(dtype, capability).isEmpty());
  }
}
