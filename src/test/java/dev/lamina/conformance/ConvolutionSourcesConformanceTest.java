package dev.lamina.conformance;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.cuda.CudaProvider;
import dev.lamina.device.reference.ReferenceDevice;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
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
  Stream<DynamicNode> graph() {
    return by("graph", false);
  }

  @TestFactory
  Stream<DynamicNode> graphDeterministic() {
    return by("graph", true);
  }

  @TestFactory
  Stream<DynamicNode> legacy() {
    return by("legacy", false);
  }

  @TestFactory
  Stream<DynamicNode> legacyDeterministic() {
    return by("legacy", true);
  }

  /**
   * Every convolution; one factory each, so that a new GPU, on which they take minutes, can run them beside another.
   */
  private static Stream<DynamicNode> by(String part, boolean deterministic) {
    DeviceProvider cuda = new CudaProvider();
    String wanted = System.getProperty("lamina.test.device", cuda.name());
    Optional<String> reason =
        wanted.equals(cuda.name()) ? Conformance.unavailable(cuda) : Optional.of("not the device under test");
    if (reason.isPresent()) {
      return Stream.of(
          DynamicTest.dynamicTest(
              cuda.name(), () -> Conformance.absent(cuda.name(), reason.get(), System.getenv("LAMINA_REQUIRE"))));
    }
    Device device = with(part, () -> Conformance.open(cuda, options -> options.withDeterminism(deterministic)));
    Device oracle = new ReferenceDevice();
    return ConvolutionConformanceTest.geometries().stream()
        .flatMap(geometry -> Stream.of(geometry.forward(), geometry.inputGradient(), geometry.filterGradient()))
        .<DynamicNode>map(opCase -> DynamicTest.dynamicTest(opCase.title(), () -> opCase.check(device, oracle)))
        .onClose(device::close)
        .onClose(oracle::close);
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
