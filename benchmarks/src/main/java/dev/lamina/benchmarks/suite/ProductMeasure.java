package dev.lamina.benchmarks.suite;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.cuda.library.Cuda;
import dev.lamina.device.cuda.library.CudaSurvey;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Square matrix products in bfloat16, in turns with cuBLAS called directly. */
@Command(name = "products", description = "Measures matrix products and prints one JSON object for each size.")
final class ProductMeasure implements Callable<Integer> {
  /** Turns; machines drift. */
  private static final int TURNS = 5;

  @Option(names = "--sizes", defaultValue = "4096,8192", split = ",")
  private List<Integer> sizes;

  @Option(names = "--seconds", defaultValue = "0.3", description = "For each turn of each (${DEFAULT-VALUE}).")
  private double seconds;

  @Override
  public Integer call() {
    var lines = new JsonLines(System.out);
    if (!(Cuda.ofThisProcess().survey("") instanceof CudaSurvey.Usable usable)) {
      throw new IllegalStateException("there is no GPU");
    }
    try (Device device = new Devices().open("cuda", DeviceOptions.DEFAULT);
        DirectCublas cublas = new DirectCublas(usable.libraries())) {
      for (int size : sizes) {
        lines.write(measure(device, cublas, size));
      }
    }
    return 0;
  }

  private Map<String, Object> measure(Device device, DirectCublas cublas, int n) {
    try (Arena arena = Arena.ofShared()) {
      var a = new Variable("a", TensorType.of(DType.BF16, n, n), Variable.Kind.STATISTIC);
      var b = new Variable("b", TensorType.of(DType.BF16, n, n), Variable.Kind.STATISTIC);
      SequencedMap<Variable, HostTensor> values = new LinkedHashMap<>();
      values.put(a, Blocks.normal(arena, a.type(), 1));
      values.put(b, Blocks.normal(arena, b.type(), 2));
      var graph = new Graph();
      graph.output("product", graph.read(a).matmul(graph.read(b)));
      final long left = cublas.upload(values.get(a));
      final long right = cublas.upload(values.get(b));
      final long result = cublas.allocate(a.type().bytes());
      try (Rig rig = new Rig(device, graph, values)) {
        var ours = new Clock(device::synchronize, seconds);
        var theirs = new Clock(cublas::synchronize, seconds);
        double[] lamina = new double[TURNS];
        double[] direct = new double[TURNS];
        for (int turn = 0; turn < TURNS; turn++) {
          lamina[turn] = ours.time(rig::run).median();
          direct[turn] = theirs.time(() -> cublas.multiply(n, left, right, result)).median();
        }
        check(rig.read("product", arena), values.get(a), values.get(b), n);
        Arrays.sort(lamina);
        Arrays.sort(direct);
        double flops = 2.0 * n * n * n;
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("kind", "product");
        line.put("size", n);
        line.put("type", "bf16");
        line.put("tflops", flops / lamina[TURNS / 2] * 1e-3);
        line.put("tflops_cublas", flops / direct[TURNS / 2] * 1e-3);
        line.put("ratio", direct[TURNS / 2] / lamina[TURNS / 2]);
        return line;
      }
    }
  }

  /** A few elements against sums in double: bfloat16 keeps 8 bits, the sum is as large as the root of its length. */
  private static void check(HostTensor product, HostTensor a, HostTensor b, int n) {
    for (int i = 0; i < n; i += Math.max(1, n / 7)) {
      int row = i;
      int column = n - 1 - i;
      double sum = 0;
      for (int k = 0; k < n; k++) {
        sum += a.get((long) row * n + k) * b.get((long) k * n + column);
      }
      double got = product.get((long) row * n + column);
      if (!(Math.abs(got - sum) <= 0x1p-7 * Math.max(Math.abs(sum), Math.sqrt(n)))) {
        throw new IllegalStateException("element [" + row + "," + column + "] is " + got + ", expected " + sum);
      }
    }
  }
}
