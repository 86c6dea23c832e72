package dev.lamina.conformance;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.cuda.CudaProvider;
import dev.lamina.device.reference.ReferenceDevice;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Convolutions by each part of cuDNN alone: which one wins where both are there depends on the machine, so that neither
 * would be known to be right.
 */
class ConvolutionSourcesConformanceTest {
  private static final String ONLY = "lamina.cuda.convolutions";

  @TestFactory
  Stream<DynamicNode> eachPartOfCudnnIsRight() {
    DeviceProvider cuda = new CudaProvider();
    String wanted = System.getProperty("lamina.test.device", cuda.name());
    Optional<String> reason =
        wanted.equals(cuda.name()) ? Conformance.unavailable(cuda) : Optional.of("not the device under test");
    if (reason.isPresent()) {
      return Stream.of(
          DynamicTest.dynamicTest(
              cuda.name(), () -> Conformance.absent(cuda.name(), reason.get(), System.getenv("LAMINA_REQUIRE"))));
    }
    return Stream.of("graph", "legacy").flatMap(part -> Stream.of(false, true).map(same -> with(cuda, part, same)));
  }

  private static DynamicNode with(DeviceProvider cuda, String part, boolean deterministic) {
    Device device = with(part, () -> Conformance.open(cuda, options -> options.withDeterminism(deterministic)));
    Device oracle = new ReferenceDevice();
    List<OpCase> cases =
        ConvolutionConformanceTest.geometries().stream()
            .flatMap(geometry -> Stream.of(geometry.forward(), geometry.inputGradient(), geometry.filterGradient()))
            .toList();
    return DynamicContainer.dynamicContainer(
        part + (deterministic ? ", the same bits each time" : ""),
        cases.stream()
            .map(opCase -> DynamicTest.dynamicTest(opCase.title(), () -> opCase.check(device, oracle)))
            .onClose(device::close)
            .onClose(oracle::close));
  }

  /**
   * What {@code opening} opens while there is only one part of cuDNN; a device reads the property when it is opened.
   */
  static Device with(String part, Supplier<Device> opening) {
    System.setProperty(ONLY, part);
    try {
      return opening.get();
    } finally {
      System.clearProperty(ONLY);
    }
  }
}
