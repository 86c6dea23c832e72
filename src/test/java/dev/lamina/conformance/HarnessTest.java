package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.ForwardingDevice;
import dev.lamina.device.Kernel;
import dev.lamina.device.Step;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** A harness that lets everything pass is worse than none: it is shown devices with known faults. */
class HarnessTest {
  private static final OpCase PRODUCT = OpCase.of(new Op.MatMul(false, false), Fills.f32(5, 40), Fills.f32(40, 7));

  @Test
  void acceptsTheReferenceItself() {
    assertDoesNotThrow(() -> check(PRODUCT, (_, _) -> {}));
  }

  @Test
  void acceptsRoundingErrorsOfSinglePrecision() {
    // y = x + 1 computed in floats, then squared in floats: two roundings where the oracle has one
    Expr sum = Exprs.add(Exprs.input(0), 1);
    OpCase squares = OpCase.of(new Op.Map(Exprs.mul(sum, sum), DType.F32, Shape.of(500)), Fills.f32(500));
    assertDoesNotThrow(() ->
        check(
            squares,
            (in, out) ->
                setAll(
                    out,
                    i -> {
                      float rounded = (float) in.getFirst().get(i) + 1;
                      return (double) (rounded * rounded);
                    })));
  }

  @Test
  void findsAFunctionThatIsFourUlpOff() {
    OpCase exp = OpCase.of(new Op.Map(Exprs.exp(Exprs.input(0)), DType.F32, Shape.of(50)), Fills.f32(50));
    var failure =
        assertThrows(
            AssertionError.class,
            () ->
                check(
                    exp,
                    (_, out) -> {
                      float value = (float) out.get(17);
                      out.set(17, value + 4 * Math.ulp(value));
                    }));
    assertTrue(failure.getMessage().contains("1 of 50 elements"), failure.getMessage());
    assertTrue(failure.getMessage().contains("[17]: want "), failure.getMessage());
  }

  @Test
  void findsATermMissingFromASum() {
    assertThrows(
        AssertionError.class,
        () -> check(PRODUCT, (in, out) -> out.set(3, out.get(3) - in.get(0).get(39) * in.get(1).get(39 * 7 + 3))));
  }

  @Test
  void findsAVarianceThatIsUnbiased() {
    OpCase norm = OpCase.of(new Op.BatchNorm(1e-5), Fills.f32(400, 1), Fills.f32(1), Fills.f32(1));
    assertThrows(
        AssertionError.class,
        () ->
            check(
                norm,
                (_, out) -> {
                  if (out.size() == 1) {
                    out.set(0, out.get(0) * 400 / 399);
                  }
                }));
  }

  @Test
  void findsANaNThatWasHidden() {
    OpCase max =
        OpCase.of(
            new Op.Map(Exprs.max(Exprs.input(0), Exprs.constant(0)), DType.F32, Shape.of(100)),
            Fills.in(DType.F32, Fills.BROKEN, 100));
    assertThrows(
        AssertionError.class,
        () -> check(max, (_, out) -> setAll(out, i -> Double.isNaN(out.get(i)) ? 0 : out.get(i))));
  }

  @Test
  void findsAnotherWinnerAmongEquals() {
    OpCase argMax = OpCase.of(new Op.ArgMax(), Fills.in(DType.F32, Fills.constant(2), 3, 4));
    assertThrows(AssertionError.class, () -> check(argMax, (_, out) -> out.set(1, 3)));
  }

  @Test
  void findsWritesOutsideTheOutputs() {
    try (var oracle = new ReferenceDevice();
        var device = new Faulty(new ReferenceDevice(), (_, _) -> {}, true)) {
      var failure = assertThrows(AssertionError.class, () -> PRODUCT.check(device, oracle));
      assertTrue(failure.getMessage().contains("wrote outside its outputs"), failure.getMessage());
    }
  }

  @Test
  void findsKernelsThatAddToWhatTheLastRunLeft() {
    int[] runs = {0};
    var failure = assertThrows(AssertionError.class, () -> check(PRODUCT, (_, out) -> out.set(0, runs[0]++)));
    assertTrue(failure.getMessage().contains("in a second run"), failure.getMessage());
  }

  @Test
  void absentDevicesAreSkippedUnlessRequired() {
    assertThrows(TestAbortedException.class, () -> Conformance.absent("cuda", "no driver", null));
    assertThrows(TestAbortedException.class, () -> Conformance.absent("cuda", "no driver", "cpu"));
    var failure = assertThrows(AssertionError.class, () -> Conformance.absent("cuda", "no driver", "cpu, cuda"));
    assertEquals("cuda is required by LAMINA_REQUIRE, but: no driver", failure.getMessage());
  }

  private static void check(OpCase opCase, BiConsumer<List<HostTensor>, HostTensor> fault) {
    try (var oracle = new ReferenceDevice();
        var device = new Faulty(new ReferenceDevice(), fault, false)) {
      opCase.check(device, oracle);
    }
  }

  private static void setAll(HostTensor tensor, java.util.function.IntToDoubleFunction value) {
    for (int i = 0; i < tensor.size(); i++) {
      tensor.set(i, value.applyAsDouble(i));
    }
  }

  /** A device that spoils each output of its kernels in some way after it was computed. */
  private static final class Faulty extends ForwardingDevice {
    private final BiConsumer<List<HostTensor>, HostTensor> fault;
    private final boolean writesBeside;

    Faulty(Device sound, BiConsumer<List<HostTensor>, HostTensor> fault, boolean writesBeside) {
      super(sound);
      this.fault = fault;
      this.writesBeside = writesBeside;
    }

    @Override
    public Kernel prepare(Op op, List<TensorType> types) {
      Kernel kernel = device.prepare(op, types);
      return (inputs, outputs, workspace) -> {
        Step step = kernel.bind(inputs, outputs, workspace);
        return () -> {
          step.run();
          try (var arena = Arena.ofConfined()) {
            List<HostTensor> in = inputs.stream().map(input -> host(arena, input)).toList();
            for (DeviceTensor output : outputs) {
              HostTensor out = host(arena, output);
              fault.accept(in, out);
              device.upload(out, output);
              if (writesBeside) {
                HostTensor zero = HostTensor.allocate(arena, TensorType.of(DType.U8, 1));
                device.upload(
                    zero, new DeviceTensor(output.buffer(), output.offset() + output.type().bytes(), zero.type()));
              }
            }
          }
        };
      };
    }

    private HostTensor host(Arena arena, DeviceTensor tensor) {
      HostTensor host = HostTensor.allocate(arena, tensor.type());
      device.download(tensor, host);
      return host;
    }

    @Override
    public String name() {
      return "faulty";
    }

    @Override
    public void close() {
      device.close();
    }
  }
}
