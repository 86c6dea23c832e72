package dev.lamina.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Buffer;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Step;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CpuDeviceTest {
  private static final TensorType IMAGE = TensorType.f32(9, 12, 11, 24);
  private static final TensorType CHANNEL = TensorType.f32(24);

  /** An operation and the types of its inputs. */
  private record Case(Op op, List<TensorType> inputs) {
    @Override
    public String toString() {
      return op.label() + " " + inputs.getFirst();
    }
  }

  static Stream<Case> cases() {
    Stream<Case> convolutions =
        Stream.of(
                // Direct; Winograd's, of pixels and cells; a phase for each stride; few channels; a vector of channels.
                convolutions(Size.square(1), 1, TensorType.f32(9, 12, 10, 24), TensorType.f32(20, 3, 3, 24)),
                convolutions(Size.square(1), 1, TensorType.f32(9, 12, 10, 32), TensorType.f32(64, 3, 3, 32)),
                convolutions(Size.square(1), 1, TensorType.f32(9, 12, 10, 32), TensorType.f32(32, 5, 5, 32)),
                convolutions(Size.square(2), 1, TensorType.f32(9, 16, 15, 32), TensorType.f32(64, 3, 3, 32)),
                convolutions(Size.square(2), 1, TensorType.f32(9, 29, 27, 3), TensorType.f32(32, 7, 7, 3)),
                convolutions(Size.square(2), 1, TensorType.f32(9, 12, 10, 24), TensorType.f32(32, 3, 3, 24)),
                convolutions(Size.square(2), 1, TensorType.f32(9, 12, 10, 2), TensorType.f32(32, 3, 3, 2)),
                convolutions(Size.square(1), 48, TensorType.f32(9, 12, 10, 48), TensorType.f32(48, 3, 3, 1)))
            .flatMap(all -> all);
    return Stream.concat(convolutions, others());
  }

  /** Forward and both gradients, with the padding that keeps the size at stride 1. */
  private static Stream<Case> convolutions(Size stride, int groups, TensorType image, TensorType filter) {
    ConvSpec spec = new ConvSpec(stride, Padding.all(1), Size.square(1), groups);
    TensorType output = TypeInference.infer(new Op.Conv2d(spec), List.of(image, filter)).getFirst();
    return Stream.of(
        new Case(new Op.Conv2d(spec), List.of(image, filter)),
        new Case(new Op.Conv2dInputGradient(spec, image.shape()), List.of(output, filter)),
        new Case(new Op.Conv2dFilterGradient(spec, filter.shape()), List.of(image, output)));
  }

  private static Stream<Case> others() {
    PoolSpec two = PoolSpec.tiled(2);
    TensorType pooled = TensorType.f32(9, 6, 5, 24);
    TensorType winners = new TensorType(pooled.shape(), DType.U8);
    TensorType logits = TensorType.f32(300, 10);
    TensorType labels = TensorType.of(DType.I32, 300);
    TensorType loss = TensorType.f32(300);
    Expr relu = Exprs.max(Exprs.input(3), Exprs.constant(0));
    Expr biasedRelu = Exprs.max(Exprs.add(Exprs.input(3), Exprs.input(2)), Exprs.constant(0));
    Expr mask = Exprs.select(Relation.LE, Exprs.input(5), Exprs.constant(0), Exprs.constant(0), Exprs.input(4));
    return Stream.of(
        new Case(new Op.BatchNorm(1e-5), List.of(IMAGE, CHANNEL, CHANNEL)),
        new Case(new Op.Fused(new Op.BatchNorm(1e-5), -1, null, relu, 0), List.of(IMAGE, CHANNEL, CHANNEL)),
        new Case(new Op.BatchNormGradient(), List.of(IMAGE, CHANNEL, CHANNEL, CHANNEL, IMAGE)),
        new Case(
            new Op.Fused(new Op.BatchNormGradient(), 4, mask, null, 1),
            List.of(IMAGE, CHANNEL, CHANNEL, CHANNEL, IMAGE, IMAGE)),
        new Case(
            new Op.Fused(new Op.Conv2d(ConvSpec.PLAIN), -1, null, biasedRelu, 1),
            List.of(IMAGE, TensorType.f32(20, 3, 3, 24), TensorType.f32(20))),
        new Case(
            new Op.Fused(new Op.MatMul(false, false), -1, null, biasedRelu, 1),
            List.of(TensorType.f32(100, 30), TensorType.f32(30, 70), TensorType.f32(70))),
        new Case(new Op.Pool2d(Op.PoolKind.MAX, two), List.of(IMAGE)),
        new Case(
            new Op.Fused(
                new Op.Pool2d(Op.PoolKind.MAX, two), -1, null, Exprs.max(Exprs.input(1), Exprs.constant(0)), 0),
            List.of(IMAGE)),
        new Case(new Op.Pool2dGradient(Op.PoolKind.MAX, two, IMAGE.shape()), List.of(pooled, winners)),
        new Case(new Op.Pool2d(Op.PoolKind.AVERAGE, two), List.of(IMAGE)),
        new Case(new Op.Pool2dGradient(Op.PoolKind.AVERAGE, two, IMAGE.shape()), List.of(pooled)),
        new Case(new Op.SoftmaxCrossEntropy(0.1), List.of(logits, labels)),
        new Case(new Op.SoftmaxCrossEntropyGradient(0.1), List.of(logits, labels, loss)),
        new Case(new Op.SoftmaxCrossEntropyWithGradient(0.1), List.of(logits, labels, loss)),
        new Case(new Op.Permute(List.of(0, 3, 1, 2)), List.of(IMAGE)),
        new Case(new Op.Slice(3, 1, 20), List.of(IMAGE)),
        new Case(new Op.Concat(3), List.of(IMAGE, IMAGE)),
        new Case(new Op.Pad(1, 2, 1), List.of(IMAGE)),
        new Case(new Op.Pack(List.of(0L, 80L), 160), List.of(TensorType.f32(70), TensorType.f32(5, 4))),
        new Case(new Op.ArgMax(), List.of(logits)),
        new Case(new Op.Histogram(30), List.of(IMAGE, TensorType.f32(), TensorType.f32())),
        new Case(
            new Op.Reduce(Op.ReduceKind.SUM, Exprs.input(0), DType.F32, IMAGE.shape(), List.of(0, 1, 2)),
            List.of(IMAGE)),
        new Case(
            new Op.ReduceWithMap(
                new Op.Reduce(Op.ReduceKind.SUM, relu(0), DType.F32, IMAGE.shape(), List.of(0, 1, 2)),
                new Op.Map(mask, DType.F32, IMAGE.shape())),
            java.util.Collections.nCopies(6, IMAGE)),
        new Case(new Op.Map(relu(0), DType.F32, IMAGE.shape()), List.of(IMAGE)));
  }

  private static Expr relu(int input) {
    return Exprs.max(Exprs.input(input), Exprs.constant(0));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aStepAllocatesNothing(Case example) {
    try (CpuDevice device = new CpuDevice(new DeviceOptions(2))) {
      Allocations.assertNone(example.toString(), device.workers(), bind(device, example)::run);
    }
  }

  private static Step bind(CpuDevice device, Case example) {
    Kernel kernel = device.prepare(example.op, example.inputs);
    List<DeviceTensor> inputs = place(device, example.inputs);
    List<DeviceTensor> outputs = place(device, TypeInference.infer(example.op, example.inputs));
    int scratch = (int) kernel.workspaceBytes();
    DeviceTensor workspace = scratch == 0 ? null : place(device, List.of(TensorType.of(DType.U8, scratch))).getFirst();
    return kernel.bind(inputs, outputs, workspace);
  }

  private static List<DeviceTensor> place(CpuDevice device, List<TensorType> types) {
    List<DeviceTensor> tensors = new ArrayList<>();
    for (TensorType type : types) {
      tensors.add(new DeviceTensor(device.allocate(type.bytes()), 0, type));
    }
    return tensors;
  }

  @Test
  void equalOperationsShareAKernel() {
    try (CpuDevice device = new CpuDevice(new DeviceOptions(1))) {
      Kernel first = device.prepare(new Op.BatchNorm(1e-5), List.of(IMAGE, CHANNEL, CHANNEL));
      assertSame(first, device.prepare(new Op.BatchNorm(1e-5), List.of(IMAGE, CHANNEL, CHANNEL)));
    }
  }

  @Test
  void aPackLeavesAloneWhatLiesInItsPlace() {
    try (CpuDevice device = new CpuDevice(new DeviceOptions(1));
        Arena arena = Arena.ofConfined()) {
      TensorType part = TensorType.f32(16);
      TensorType whole = TensorType.f32(50);
      DeviceTensor packed = new DeviceTensor(device.allocate(whole.bytes()), 0, whole);
      HostTensor ones = HostTensor.allocate(arena, whole).fill(1);
      device.upload(ones, packed).await();
      DeviceTensor inside = new DeviceTensor(packed.buffer(), 64, part);
      DeviceTensor outside = new DeviceTensor(device.allocate(part.bytes()), 0, part);
      device.upload(HostTensor.allocate(arena, part).fill(2), outside).await();
      Kernel kernel = device.prepare(new Op.Pack(List.of(16L, 33L), 50), List.of(part, part));
      kernel.bind(List.of(inside, outside), List.of(packed), null).run();
      HostTensor result = HostTensor.allocate(arena, whole);
      device.download(packed, result);
      for (int i = 0; i < 50; i++) {
        assertEquals(i < 16 || i == 32 || i == 49 ? 0 : i < 32 ? 1 : 2, result.get(i), "element " + i);
      }
    }
  }

  @Test
  void closingGivesBackEverythingAndEndsTheWorkers() {
    CpuDevice device = new CpuDevice(new DeviceOptions(2));
    Buffer kept = device.allocate(100);
    assertTrue(kept.bytes() >= 100);
    device.close();
    device.close();
    kept.close();
    assertThrows(IllegalStateException.class, () -> device.allocate(1));
    assertThrows(IllegalStateException.class, () -> device.workers().run((int _) -> {}, 1));
  }

  @Test
  void askingForTooMuchMemorySaysHowMuchThereIs() {
    try (CpuDevice device = new CpuDevice(new DeviceOptions(1))) {
      var thrown = assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(1L << 50));
      assertTrue(thrown.getMessage().contains(Long.toString(1L << 50)), thrown.getMessage());
    }
  }

  @Test
  void typesItDoesNotComputeInAreNamed() {
    try (CpuDevice device = new CpuDevice(new DeviceOptions(1))) {
      TensorType half = TensorType.of(DType.BF16, 2, 4, 4, 3);
      Op pool = new Op.Pool2d(Op.PoolKind.MAX, PoolSpec.tiled(2));
      var thrown = assertThrows(UnsupportedOnDeviceException.class, () -> device.prepare(pool, List.of(half)));
      assertTrue(thrown.getMessage().contains("max pool") && thrown.getMessage().contains("BF16"), thrown.getMessage());
    }
  }
}
