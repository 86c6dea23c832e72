package dev.lamina.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** How a device is chosen by name, and what is said about it. */
class DevicesTest {
  private static final DeviceOptions OPTIONS = new DeviceOptions(3).withCudaLibraries("/cuda");

  /** A kind with so many devices; the one with number {@code broken} cannot be opened. */
  private record Kind(String name, int count, int broken) implements DeviceProvider {
    @Override
    public Optional<String> unavailable(DeviceOptions options) {
      if (count == 0) {
        return Optional.of("no driver");
      }
      return options.ordinal() >= count || options.ordinal() == broken
          ? Optional.of("number " + options.ordinal() + " is no good")
          : Optional.empty();
    }

    @Override
    public String description(DeviceOptions options) {
      return name + " number " + options.ordinal();
    }

    @Override
    public int count(DeviceOptions options) {
      return count;
    }

    @Override
    public List<String> details(DeviceOptions options) {
      return List.of("from " + options.cudaLibraries());
    }

    @Override
    public Device open(DeviceOptions options) {
      throw new UnsupportedOperationException(options.toString());
    }
  }

  private static Devices devices(int gpus, int broken) {
    return new Devices(List.of(new Kind("reference", 1, -1), new Kind("cpu", 1, -1), new Kind("cuda", gpus, broken)));
  }

  @Test
  void automaticallyTheFastestIsTakenAndTheReasonGiven() {
    Devices.Choice cuda = devices(1, -1).choose("auto", OPTIONS);
    assertEquals("device cuda: cuda number 0 (the fastest there is)", cuda.reason());
    Devices.Choice cpu = devices(0, -1).choose("auto", OPTIONS);
    assertEquals("device cpu: cpu number 0 (no cuda: no driver)", cpu.reason());
    assertEquals(OPTIONS, cpu.options());
  }

  @Test
  void aNumberChoosesOneOfSeveral() {
    Devices devices = devices(2, -1);
    assertEquals(0, devices.choose("cuda", OPTIONS).options().ordinal());
    assertEquals(0, devices.choose("cuda:0", OPTIONS).options().ordinal());
    Devices.Choice second = devices.choose("cuda:1", OPTIONS);
    assertEquals(OPTIONS.withOrdinal(1), second.options());
    assertEquals("device cuda:1: cuda number 1", second.reason());
    var opened = assertThrows(UnsupportedOperationException.class, second::open);
    assertEquals(second.options().toString(), opened.getMessage());
  }

  @Test
  void whatIsAskedForAndNotThereIsAnError() {
    assertComplaint("device cuda is not available: no driver", devices(0, -1), "cuda");
    assertComplaint("device cuda:1 is not available: no driver", devices(0, -1), "cuda:1");
    assertComplaint("device cuda:2 is not available: number 2 is no good", devices(2, -1), "cuda:2");
    assertComplaint("device cuda is not available: number 0 is no good", devices(2, 0), "cuda");
    assertComplaint("there is one device cpu; leave out the number of 'cpu:1'", devices(2, -1), "cpu:1");
    assertComplaint("there is no device 'gpu'; there are auto, cuda, cpu, reference", devices(2, -1), "gpu");
    assertComplaint("there is no device 'cuda:x'; there are auto, cuda, cpu, reference", devices(2, -1), "cuda:x");
  }

  @Test
  void namesAreKnownWithAndWithoutNumbers() {
    Devices devices = devices(0, -1);
    for (String name : List.of("auto", "cuda", "cuda:0", "cuda:12", "cpu", "reference")) {
      assertTrue(devices.knows(name), name);
    }
    for (String name : List.of("auto:1", "gpu", "cuda:", "cuda:-1", "cuda:1:2", "cuda:99999", ":1", "")) {
      assertFalse(devices.knows(name), name);
    }
  }

  @Test
  void everyDeviceIsListed() {
    List<String> lines =
        devices(3, 1).list(OPTIONS).stream()
            .map(entry -> entry.name() + " " + entry.available() + ", " + entry.description() + " " + entry.details())
            .toList();
    assertEquals(
        List.of(
            "cuda true, cuda number 0 []",
            "cuda:1 false, number 1 is no good []",
            "cuda:2 true, cuda number 2 [from /cuda]",
            "cpu true, cpu number 0 [from /cuda]",
            "reference true, reference number 0 [from /cuda]"),
        lines);
  }

  @Test
  void thereIsNoDeviceBeforeTheFirst() {
    assertThrows(IllegalArgumentException.class, () -> OPTIONS.withOrdinal(-1));
  }

  private static void assertComplaint(String complaint, Devices devices, String name) {
    var error = assertThrows(IllegalArgumentException.class, () -> devices.choose(name, OPTIONS));
    assertEquals(complaint, error.getMessage());
  }
}
