package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Step;
import dev.lamina.device.cuda.CudaProvider;
import dev.lamina.device.cuda.emulator.Emulator;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What can come in the way of a step that is compiled, recorded and replayed on a GPU. */
class RecordingConformanceTest {
  private static final DeviceProvider CUDA = new CudaProvider();
  private static final TensorType TYPE = TensorType.f32(256);

  @BeforeEach
  void require() {
    Conformance.require(CUDA);
  }

  private static DeviceTensor tensor(Buffer memory, int number) {
    return new DeviceTensor(memory, number * TYPE.bytes(), TYPE);
  }

  /** The value that a copy of {@code source} has become. */
  private static float first(Device device, DeviceTensor source) {
    HostTensor host = device.allocateHost(TYPE);
    device.download(source, host);
    return (float) host.get(0);
  }

  /** Giving a library's handle back waits for the whole GPU, which no recording survives on any thread. */
  @Test
  void aDeviceThatClosesWaitsForTheRecordingsOfOthers() throws Exception {
    Device other = Conformance.open(CUDA);
    try (Device device = Conformance.open(CUDA);
        Buffer memory = device.allocate(2 * TYPE.bytes())) {
      device.upload(device.allocateHost(TYPE).fill(3), tensor(memory, 0)).await();
      Step copy = device.copy(List.of(tensor(memory, 0)), List.of(tensor(memory, 1)));
      int[] runs = new int[1];
      var closing = new ArrayList<CompletableFuture<Void>>();
      Step closesTheOther =
          () -> {
            // The first run is not recorded, the second is.
            if (++runs[0] == 2) {
              closing.add(CompletableFuture.runAsync(other::close));
              try {
                closing.getFirst().get(300, TimeUnit.MILLISECONDS);
              } catch (TimeoutException e) {
                // It waits.
                runs[0]++;
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            }
          };
      try (Device.Replay replay = device.capture("a copy", () -> {}, List.of(closesTheOther, copy))) {
        replay.run();
        device.upload(device.allocateHost(TYPE).fill(4), tensor(memory, 0)).await();
        replay.run();
        assertEquals(3, runs[0], "the other device did not wait");
        closing.getFirst().get();
        device.synchronize();
        assertEquals(4, first(device, tensor(memory, 1)));
      }
    }
  }

  /** A driver takes memory for what is recorded, and for code that is used for the first time. */
  @Test
  void aRecordingThatFindsNoMemorySaysSo() {
    Conformance.requireEmulator("what a driver needs is another on each GPU");
    try (Device device = Conformance.open(CUDA);
        Buffer memory = device.allocate(2 * TYPE.bytes())) {
      device.upload(device.allocateHost(TYPE).fill(5), tensor(memory, 0)).await();
      Step copy = device.copy(List.of(tensor(memory, 0)), List.of(tensor(memory, 1)));
      try (Device.Replay replay = device.capture("a copy", () -> {}, List.of(copy))) {
        replay.run();
        Emulator.setMemory("64");
        List<Buffer> all = fill(device);
        var refusal = assertThrows(OutOfDeviceMemoryException.class, replay::run);
        assertTrue(refusal.getMessage().contains("cuGraphInstantiate"), refusal::getMessage);
        all.forEach(Buffer::close);
        replay.run();
        assertEquals(5, first(device, tensor(memory, 1)));
      }
    } finally {
      Emulator.setMemory(null);
    }
  }

  /** Takes all memory, in pieces. */
  private static List<Buffer> fill(Device device) {
    List<Buffer> all = new ArrayList<>();
    for (long bytes = 64L << 20; bytes >= 64; ) {
      try {
        all.add(device.allocate(bytes));
      } catch (OutOfDeviceMemoryException e) {
        bytes /= 2;
      }
    }
    return all;
  }

  @Test
  void aCompiledKernelThatWasDamagedInItsFileIsCompiledAnew() throws IOException {
    // So that this test has a kernel to itself.
    double number = System.nanoTime();
    Set<Path> before = files();
    float[] results = new float[2];
    results[0] = multiplied(number);
    Set<Path> added = files();
    added.removeAll(before);
    assertTrue(!added.isEmpty(), "no file was written");
    for (Path file : added) {
      byte[] good = Files.readAllBytes(file);
      Files.write(file, new byte[] {1, 2, 3});
      results[1] = multiplied(number);
      assertEquals(results[0], results[1]);
      assertArrayEquals(good, Files.readAllBytes(file));
    }
  }

  private static float multiplied(double number) {
    Op op = new Op.Map(Exprs.mul(Exprs.input(0), number), DType.F32, TYPE.shape());
    try (Device device = Conformance.open(CUDA);
        Buffer memory = device.allocate(2 * TYPE.bytes())) {
      device.upload(device.allocateHost(TYPE).fill(2), tensor(memory, 0)).await();
      device.prepare(op, List.of(TYPE)).bind(List.of(tensor(memory, 0)), List.of(tensor(memory, 1)), null).run();
      return first(device, tensor(memory, 1));
    }
  }

  /** The compiled kernels of all runs. */
  private static Set<Path> files() throws IOException {
    String cache = System.getenv().getOrDefault("XDG_CACHE_HOME", System.getenv("HOME") + "/.cache");
    try (Stream<Path> all = Files.list(Path.of(cache, "lamina"))) {
      return all.filter(file -> file.toString().matches(".*\\.(cubin|ptx)"))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }
}
