package dev.lamina.device.reference;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Buffer;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Step;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Memory, lifetimes and refusals of the reference device; what it computes is tested elsewhere. */
class ReferenceDeviceTest {
  private static final TensorType FOUR = TensorType.f32(4);

  @Test
  void theProviderOpensItEverywhere() {
    var provider = new ReferenceProvider();
    assertEquals("reference", provider.name());
    assertTrue(provider.unavailable(DeviceOptions.DEFAULT).isEmpty());
    try (var device = provider.open(DeviceOptions.DEFAULT)) {
      assertEquals("reference", device.name());
      assertTrue(device.availableMemory() > 0);
    }
  }

  @Test
  void memoryThatNobodyWroteReadsAsNotANumber() {
    try (var device = new ReferenceDevice();
        var arena = Arena.ofConfined();
        Buffer buffer = device.allocate(16)) {
      HostTensor fresh = HostTensor.allocate(arena, FOUR);
      device.download(new DeviceTensor(buffer, 0, FOUR), fresh);
      for (int i = 0; i < 4; i++) {
        assertTrue(Double.isNaN(fresh.get(i)));
      }
    }
  }

  @Test
  void tensorsOutsideTheirBufferAreRefused() {
    try (var device = new ReferenceDevice();
        var arena = Arena.ofConfined();
        Buffer buffer = device.allocate(16)) {
      HostTensor host = HostTensor.allocate(arena, FOUR);
      assertThrows(IndexOutOfBoundsException.class, () -> device.upload(host, new DeviceTensor(buffer, 4, FOUR)));
      assertThrows(IndexOutOfBoundsException.class, () -> device.upload(host, new DeviceTensor(buffer, -4, FOUR)));
    }
  }

  @Test
  void aStepOverAClosedBufferThrows() {
    try (var device = new ReferenceDevice()) {
      Buffer buffer = device.allocate(16);
      DeviceTensor tensor = new DeviceTensor(buffer, 0, FOUR);
      Step step = negate(device).bind(List.of(tensor), List.of(tensor), null);
      step.run();
      buffer.close();
      var failure = assertThrows(IllegalStateException.class, step::run);
      assertEquals("a buffer of 16 bytes was used after it was closed", failure.getMessage());
    }
  }

  @Test
  void buffersLeftOpenAreReportedOnceAndGivenBack() {
    List<String> leaks = new ArrayList<>();
    var device = new ReferenceDevice(leaks::add);
    device.allocate(16).close();
    Buffer forgotten = device.allocate(100);
    device.close();
    device.close();
    assertEquals(
        List.of("the reference device was closed with 1 open buffer(s) of 100 bytes; close them first"), leaks);
    assertThrows(IllegalStateException.class, () -> ReferenceBuffer.view(new DeviceTensor(forgotten, 0, FOUR)));
    assertDoesNotThrow(forgotten::close);
    assertThrows(IllegalStateException.class, () -> device.allocate(1));
  }

  @Test
  void aDeviceClosedInOrderReportsNothing() {
    List<String> leaks = new ArrayList<>();
    try (var device = new ReferenceDevice(leaks::add);
        Buffer _ = device.allocate(8)) {
      assertTrue(leaks.isEmpty());
    }
    assertTrue(leaks.isEmpty(), leaks::toString);
  }

  @Test
  void moreThanTheHostHasIsRefusedWithBothFigures() {
    try (var device = new ReferenceDevice()) {
      var failure = assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(1L << 60));
      assertTrue(
          failure.getMessage().startsWith((1L << 60) + " bytes were asked for, the host has "), failure.getMessage());
    }
  }

  @Test
  void operationsWithoutWorkAreRefused() {
    try (var device = new ReferenceDevice()) {
      var reshape = new Op.Reshape(Shape.of(2, 2));
      assertTrue(device.unsupported(reshape, List.of(FOUR)).isPresent());
      var failure = assertThrows(UnsupportedOnDeviceException.class, () -> device.prepare(reshape, List.of(FOUR)));
      assertTrue(failure.getMessage().startsWith("reshape: "), failure.getMessage());
    }
  }

  @Test
  void aKernelTakesOnlyTheTypesItWasPreparedFor() {
    try (var device = new ReferenceDevice();
        Buffer buffer = device.allocate(16)) {
      DeviceTensor two = new DeviceTensor(buffer, 0, TensorType.f32(2));
      Kernel kernel = negate(device);
      assertThrows(IllegalArgumentException.class, () -> kernel.bind(List.of(two), List.of(two), null));
    }
  }

  @Test
  void aStepAllocatesNothing() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (var device = new ReferenceDevice();
        Buffer buffer = device.allocate(16)) {
      DeviceTensor tensor = new DeviceTensor(buffer, 0, FOUR);
      Step step = negate(device).bind(List.of(tensor), List.of(tensor), null);
      long least = Long.MAX_VALUE;
      // The first runs link call sites, and the compilers may pass by later: what the step itself needs is the least of
      // many.
      for (int i = 0; i < 200; i++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        step.run();
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertEquals(0, least);
    }
  }

  private static Kernel negate(ReferenceDevice device) {
    Expr minus = Exprs.neg(Exprs.input(0));
    return device.prepare(new Op.Map(minus, DType.F32, FOUR.shape()), List.of(FOUR));
  }
}
