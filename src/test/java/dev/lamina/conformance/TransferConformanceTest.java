package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.DeviceTensor;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
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
    Conformance.unavailable(provider)
        .ifPresent(reason -> Conformance.absent(provider.name(), reason, System.getenv("LAMINA_REQUIRE")));
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

  private static DeviceTensor target(Buffer memory, int index) {
    return new DeviceTensor(memory, index * TYPE.bytes(), TYPE);
  }
}
