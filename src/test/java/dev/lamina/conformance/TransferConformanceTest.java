package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.DeviceTensor;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Host memory whose ticket has been waited for is its owner's again, however many transfers came behind it. */
class TransferConformanceTest {
  private static final TensorType TYPE = TensorType.f32(16);

  @TestFactory
  Stream<DynamicTest> aTicketThatIsAwaitedGivesItsMemoryBack() {
    return Conformance.devices().stream()
        .flatMap(provider ->
            // A device may keep so many transfers apart: what comes next shares the first one's ticket.
            Stream.of(16, 32, 64, 128, 256)
                .map(
                    uploads -> DynamicTest.dynamicTest(provider.name() + ", " + uploads, () -> on(provider, uploads))));
  }

  private static void on(DeviceProvider provider, int uploads) {
    try (Device device = Conformance.open(provider);
        Buffer memory = device.allocate(3 * TYPE.bytes())) {
      HostTensor first = device.allocateHost(TYPE).fill(1);
      HostTensor other = device.allocateHost(TYPE).fill(2);
      Device.Ticket ticket = device.upload(first, target(memory, 0));
      for (int i = 1; i < uploads; i++) {
        device.upload(other, target(memory, 1));
      }
      device.stage(other, target(memory, 2));
      ticket.await();
      first.fill(3);
      HostTensor got = device.allocateHost(TYPE);
      device.download(target(memory, 0), got);
      assertEquals(1, got.get(0));
    }
  }

  /** Of sizes that no wide access divides, and more than one launch of a GPU copies. */
  @TestFactory
  Stream<DynamicTest> copiesTakeEveryByteAndNoOther() {
    return Conformance.onEachDevice(TransferConformanceTest::copies);
  }

  private static void copies(DeviceProvider provider) {
    int[] sizes = {5000, 3, 16, 17, 1, 33};
    TensorType all = TensorType.of(DType.U8, 6 * 5120);
    try (Device device = Conformance.open(provider);
        Buffer source = device.allocate(all.bytes());
        Buffer target = device.allocate(all.bytes())) {
      HostTensor bytes = device.allocateHost(all);
      for (int i = 0; i < bytes.size(); i++) {
        bytes.set(i, 1 + i % 251);
      }
      device.upload(bytes, new DeviceTensor(source, 0, all)).await();
      HostTensor got = device.allocateHost(all);
      device.upload(got, new DeviceTensor(target, 0, all)).await();
      List<DeviceTensor> from = new ArrayList<>();
      List<DeviceTensor> to = new ArrayList<>();
      for (int i = 0; i < sizes.length; i++) {
        TensorType type = TensorType.of(DType.U8, sizes[i]);
        // The last of what a GPU copies together begins at an odd byte.
        from.add(new DeviceTensor(source, i * 5120L + i / 5, type));
        to.add(new DeviceTensor(target, i * 5120L, type));
      }
      device.copy(from, to).run();
      device.download(new DeviceTensor(target, 0, all), got);
      for (int i = 0; i < all.shape().size(); i++) {
        int piece = i / 5120;
        assertEquals(i % 5120 < sizes[piece] ? bytes.get(i + piece / 5) : 0, got.get(i), "byte " + i);
      }
    }
  }

  private static DeviceTensor target(Buffer memory, int index) {
    return new DeviceTensor(memory, index * TYPE.bytes(), TYPE);
  }
}
