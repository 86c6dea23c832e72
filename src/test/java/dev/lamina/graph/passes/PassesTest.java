package dev.lamina.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Gradients;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Op;
import dev.lamina.graph.RandomStream;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the passes do to a graph. That they do not change its values is tested where graphs run. */
class PassesTest {
  private static final Support EVERYTHING = (op, types) -> true;
  private static final Support MAPS_ONLY = (op, types) -> !(op instanceof Op.Fused);
  private static final Support NOTHING = (op, types) -> false;

  private final Graph graph = new Graph();

  private Tensor variable(String name, int... dims) {
    return graph.read(new Variable(name, TensorType.f32(dims), Variable.Kind.WEIGHT));
  }

  private static Tensor relu(Tensor x) {
    return x.map(e -> Exprs.ifNotPositive(e, Exprs.constant(0), e));
  }

  private static long count(Graph graph, Class<? extends Op> kind) {
    return graph.nodes().stream().filter(node -> kind.isInstance(node.op())).count();
  }

  @Test
  void whatNoResultNeedsIsDropped() {
    Tensor x = variable("x", 4);
    graph.output("y", x.times(2));
    x.times(3);
    assertEquals(2, Passes.optimise(graph, NOTHING, List.of()).nodes().size());
  }

  @Test
  void whatIsAskedForTwiceIsComputedOnce() {
    Tensor x = variable("x", 4, 4);
    graph.output("y", x.matmul(x).plus(variable("x", 4, 4).matmul(x)));
    assertEquals(1, count(Passes.optimise(graph, NOTHING, List.of()), Op.MatMul.class));
  }

  @Test
  void aChainOfExpressionsBecomesOne() {
    Tensor x = variable("x", 8, 4);
    graph.output("y", relu(x.times(2).plus(variable("b", 4))).times(x));
    Graph optimised = Passes.optimise(graph, EVERYTHING, List.of());
    assertEquals(1, count(optimised, Op.Map.class));
    assertEquals(4, count(Passes.optimise(graph, NOTHING, List.of()), Op.Map.class));
  }

  @Test
  void anExpressionGoesIntoTheReductionThatAloneReadsIt() {
    Tensor x = variable("x", 8, 4);
    graph.output("y", x.times(x).plus(1).sum());
    Graph optimised = Passes.optimise(graph, EVERYTHING, List.of());
    assertEquals(0, count(optimised, Op.Map.class));
    assertEquals(1, count(optimised, Op.Reduce.class));
  }

  @Test
  void valuesRoundedToBytesOrToIntegersAreNotJoined() {
    Tensor x = variable("x", 8);
    graph.output("y", x.times(10).cast(DType.U8).cast(DType.F32).times(0.5));
    assertEquals(2, count(Passes.optimise(graph, EVERYTHING, List.of()), Op.Map.class));
  }

  @Test
  void anOptimizersSlotsAndWeightsComeFromOneMapWithSeveralOutputs() {
    Variable weight = new Variable("w", TensorType.f32(64), Variable.Kind.WEIGHT);
    Variable velocity = new Variable("v", TensorType.f32(64), Variable.Kind.SLOT);
    Tensor gradient = graph.input("g", TensorType.f32(64));
    graph.within(
        "",
        Phase.UPDATE,
        () -> {
          Tensor next = graph.read(velocity).times(0.9).plus(gradient);
          Tensor ok = graph.input("ok", TensorType.f32());
          Expr kept = Exprs.ifPositive(Exprs.input(2), Exprs.input(0), Exprs.input(1));
          graph.assign(velocity, next.map(kept, graph.read(velocity), ok));
          graph.assign(weight, graph.read(weight).minus(next.times(0.1)).map(kept, graph.read(weight), ok));
        });
    Graph optimised = Passes.optimise(graph, EVERYTHING, List.of());
    List<Node> maps = optimised.nodes().stream().filter(node -> node.op() instanceof Op.Map).toList();
    assertEquals(1, maps.size());
    assertEquals(2, maps.getFirst().types().size(), "only the two results, not what was computed on the way");
  }

  @Test
  void joiningNeverMakesACycle() {
    // b needs a directly and by way of a matrix product, so it cannot be computed together with a.
    Tensor a = variable("x", 4, 4).times(2);
    Tensor b = a.plus(a.matmul(a));
    graph.output("a", a);
    graph.output("b", b);
    assertEquals(2, count(Passes.optimise(graph, MAPS_ONLY, List.of()), Op.Map.class));
  }

  @Test
  void activationsRideOnWhatTheyFollowAndTheirGradientsOnWhatTheyPrecede() {
    Variable filter = new Variable("filter", TensorType.f32(8, 3, 3, 4), Variable.Kind.WEIGHT);
    Tensor weights = graph.read(filter);
    Tensor image = graph.input("image", TensorType.f32(2, 8, 8, 4));
    List<Tensor> normalised =
        graph.add(
            new Op.BatchNorm(1e-5),
            List.of(image.conv2d(weights, ConvSpec.PLAIN), variable("gamma", 8), variable("beta", 8)));
    Tensor loss = relu(normalised.getFirst()).sum();
    graph.output("mean", normalised.get(1));
    graph.output("loss", loss);
    graph.output("gradient", Gradients.of(loss, List.of(weights)).getFirst());
    Graph optimised = Passes.optimise(graph, EVERYTHING, List.of());
    List<Op.Fused> fused =
        optimised.nodes().stream().map(Node::op).filter(Op.Fused.class::isInstance).map(Op.Fused.class::cast).toList();
    assertTrue(
        fused.stream().anyMatch(f -> f.anchor() instanceof Op.BatchNorm && f.epilogue() != null), fused.toString());
    assertTrue(
        fused.stream().anyMatch(f -> f.anchor() instanceof Op.BatchNormGradient && f.prologueInput() == 4),
        fused.toString());
    assertEquals(0, count(Passes.optimise(graph, MAPS_ONLY, List.of()), Op.Fused.class));
  }

  @Test
  void twoBranchesThatMeetInASumDoNotWaitForEachOther() {
    Tensor x = graph.input("x", TensorType.f32(2, 4, 4, 4));
    Tensor left = x.conv2d(variable("left", 4, 1, 1, 4), ConvSpec.PLAIN);
    Tensor right = x.conv2d(variable("right", 4, 1, 1, 4), ConvSpec.PLAIN);
    graph.output("y", relu(left.plus(right)));
    Graph optimised = Passes.optimise(graph, EVERYTHING, List.of());
    assertEquals(0, count(optimised, Op.Map.class));
    assertEquals(1, count(optimised, Op.Fused.class));
    assertEquals(1, count(optimised, Op.Conv2d.class));
  }

  @Test
  void randomNumbersDoNotRideForTheyDependOnWhereAnElementLies() {
    Tensor x = variable("x", 4, 4);
    Tensor step = graph.input("step", TensorType.of(DType.I32));
    Expr mask = Exprs.mul(Exprs.input(0), new Expr.Bernoulli(new RandomStream(1, 2, 1), 1L << 31));
    graph.output("y", x.matmul(x).map(mask, step));
    assertEquals(0, count(Passes.optimise(graph, EVERYTHING, List.of()), Op.Fused.class));
  }

  @Test
  void aCheapExpressionOfKeptValuesIsRepeatedInTheBackwardPassAndNotKept() {
    Tensor x = variable("x", 64);
    Tensor[] y = new Tensor[1];
    graph.within("", Phase.FORWARD, () -> y[0] = x.times(2).plus(1));
    graph.output("forward", y[0].reshape(8, 8).matmul(y[0].reshape(8, 8)));
    graph.within("", Phase.BACKWARD, () -> graph.output("backward", y[0].times(x)));
    Graph optimised = Passes.optimise(graph, EVERYTHING, List.of());
    Node backward = optimised.outputs().get("backward").node();
    assertTrue(
        backward.inputs().stream().allMatch(input -> input.node().op() instanceof Op.Read),
        "the backward pass still reads a stored intermediate value: " + backward);
  }

  @Test
  void weightsOfAPackAreCastTogether() {
    Variable a = new Variable("a", TensorType.f32(4, 3), Variable.Kind.WEIGHT);
    Variable b = new Variable("b", TensorType.f32(5, 4), Variable.Kind.WEIGHT);
    Variable pack = Variable.pack("weights", Variable.Kind.WEIGHT, List.of(a, b));
    Tensor x = graph.input("x", TensorType.of(DType.BF16, 2, 3));
    Tensor hidden = x.matmul(graph.read(a).cast(DType.BF16), false, true);
    graph.output("y", hidden.matmul(graph.read(b).cast(DType.BF16), false, true));
    Graph optimised = Passes.optimise(graph, EVERYTHING, List.of(pack));
    List<Node> maps = optimised.nodes().stream().filter(node -> node.op() instanceof Op.Map).toList();
    assertEquals(1, maps.size());
    assertEquals(new Op.Read(pack), maps.getFirst().inputs().getFirst().node().op());
    assertEquals(2, count(optimised, Op.Slice.class));
    assertEquals(2, count(Passes.optimise(graph, EVERYTHING, List.of()), Op.Map.class), "nobody told of the pack");
  }

  @Test
  void gradientsArePackedAsTheyAreAndWidenedWhereTheyAreRead() {
    List<Tensor> narrow =
        List.of(graph.input("a", TensorType.of(DType.BF16, 16)), graph.input("b", TensorType.of(DType.BF16, 16)));
    List<Tensor> wide = narrow.stream().map(tensor -> tensor.cast(DType.F32)).toList();
    Tensor pack = graph.add(new Op.Pack(List.of(0L, 16L), 32), wide).getFirst();
    graph.output("squares", pack.times(pack).sum());
    graph.output("next", graph.read(new Variable("w", TensorType.f32(32), Variable.Kind.WEIGHT)).minus(pack));
    Graph optimised = Passes.optimise(graph, EVERYTHING, List.of());
    assertEquals(1, count(optimised, Op.Map.class), "the update alone; no cast of its own");
    Node packed = optimised.nodes().stream().filter(node -> node.op() instanceof Op.Pack).findFirst().orElseThrow();
    assertEquals(DType.BF16, packed.types().getFirst().dtype());
  }

  @Test
  void anActivationIsJoinedThoughItWouldHaveBeenStoredInSixteenBits() {
    Tensor x = graph.input("x", TensorType.of(DType.BF16, 64));
    graph.output("y", relu(x.plus(graph.input("shortcut", x.type()))));
    assertEquals(1, count(Passes.optimise(graph, EVERYTHING, List.of()), Op.Map.class));
  }

  @Test
  void newValuesOfSmallVariablesAreComputedTogether() {
    Tensor ok = graph.input("ok", TensorType.f32());
    graph.within(
        "",
        Phase.UPDATE,
        () -> {
          for (int layer = 0; layer < 5; layer++) {
            Variable mean = new Variable("mean" + layer, TensorType.f32(8), Variable.Kind.STATISTIC);
            Tensor batch = graph.input("batch" + layer, TensorType.f32(8));
            graph.assign(mean, graph.read(mean).times(0.9).plus(batch.times(0.1 * (layer + 1))).times(ok));
          }
          Variable steps = new Variable("steps", TensorType.of(DType.I32), Variable.Kind.COUNTER);
          graph.assign(steps, graph.read(steps).plus(1));
        });
    List<Node> maps =
        Passes.optimise(graph, EVERYTHING, List.of()).nodes().stream()
            .filter(node -> node.op() instanceof Op.Map)
            .toList();
    assertEquals(List.of(5, 1), maps.stream().map(node -> node.types().size()).toList());
    assertEquals(11, maps.getFirst().inputs().size(), "what all of them read is read once");
  }

  @Test
  void whatIsReadInTheStepIsNotHeldBackForItsSiblings() {
    Tensor x = variable("x", 8);
    graph.within(
        "",
        Phase.UPDATE,
        () -> {
          Tensor first = x.times(2);
          graph.output("first", first);
          graph.output("sum", first.reshape(2, 4).matmul(first.reshape(4, 2)));
          graph.output("second", x.times(3));
        });
    assertEquals(2, count(Passes.optimise(graph, EVERYTHING, List.of()), Op.Map.class));
  }

  private Graph crossEntropy(boolean weighted, Support support) {
    Tensor z = variable("z", 6, 4);
    Tensor labels = graph.input("labels", TensorType.of(DType.I32, 6));
    Tensor loss = graph.one(new Op.SoftmaxCrossEntropy(0), z, labels);
    // The square: its gradient is a multiple of the loss itself.
    Tensor mean = (weighted ? loss.times(loss) : loss).mean();
    graph.output("loss", mean);
    graph.output("gradient", Gradients.of(mean, List.of(z)).getFirst());
    return Passes.optimise(graph, support, List.of());
  }

  @Test
  void aCrossEntropyAndItsGradientAreComputedTogether() {
    Graph optimised = crossEntropy(false, EVERYTHING);
    assertEquals(1, count(optimised, Op.SoftmaxCrossEntropyWithGradient.class));
    assertEquals(0, count(optimised, Op.SoftmaxCrossEntropy.class));
    assertEquals(0, count(optimised, Op.SoftmaxCrossEntropyGradient.class));
    assertEquals(TensorType.f32(), optimised.outputs().get("loss").type());
    assertEquals(TensorType.f32(6, 4), optimised.outputs().get("gradient").type());
  }

  @Test
  void aCrossEntropyThatItsOwnGradientDependsOnStaysApart() {
    assertEquals(0, count(crossEntropy(true, EVERYTHING), Op.SoftmaxCrossEntropyWithGradient.class));
  }

  @Test
  void aDeviceThatCannotComputesACrossEntropyAndItsGradientApart() {
    assertEquals(0, count(crossEntropy(false, NOTHING), Op.SoftmaxCrossEntropyWithGradient.class));
  }

  @Test
  void aProductWithOneIsNoWork() {
    Tensor x = variable("x", 2, 4);
    Tensor one = graph.constant(TensorType.f32(), 1);
    graph.output("y", relu(x.times(one.reshape(1, 1))));
    graph.output("copy", x.times(one.reshape(1, 1)));
    Graph optimised = Passes.optimise(graph, NOTHING, List.of());
    assertEquals(optimised.outputs().get("y").node().inputs().getFirst().node().op().label(), "read x");
    assertEquals(optimised.outputs().get("copy").node().op().label(), "map");
  }

  /**
   * The gradients of x and of the slope of a PReLU over [rows, 64].
   *
   * @param after whether the one is computed from the other
   */
  private static Graph slopes(int rows, boolean after, Support support) {
    Graph graph = new Graph();
    Tensor x = graph.input("x", TensorType.f32(rows, 64));
    Tensor dy = graph.input("dy", TensorType.f32(rows, 64));
    Expr v = Exprs.input(0);
    Expr d = Exprs.input(1);
    Tensor ofSlope = x.map(Exprs.ifNotPositive(v, Exprs.mul(v, d), Exprs.constant(0)), dy).sum();
    Tensor factor = after ? ofSlope.reshape(1) : graph.input("slope", TensorType.f32(1));
    graph.output("of slope", ofSlope);
    graph.output("of x", x.map(Exprs.ifNotPositive(v, Exprs.mul(d, Exprs.input(2)), d), dy, factor));
    return Passes.optimise(graph, support, List.of());
  }

  @Test
  void aReductionAndAMapThatReadTheSameAreOnePass() {
    Graph optimised = slopes(1024, false, EVERYTHING);
    assertEquals(1, count(optimised, Op.ReduceWithMap.class));
    assertEquals(0, count(optimised, Op.Map.class) + count(optimised, Op.Reduce.class));
    assertEquals(TensorType.f32(), optimised.outputs().get("of slope").type());
    assertEquals(TensorType.f32(1024, 64), optimised.outputs().get("of x").type());
  }

  @Test
  void aReductionAndAMapOfWhichOneNeedsTheOtherStayApart() {
    assertEquals(0, count(slopes(1024, true, EVERYTHING), Op.ReduceWithMap.class));
  }

  @Test
  void whatTheCachesHoldIsReducedAndMappedApart() {
    assertEquals(0, count(slopes(64, false, EVERYTHING), Op.ReduceWithMap.class));
  }

  @Test
  void aDeviceThatCannotReducesAndMapsApart() {
    assertEquals(0, count(slopes(1024, false, (op, _) -> !(op instanceof Op.ReduceWithMap)), Op.ReduceWithMap.class));
  }

  @Test
  void constantsOf16BitsAreRoundedAsIfTheyWereStored() {
    Variable x = new Variable("x", TensorType.of(DType.BF16, 2, 4), Variable.Kind.WEIGHT);
    Tensor third = graph.constant(TensorType.of(DType.BF16), 1 / 3.0);
    graph.output("y", graph.read(x).times(third.reshape(1, 1)));
    Graph optimised = Passes.optimise(graph, NOTHING, List.of());
    Op.Map map = (Op.Map) optimised.outputs().get("y").node().op();
    assertEquals(Exprs.mul(Exprs.input(0), Exprs.constant(0.333984375)), map.exprs().getFirst());
    assertEquals(1, count(optimised, Op.Map.class));
  }

  @Test
  void constantsAreWrittenIntoWhatReadsThem() {
    Tensor third = graph.constant(TensorType.f32(), 1 / 3.0);
    graph.output("y", variable("x", 2, 4).times(third.reshape(1, 1)));
    Graph optimised = Passes.optimise(graph, NOTHING, List.of());
    Op.Map map = (Op.Map) optimised.outputs().get("y").node().op();
    assertEquals(Exprs.mul(Exprs.input(0), Exprs.constant((float) (1 / 3.0))), map.exprs().getFirst());
    assertEquals(1, count(optimised, Op.Map.class));
  }
}
