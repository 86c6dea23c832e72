package dev.lamina.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.DeviceOptions;
import dev.lamina.device.cpu.CpuProvider;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.models.Architectures;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.PreparedInputs;
import dev.lamina.train.TrainingOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is only looked at is looked at when it is there. */
class EarlyReductionsTest {
  private final Graph graph = new Graph();

  private static List<Class<?>> kinds(Graph graph) {
    List<Class<?>> kinds = new ArrayList<>();
    graph.nodes().forEach(node -> kinds.add(node.op().getClass()));
    return kinds;
  }

  @Test
  void sumsAreTakenBeforeTheNextLargeTensor() {
    Tensor x = graph.read(new Variable("x", TensorType.f32(100, 100), Variable.Kind.WEIGHT));
    Tensor y = x.map(Exprs.tanh(Exprs.input(0)));
    Tensor z = y.map(Exprs.tanh(Exprs.input(0)));
    graph.output("z", z);
    graph.output("sum of y", y.slice(0, 0, 10).sum().map(Exprs.neg(Exprs.input(0))));
    assertEquals(
        List.of(Op.Read.class, Op.Map.class, Op.Slice.class, Op.Reduce.class, Op.Map.class, Op.Map.class),
        kinds(EarlyReductions.apply(graph)));
  }

  @Test
  void partsOfASequenceAreTakenInTheirTurn() {
    Tensor x = graph.read(new Variable("x", TensorType.f32(100, 200), Variable.Kind.WEIGHT));
    Tensor first = x.slice(0, 0, 10).map(Exprs.tanh(Exprs.input(0)));
    Tensor second = x.slice(0, 10, 20).map(Exprs.tanh(Exprs.input(0)));
    graph.output("both", first.plus(second));
    assertEquals(kinds(graph), kinds(EarlyReductions.apply(graph)));
  }

  @Test
  void aVariableChangesInItsTurn() {
    Variable counter = new Variable("counter", TensorType.of(DType.I32), Variable.Kind.COUNTER);
    Tensor count = graph.read(counter);
    Tensor x = graph.read(new Variable("x", TensorType.f32(100, 100), Variable.Kind.WEIGHT));
    graph.output("y", x.times(count.cast(DType.F32)));
    graph.assign(counter, count.map(Exprs.add(Exprs.input(0), 1), DType.I32));
    Graph early = EarlyReductions.apply(graph);
    assertEquals(early.nodes().getLast(), early.assigns().get(counter).node());
  }

  /** A look inside a model keeps no more than a training step does, but for the weights that it puts aside. */
  @Test
  void looksTakeLittleMoreMemoryThanTraining() {
    TensorType example = TensorType.of(DType.U8, 32, 32, 3);
    try (var device = new CpuProvider().open(DeviceOptions.DEFAULT)) {
      long training = CompiledModel.plan(device, spec(example, 0)).arena();
      long looking = CompiledModel.plan(device, spec(example, 100)).arena();
      assertTrue(looking <= 1.1 * training, looking + " bytes with looks, " + training + " without");
    }
  }

  private static ModelSpec spec(TensorType example, int statisticsEvery) {
    TrainingOptions options = TrainingOptions.DEFAULTS.withStatisticsEvery(statisticsEvery);
    PreparedInputs preparation = new PreparedInputs(TrainingOptions.DEFAULTS.preprocessingFor(example).blank(example));
    return ModelSpec.of(Architectures.create("resnet20", 10, example.shape()), example, options)
        .preparation(preparation)
        .batch(64)
        .build();
  }
}
