package dev.lamina.device.cuda;

import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_ENGINEHEUR_MODE;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_VARIANT_PACK_WORKSPACE;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import java.nio.file.Path;
import java.util.List;
import jcuda.jcudnn.cudnnBackendAttributeType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * NVIDIA's own cuDNN takes every attribute that describes a convolution: tensors, convolution and operation need no
 * GPU. Heuristics and plans do, and are not tried here.
 */
@Tag("redist")
class ConvolutionGraphRedistTest {
  private static final ConvSpec PLAIN = ConvSpec.PLAIN;
  private static final ConvSpec UNEVEN = new ConvSpec(new Size(2, 3), new Padding(0, 1, 2, 3), new Size(1, 2), 2);

  @ParameterizedTest
  @CsvSource({"12.6-9.5, libcudnn.so.9", "12.3-8.9, libcudnn.so.8"})
  void everyAttributeOfAConvolutionIsTaken(String name, String library) {
    CudnnBackend backend = backend(name, library);
    for (var direction : ConvolutionShape.Direction.values()) {
      for (DType dtype : new DType[] {DType.F32, DType.BF16, DType.F16}) {
        for (ConvSpec spec : new ConvSpec[] {PLAIN, UNEVEN}) {
          ConvolutionShape shape = shape(direction, spec, dtype);
          assertDoesNotThrow(() -> new ConvolutionGraph(backend, shape).close(), shape::toString);
        }
      }
    }
  }

  /** What else is told without a GPU: how an engine is set, where operands lie, which heuristics are asked. */
  @ParameterizedTest
  @CsvSource({"12.6-9.5, libcudnn.so.9", "12.3-8.9, libcudnn.so.8"})
  void attributesAroundItAreTaken(String name, String library) {
    CudnnBackend backend = backend(name, library);
    try (var knob = new BackendDescriptor(backend, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
        var pack = new BackendDescriptor(backend, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
        var heuristics = new BackendDescriptor(backend, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
        var plan = new BackendDescriptor(backend, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)) {
      knob.number(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, cudnnBackendAttributeType.CUDNN_TYPE_KNOB_TYPE, 2)
          .longs(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, 5)
          .finish();
      assertEquals(5, knob.number(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
      assertEquals(
          List.of(2),
          knob.numbers(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, cudnnBackendAttributeType.CUDNN_TYPE_KNOB_TYPE, 1));
      pack.longs(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ConvolutionGraph.IDENTITIES)
          .pointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, 0x1000, 0x2000, 0x3000)
          .pointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, 0)
          .finish();
      heuristics.number(
          CUDNN_ATTR_ENGINEHEUR_MODE, cudnnBackendAttributeType.CUDNN_TYPE_HEUR_MODE, GraphConvolutions.BY_MODEL);
      heuristics.number(
          CUDNN_ATTR_ENGINEHEUR_MODE, cudnnBackendAttributeType.CUDNN_TYPE_HEUR_MODE, GraphConvolutions.FALLBACK);
      assertThrows(
          CudaException.class,
          () ->
              heuristics
                  .number(CUDNN_ATTR_ENGINEHEUR_MODE, cudnnBackendAttributeType.CUDNN_TYPE_HEUR_MODE, 77)
                  .finish());
      assertThrows(CudaException.class, plan::finish);
    }
  }

  /** The library does check what it is told: an output that no such convolution has is refused. */
  @ParameterizedTest
  @CsvSource({"12.6-9.5, libcudnn.so.9", "12.3-8.9, libcudnn.so.8"})
  void wrongExtentsAreRefusedInItsWords(String name, String library) {
    CudnnBackend backend = backend(name, library);
    ConvolutionShape right = shape(ConvolutionShape.Direction.FORWARD, PLAIN, DType.F32);
    ConvolutionShape wrong =
        new ConvolutionShape(
            right.direction(), PLAIN, right.image(), right.filter(), right.output().with(1, 77), DType.F32);
    CudaException refusal = assertThrows(CudaException.class, () -> new ConvolutionGraph(backend, wrong));
    assertTrue(refusal.getMessage().contains("BAD_CALL"), refusal::getMessage);
    assertTrue(refusal.getMessage().contains("CUDNN_STATUS_BAD_PARAM"), refusal::getMessage);
  }

  private static ConvolutionShape shape(ConvolutionShape.Direction direction, ConvSpec spec, DType dtype) {
    Shape image = Shape.of(2, 14, 15, 16);
    Shape filter = Shape.of(32, 3, 3, 16 / spec.groups());
    Shape output = Shape.of(2, spec.outputHeight(14, 3), spec.outputWidth(15, 3), 32);
    return new ConvolutionShape(direction, spec, image, filter, output, dtype);
  }

  private static CudnnBackend backend(String name, String library) {
    return new CudnnBackend(
        Path.of(System.getProperty("lamina.cuda.redist"), name, "org/bytedeco/cuda/linux-x86_64", library),
        (message, _) -> new CudaException(message, false));
  }
}
