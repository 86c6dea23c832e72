package dev.lamina.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.cpu.CpuProvider;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What kernels keep of variables from run to run never outlives the variables' values. */
class KeptTest {
  private static final TensorType IMAGE = TensorType.f32(1, 8, 8, 16);
  private static final TensorType FILTER = TensorType.f32(32, 3, 3, 16);

  private final Variable weight = new Variable("w", FILTER, Variable.Kind.WEIGHT);
  private final Arena arena = Arena.ofConfined();
  private final Device device = new CpuProvider().open(new DeviceOptions(2));
  private final VariableLayout layout = new VariableLayout(List.of(weight));
  private final VariableStore store = new VariableStore(device, layout);

  @AfterEach
  void close() {
    store.close();
    device.close();
    arena.close();
  }

  private Plan plan(Consumer<Graph> nodes) {
    Graph graph = new Graph();
    nodes.accept(graph);
    return Plan.forecast(graph, device, layout).keeping(device).prepared(device, _ -> {});
  }

  private Plan prediction(TensorType image) {
    return plan(graph -> graph.output("y", graph.input("x", image).conv2d(graph.read(weight), ConvSpec.PLAIN)));
  }

  private Plan halving() {
    return plan(graph -> graph.assign(weight, graph.read(weight).times(0.5)));
  }

  private Plan halvingPrediction() {
    return plan(graph -> {
      graph.assign(weight, graph.read(weight).times(0.5));
      graph.output("y", graph.input("x", IMAGE).conv2d(graph.read(weight), ConvSpec.PLAIN));
    });
  }

  private HostTensor counting(TensorType type, double scale) {
    HostTensor tensor = HostTensor.allocate(arena, type);
    for (long i = 0; i < tensor.size(); i++) {
      tensor.set(i, scale * (i % 17 - 8));
    }
    return tensor;
  }

  private double[] outcome(Program program) {
    program.run();
    HostTensor y = HostTensor.allocate(arena, program.resultType("y"));
    program.read("y", y);
    return LongStream.range(0, y.size()).mapToDouble(y::get).toArray();
  }

  private static double[] times(double factor, double[] values) {
    return LongStream.range(0, values.length).mapToDouble(i -> factor * values[(int) i]).toArray();
  }

  @Test
  void aPredictionSeesEveryNewValue() {
    Plan prediction = prediction(IMAGE);
    Plan update = halving();
    try (Buffer memory = device.allocate(Math.max(prediction.arenaBytes(), update.arenaBytes()));
        Program predict = new Program(prediction, device, store, memory);
        Program train = new Program(update, device, store, memory)) {
      predict.stage("x", counting(IMAGE, 1)).await();
      store.write(weight, counting(FILTER, 1));
      double[] first = outcome(predict);
      assertTrue(LongStream.range(0, first.length).anyMatch(i -> first[(int) i] != 0));
      assertArrayEquals(first, outcome(predict), "again");

      store.write(weight, counting(FILTER, 4));
      assertArrayEquals(times(4, first), outcome(predict), "after a write");

      train.run();
      assertArrayEquals(times(2, first), outcome(predict), "after a step that changed it");

      train.parts().forEach(part -> part.step().run());
      assertArrayEquals(first, outcome(predict), "after the operations of a step, one by one");
    }
  }

  @Test
  void onlyWhoChangesNothingKeepsAnythingAndOnlyForFewPixels() {
    long out = TensorType.f32(1, 6, 6, 32).bytes();
    long inAndOut = IMAGE.bytes() + out;
    assertTrue(prediction(IMAGE).ownBytes() >= inAndOut + FILTER.bytes());
    assertEquals(inAndOut, halvingPrediction().ownBytes());
    Plan twice =
        plan(graph -> {
          Tensor w = graph.read(weight);
          Tensor x = graph.input("x", IMAGE);
          graph.output("y", x.conv2d(w, ConvSpec.PLAIN));
          graph.output("z", x.times(2).conv2d(w, ConvSpec.PLAIN));
        });
    assertEquals(prediction(IMAGE).ownBytes() + out, twice.ownBytes(), "two convolutions with one filter");
    TensorType many = TensorType.f32(64, 34, 34, 16);
    assertEquals(many.bytes() + TensorType.f32(64, 32, 32, 32).bytes(), prediction(many).ownBytes());
  }
}
