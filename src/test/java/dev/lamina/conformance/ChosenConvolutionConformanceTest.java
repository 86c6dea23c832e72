package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.MemoryLimit;
import dev.lamina.device.Step;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.device.cuda.CudaProvider;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * How a way to compute a convolution is kept, told by the emulator's engine with a knob: that is the first that may
 * round factors to TF32, and its workspace grows with the knob.
 */
class ChosenConvolutionConformanceTest {
  private static final Op CONVOLUTION = new Op.Conv2d(ConvSpec.PLAIN);
  private static final List<TensorType> TYPES = List.of(TensorType.f32(1, 5, 7, 11), TensorType.f32(13, 3, 2, 11));
  private static final int RUNS = 2000;

  /** The first runs link their calls, which allocates; the rounds behind them do not. */
  private static final int ROUNDS = 50;

  @BeforeEach
  void emulated() {
    Conformance.requireEmulator("engines of real cuDNN are others on each GPU");
    Conformance.require(new CudaProvider());
  }

  @Test
  void anEngineComesBackWithItsKnobs() throws IOException {
    long chosen = workspace();
    assertTrue(chosen > 0, "the engine with a knob was not chosen");
    assertEquals(chosen, workspace());
    edit("2=1", "2=0");
    assertEquals(chosen, 2 * workspace(), "the knob in the file decides");
    edit("2=0", "99=0");
    assertEquals(chosen, workspace(), "what is there no more is chosen anew");
  }

  /** The knob of the one choice that has one, as properties write it. */
  private static void edit(String from, String to) throws IOException {
    Path file = Path.of(System.getenv("XDG_CACHE_HOME"), "lamina", "convolutions.properties");
    String text = Files.readString(file);
    String edited =
        text.lines()
            .map(line ->
                line.contains("/TF32/FORWARD/") && line.contains("=graph ")
                    ? line.replace(" " + from.replace("=", "\\="), " " + to.replace("=", "\\="))
                    : line)
            .collect(Collectors.joining("\n"));
    assertNotEquals(text.strip(), edited.strip(), "nothing to edit in " + text);
    Files.writeString(file, edited);
  }

  private static long workspace() {
    try (Device device = open()) {
      return device.prepare(CONVOLUTION, TYPES).workspaceBytes();
    }
  }

  private static Device open() {
    return ConvolutionSourcesConformanceTest.with(
        "graph",
        () -> Conformance.open(new CudaProvider(), options -> options.withExactProducts(false).withDeterminism(true)));
  }

  /** It is proposed behind thirty settings of another; what comes as the last resort wants 512 bytes. */
  @Test
  void anEngineIsFoundBehindManySettingsOfAnother() {
    try (Device device =
        ConvolutionSourcesConformanceTest.with(
            "graph", () -> Conformance.open(new CudaProvider(), options -> options.withDeterminism(true)))) {
      assertEquals(0, device.prepare(CONVOLUTION, TYPES).workspaceBytes());
    }
  }

  /** Of 16 bits they name an algorithm twice, first with what it would need in other arithmetic: nothing. */
  @Test
  void theLegacyCallsAreAskedWhatAnAlgorithmNeeds() {
    List<TensorType> narrow = TYPES.stream().map(type -> new TensorType(type.shape(), DType.F16)).toList();
    // What is remembered is so for one limit.
    var limit = new MemoryLimit.Bytes((512L << 20) + 16 * (System.nanoTime() % 1_000_000));
    try (Device device =
        ConvolutionSourcesConformanceTest.with(
            "legacy",
            () ->
                Conformance.open(
                    new CudaProvider(), options -> options.withDeterminism(true).withMemoryLimit(limit)))) {
      long foreseen = device.forecast(CONVOLUTION, narrow).workspaceBytes();
      assertTrue(foreseen > 0, "the first algorithm needs a workspace");
      assertEquals(foreseen, device.prepare(CONVOLUTION, narrow).workspaceBytes());
    }
  }

  /** The emulator's legacy calls know no dilation above 8; its graph API does. */
  @Test
  void whatOnePartOfCudnnRefusesTheOtherComputes() {
    Op dilated = new Op.Conv2d(new ConvSpec(new Size(1, 1), Padding.NONE, new Size(9, 1), 1));
    List<TensorType> types = List.of(TensorType.f32(1, 12, 7, 11), TensorType.f32(13, 2, 2, 11));
    try (Device device = Conformance.open(new CudaProvider(), options -> options)) {
      assertDoesNotThrow(() -> device.forecast(dilated, types));
      assertDoesNotThrow(() -> device.prepare(dilated, types));
    }
    try (Device device =
        ConvolutionSourcesConformanceTest.with(
            "legacy", () -> Conformance.open(new CudaProvider(), options -> options))) {
      var refusal = assertThrows(UnsupportedOnDeviceException.class, () -> device.prepare(dilated, types));
      assertTrue(refusal.getMessage().contains("cudnnSetConvolution2dDescriptor"), refusal::getMessage);
    }
  }

  /** The engine with a knob wants a workspace of 8912 bytes beside operands of 5908. */
  @Test
  void whatDoesNotFitIsNotChosen() {
    try (Device device = limited()) {
      assertEquals(8912, device.forecast(CONVOLUTION, TYPES).workspaceBytes());
    }
    try (Device device = limited();
        Buffer _ = device.allocate(device.availableMemory() - 10_000)) {
      assertEquals(0, device.forecast(CONVOLUTION, TYPES).workspaceBytes());
      assertEquals(0, device.prepare(CONVOLUTION, TYPES).workspaceBytes());
    }
    try (Device device = limited()) {
      assertEquals(8912, device.forecast(CONVOLUTION, TYPES).workspaceBytes(), "remembered though there was no room");
    }
  }

  private static Device limited() {
    return ConvolutionSourcesConformanceTest.with(
        "graph",
        () ->
            Conformance.open(
                new CudaProvider(),
                options -> options.withExactProducts(false).withMemoryLimit(new MemoryLimit.Bytes(64L << 20))));
  }

  @Test
  void aRunAllocatesNothing() {
    try (Device device = open();
        Arena arena = Arena.ofShared();
        Buffer memory = device.allocate(1 << 16)) {
      TensorType all = TensorType.f32(1 << 14);
      device.upload(HostTensor.allocate(arena, all).fill(1), new DeviceTensor(memory, 0, all)).await();
      Kernel kernel = device.prepare(CONVOLUTION, TYPES);
      DeviceTensor result = new DeviceTensor(memory, 1 << 14, TensorType.f32(1, 3, 6, 13));
      DeviceTensor workspace =
          new DeviceTensor(memory, 1 << 15, TensorType.f32(Math.toIntExact(kernel.workspaceBytes() / 4)));
      Step step =
          kernel.bind(
              List.of(new DeviceTensor(memory, 0, TYPES.get(0)), new DeviceTensor(memory, 1 << 13, TYPES.get(1))),
              List.of(result),
              workspace);
      var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && least > 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < RUNS / ROUNDS; i++) {
          step.run();
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      device.synchronize();
      assertEquals(0, least);
    }
  }
}
