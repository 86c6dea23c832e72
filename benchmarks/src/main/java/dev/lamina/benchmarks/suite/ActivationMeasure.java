package dev.lamina.benchmarks.suite;

import dev.lamina.benchmarks.ActivationKind;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Each activation forward and backward over many values, beside a copy of as many. */
@Command(name = "activations", description = "Measures each activation and prints one JSON object for each.")
final class ActivationMeasure implements Callable<Integer> {
  private static final int CHANNELS = 64;

  /** Maxout is a dense layer: what it takes is a matrix product's time. */
  private static final Set<ActivationKind> ALL = EnumSet.complementOf(EnumSet.of(ActivationKind.MAXOUT));

  /** Forward reads x and writes y; backward reads x or y and dy and writes dx. */
  private static final int PASSES_FORWARD = 2;

  private static final int PASSES_BACKWARD = 3;

  @Option(names = "--device", defaultValue = "cuda")
  private String deviceName;

  @Option(names = "--values", defaultValue = "67108864", description = "How many, a multiple of 64 (${DEFAULT-VALUE}).")
  private int count;

  @Option(names = "--types", defaultValue = "BF16,F32", split = ",")
  private List<DType> types;

  @Option(names = "--seconds", defaultValue = "0.2", description = "For each measurement (${DEFAULT-VALUE}).")
  private double seconds;

  @Override
  public Integer call() {
    var lines = new JsonLines(System.out);
    boolean right = true;
    try (Device device = new Devices().open(deviceName, DeviceOptions.DEFAULT);
        Device reference = new ReferenceProvider().open(DeviceOptions.DEFAULT)) {
      for (DType type : types) {
        double copy = copy(device, type);
        lines.write(Map.of("kind", "copy", "values", count, "type", name(type), "gb_per_second", copy));
        for (ActivationKind kind : ALL) {
          Map<String, Object> line = new LinkedHashMap<>();
          line.put("kind", "activation");
          line.put("who", "lamina");
          line.put("activation", kind.name().toLowerCase(Locale.ROOT));
          line.put("type", name(type));
          line.put("values", count);
          try {
            measure(device, reference, kind, type, copy, line);
          } catch (RuntimeException e) {
            line.put("failed", String.valueOf(e.getMessage()));
            right = false;
          }
          lines.write(line);
        }
      }
    }
    if (!right) {
      System.err.println("some activations failed, see their lines");
    }
    return right ? 0 : 1;
  }

  private static String name(DType type) {
    return type == DType.F32 ? "fp32" : type.name().toLowerCase(Locale.ROOT);
  }

  /** 10⁹ bytes a second that a copy reads and writes. */
  private double copy(Device device, DType type) {
    try (Arena arena = Arena.ofShared()) {
      var graph = new Graph();
      var x = new Variable("x", TensorType.of(type, count), Variable.Kind.STATISTIC);
      graph.output("copy", graph.one(new Op.Pack(List.of(0L), count), graph.read(x)));
      SequencedMap<Variable, HostTensor> values = new LinkedHashMap<>();
      values.put(x, Blocks.normal(arena, x.type(), 1));
      try (Rig rig = new Rig(device, graph, values)) {
        double nanoseconds = new Clock(device::synchronize, seconds).time(rig::run).median();
        return 2.0 * count * type.bytes() / nanoseconds;
      }
    }
  }

  private void measure(
      Device device, Device reference, ActivationKind kind, DType type, double copy, Map<String, Object> line) {
    double forward = time(device, reference, kind, type, false);
    double backward = time(device, reference, kind, type, true);
    double bytes = (double) count * type.bytes();
    double rate = (PASSES_FORWARD + PASSES_BACKWARD) * bytes / (forward + backward);
    line.put("forward_ms", forward * 1e-6);
    line.put("backward_ms", backward * 1e-6);
    line.put("gb_per_second", rate);
    line.put("of_copy", rate / copy);
  }

  /** Nanoseconds of a run, after its result has been looked at. */
  private double time(Device device, Device reference, ActivationKind kind, DType type, boolean backward) {
    try (Arena arena = Arena.ofShared();
        Rig rig = rig(device, arena, kind, type, backward, count)) {
      rig.run();
      // The operands repeat themselves, and so the results.
      int rows = Math.min(count / CHANNELS, 64);
      try (Rig small = rig(reference, arena, kind, type, backward, rows * CHANNELS)) {
        small.run();
        compare(kind + (backward ? " backward" : " forward"), rig.read("result", arena), small.read("result", arena));
      }
      return new Clock(device::synchronize, seconds).time(rig::run).median();
    }
  }

  private static Rig rig(Device on, Arena arena, ActivationKind kind, DType type, boolean backward, int count) {
    var graph = new Graph();
    Shape shape = Shape.of(count / CHANNELS, CHANNELS);
    var x = new Variable("x", new TensorType(shape, type), Variable.Kind.STATISTIC);
    var dy = new Variable("dy", new TensorType(shape, type), Variable.Kind.STATISTIC);
    var parameters = new Parameters();
    Tensor input = graph.read(x);
    Tensor step = graph.constant(TensorType.of(DType.I32), 0);
    Tensor y =
        Scope.root(graph, Scope.Mode.TRAINING, parameters, DType.F32, 1, step).apply("layer", kind.layer(), input);
    SequencedMap<Variable, HostTensor> values = new LinkedHashMap<>();
    values.put(x, Blocks.normal(arena, x.type(), 1));
    if (backward) {
      values.put(dy, Blocks.normal(arena, dy.type(), 2));
      // The gradient of what is learned costs a sum; the peers do it too.
      List<Tensor> wanted = new ArrayList<>(List.of(input));
      parameters.weights().forEach(weight -> wanted.add(graph.read(weight)));
      List<Tensor> gradients = Gradients.of(y.times(graph.read(dy)).sum(), wanted);
      graph.output("result", gradients.getFirst());
      for (int i = 1; i < gradients.size(); i++) {
        graph.output("parameter" + i, gradients.get(i));
      }
    } else {
      graph.output("result", y);
    }
    for (Parameters.Declaration declaration : parameters.all()) {
      HostTensor value = HostTensor.allocate(arena, declaration.variable().type());
      declaration.initializer().fill(value, new SplittableRandom(3));
      values.put(declaration.variable(), value);
    }
    return new Rig(on, graph, values);
  }

  /** The first values. Both round once where they store; in slopes, which are differences, ulps of 1 remain. */
  private static void compare(String what, HostTensor got, HostTensor expected) {
    double step = expected.type().dtype() == DType.F32 ? 0x1p-20 : 0x1p-6;
    for (long i = 0; i < expected.size(); i++) {
      double bound = step * Math.max(Math.abs(expected.get(i)), 1);
      if (!(Math.abs(got.get(i) - expected.get(i)) <= bound)) {
        throw new IllegalStateException(
            what + ": value " + i + " is " + got.get(i) + ", on the reference device " + expected.get(i));
      }
    }
  }
}
