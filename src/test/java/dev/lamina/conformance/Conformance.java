package dev.lamina.conformance;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.cpu.CpuProvider;
import dev.lamina.device.cuda.CudaProvider;
import dev.lamina.device.cuda.emulator.Emulator;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.graph.Op;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.ThrowingConsumer;

/**
 * The devices, and how a case becomes a test on each. A device that is not available here is reported as skipped, with
 * its reason; the environment variable {@code LAMINA_REQUIRE} (names, separated by commas) turns that into a failure.
 */
public final class Conformance {
  private static final Set<DType> OPTIONAL_TYPES = Set.of(DType.F64, DType.BF16, DType.F16);

  private Conformance() {}

  /** Whether the CUDA device finds stand-ins instead of NVIDIA's libraries. */
  private static final boolean EMULATED = Boolean.getBoolean("lamina.test.emulated");

  /** Whether it does. */
  public static boolean isEmulated() {
    return EMULATED;
  }

  /** Every device but the oracle; only the one that the property {@code lamina.test.device} names, if it is set. */
  public static List<DeviceProvider> devices() {
    String only = System.getProperty("lamina.test.device", "");
    return Stream.of(new CpuProvider(), new CudaProvider())
        .filter(provider -> only.isEmpty() || provider.name().equals(only))
        .toList();
  }

  /** Why a device cannot be tested here. */
  public static Optional<String> unavailable(DeviceProvider provider) {
    Optional<String> reason = EMULATED ? Emulator.unavailable() : Optional.empty();
    return reason.isPresent() ? reason : provider.unavailable(options());
  }

  /** A test of each device. */
  public static Stream<DynamicTest> onEachDevice(ThrowingConsumer<DeviceProvider> test) {
    return devices().stream().map(provider -> DynamicTest.dynamicTest(provider.name(), () -> test.accept(provider)));
  }

  /** Ends the test here if the device is not to be had. */
  public static void require(DeviceProvider provider) {
    unavailable(provider).ifPresent(reason -> absent(provider.name(), reason, System.getenv("LAMINA_REQUIRE")));
  }

  /** Ends the test here if there is a GPU. */
  static void requireEmulator(String reason) {
    Assumptions.assumeTrue(EMULATED, reason + ": emulator only");
  }

  /** The device; if it is not to be had, the test ends here. */
  public static Device open(DeviceProvider provider) {
    return open(provider, wishes -> wishes);
  }

  /** The device with other wishes than usual. */
  public static Device open(DeviceProvider provider, UnaryOperator<DeviceOptions> wishes) {
    require(provider);
    return provider.open(wishes.apply(options()));
  }

  /** What is compared with the oracle is not rounded on purpose. */
  private static DeviceOptions options() {
    DeviceOptions exact = DeviceOptions.DEFAULT.withExactProducts(true);
    return EMULATED ? exact.withCudaLibraries(Emulator.folder().toString()) : exact;
  }

  /** The cases on every device. */
  static Stream<DynamicNode> tests(List<OpCase> cases) {
    return devices().stream().map(provider -> on(provider, cases));
  }

  private static DynamicNode on(DeviceProvider provider, List<OpCase> cases) {
    if (unavailable(provider).isPresent()) {
      return DynamicTest.dynamicTest(provider.name(), () -> require(provider));
    }
    Device device = open(provider);
    Device oracle = new ReferenceDevice();
    Stream<DynamicTest> tests =
        cases.stream()
            .map(opCase -> DynamicTest.dynamicTest(opCase.title(), () -> check(opCase, device, oracle)))
            .onClose(device::close)
            .onClose(oracle::close);
    return DynamicContainer.dynamicContainer(provider.name(), tests);
  }

  /** Skips, or fails if {@code required} names the device; one that is emulated is called emulator there. */
  public static void absent(String device, String reason, String required) {
    String name = EMULATED ? "emulator" : device;
    boolean demanded = required != null && Arrays.stream(required.split(",")).map(String::strip).anyMatch(name::equals);
    if (demanded) {
      Assertions.fail(name + " is required by LAMINA_REQUIRE, but: " + reason);
    }
    Assumptions.abort(name + ": " + reason);
  }

  /** What a device may leave out: fused forms, and element types beyond those of training in 32 bits. */
  static void check(OpCase opCase, Device device, Device oracle) {
    Optional<String> refusal = device.unsupported(opCase.op(), opCase.types());
    if (refusal.isPresent() && mayBeLeftOut(opCase)) {
      Assumptions.abort(device.name() + ": " + refusal.get());
    }
    opCase.check(device, oracle);
  }

  private static boolean mayBeLeftOut(OpCase opCase) {
    List<TensorType> types = new ArrayList<>(opCase.types());
    types.addAll(TypeInference.infer(opCase.op(), opCase.types()));
    boolean fused =
        switch (opCase.op()) {
          case Op.Fused _, Op.SoftmaxCrossEntropyWithGradient _, Op.ReduceWithMap _ -> true;
          default -> false;
        };
    return fused || types.stream().map(TensorType::dtype).anyMatch(OPTIONAL_TYPES::contains);
  }
}
