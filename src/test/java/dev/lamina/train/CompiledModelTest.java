package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.reference.ReferenceProvider;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.graph.PoolSpec;
import dev.lamina.graph.Size;
import dev.lamina.graph.Tensor;
import dev.lamina.loss.Loss;
import dev.lamina.nn.Layer;
import dev.lamina.nn.init.Initializer;
import dev.lamina.optim.AdamW;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Optimizer;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The training step as a whole, on the reference device, with layers written as a user would write them: no device, no
 * derivative.
 */
class CompiledModelTest {
  private static final int BATCH = 8;
  private static final int CLASSES = 3;

  private final Device device = new ReferenceProvider().open(DeviceOptions.DEFAULT);
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void close() {
    device.close();
    arena.close();
  }

  private static final Initializer NORMAL =
      (target, random) -> {
        for (long i = 0; i < target.size(); i++) {
          target.set(i, 0.3 * (random.nextDouble() + random.nextDouble() - 1));
        }
      };
  private static final Initializer ONES = (target, random) -> target.fill(1);

  private static Layer conv(int filters) {
    ConvSpec same = new ConvSpec(Size.square(1), Padding.all(1), Size.square(1), 1);
    return (x, scope) -> x.conv2d(scope.parameter("weight", Shape.of(filters, 3, 3, x.shape().last()), NORMAL), same);
  }

  private static Layer norm() {
    return (x, scope) -> {
      Shape channels = Shape.of(x.shape().last());
      Tensor gamma = scope.parameter("weight", channels, ONES, false);
      Tensor beta = scope.parameter("bias", channels, NORMAL, false);
      Tensor mean = scope.statistic("running_mean", channels, NORMAL);
      if (!scope.training()) {
        return x.minus(mean).times(gamma).plus(beta);
      }
      List<Tensor> results = scope.graph().add(new Op.BatchNorm(1e-5), List.of(x, gamma, beta));
      scope.update(mean, mean.map((old, now) -> Exprs.add(Exprs.mul(old, 0.9), Exprs.mul(now, 0.1)), results.get(1)));
      return results.getFirst();
    };
  }

  private static Layer dense(int units) {
    return (x, scope) -> {
      Tensor flat = x.reshape(x.shape().dim(0), (int) x.shape().sliceSize());
      Tensor product =
          flat.matmul(scope.parameter("weight", Shape.of(units, flat.shape().last()), NORMAL), false, true);
      return product.plus(scope.parameter("bias", Shape.of(units), NORMAL, false));
    };
  }

  private static final Layer RELU = (x, scope) -> x.map(e -> Exprs.ifNotPositive(e, Exprs.constant(0), e));
  private static final Layer POOL = (x, scope) -> x.maxPool2d(PoolSpec.tiled(2));

  private static final Layer MODEL =
      (x, scope) -> {
        Tensor value = scope.apply("conv", conv(4), x);
        value = scope.apply("norm", norm(), value);
        value = scope.apply("pool", POOL, scope.apply("relu", RELU, value));
        return scope.apply("dense", dense(CLASSES), value);
      };

  private static final Loss CROSS_ENTROPY =
      new Loss() {
        @Override
        public Task task() {
          return Task.CLASSES;
        }

        @Override
        public TensorType target(TensorType prediction) {
          return TensorType.of(DType.I32, prediction.shape().dim(0));
        }

        @Override
        public Tensor perExample(Tensor prediction, Tensor target) {
          return prediction.graph().one(new Op.SoftmaxCrossEntropy(0), prediction, target);
        }
      };

  private static final Optimizer MOMENTUM =
      update -> {
        Tensor velocity = update.slot("velocity");
        Tensor next = velocity.times(0.9).plus(update.gradient());
        update.remember(velocity, next);
        return update.weight().minus(next.times(update.rate()));
      };

  private static ModelSpec spec(Layer model, int batch, int accumulate) {
    TensorType example = TensorType.of(DType.U8, 6, 6, 1);
    var scaling = new InputScaling(1.0 / 255, List.of(0.5), List.of(0.3));
    return ModelSpec.of(model, example, CROSS_ENTROPY)
        .preparation(scaling)
        .optimizer(MOMENTUM)
        .batch(batch)
        .accumulate(accumulate)
        .evaluationBatch(5)
        .precision(Precision.FP64)
        .seed(7)
        .build();
  }

  /** Images whose brightest rows tell the class. */
  private void draw(HostTensor images, HostTensor labels, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < images.shape().dim(0); i++) {
      int label = random.nextInt(CLASSES);
      labels.set(i, label);
      for (int pixel = 0; pixel < 36; pixel++) {
        images.set(i * 36L + pixel, random.nextInt(100) + (pixel / 12 == label ? 150 : 0));
      }
    }
  }

  private HostTensor images(int batch) {
    return HostTensor.allocate(arena, TensorType.of(DType.U8, batch, 6, 6, 1));
  }

  private HostTensor labels(int batch) {
    return HostTensor.allocate(arena, TensorType.of(DType.I32, batch));
  }

  private CompiledModel compiled(ModelSpec spec) {
    CompiledModel model = CompiledModel.compile(device, spec);
    model.initialise();
    return model;
  }

  @Test
  void itLearnsAndKnowsHowWell() {
    HostTensor images = images(BATCH);
    HostTensor labels = labels(BATCH);
    try (CompiledModel model = compiled(spec(MODEL, BATCH, 1))) {
      draw(images, labels, 1);
      model.update(images, labels, 0.1);
      Evaluation first = model.takeTrainingFigures();
      assertEquals(BATCH, first.examples());
      for (int step = 2; step <= 60; step++) {
        draw(images, labels, step);
        model.update(images, labels, 0.1);
      }
      Evaluation later = model.takeTrainingFigures();
      assertEquals(59L * BATCH, later.examples());
      assertTrue(later.loss() < first.loss() / 2, first + " then " + later);
      assertTrue(later.accuracy() > 0.8, later.toString());
      assertEquals(60, model.steps());
      assertEquals(-1, model.badStep());
    }
  }

  @Test
  void paddedExamplesDoNotCountEvenIfTheirLossIsNotANumber() {
    HostTensor images = images(5);
    HostTensor labels = labels(5);
    HostTensor weights = HostTensor.of(arena, Shape.of(5), 1, 1, 1, 0, 0);
    try (CompiledModel model = compiled(spec(MODEL, BATCH, 1))) {
      draw(images, labels, 3);
      model.judge(images, labels, weights);
      Evaluation three = model.takeEvaluation();
      assertEquals(3, three.examples());
      labels.set(3, 99);
      model.judge(images, labels, weights);
      Evaluation again = model.takeEvaluation();
      assertEquals(three.loss(), again.loss());
      assertEquals(three.accuracy(), again.accuracy());
      assertEquals(1.0, three.top5(), "of three classes each is among the best five");
      long counted = 0;
      for (long[] row : three.confusion()) {
        for (long n : row) {
          counted += n;
        }
      }
      assertEquals(3, counted);
    }
  }

  @Test
  void twoAccumulatedPassesAreOnePassOverBothHalvesWhereNoStatisticsAreShared() {
    Layer withoutNorm = (x, scope) -> scope.apply("dense", dense(CLASSES), scope.apply("conv", conv(2), x));
    HostTensor images = images(BATCH);
    HostTensor labels = labels(BATCH);
    draw(images, labels, 5);
    try (CompiledModel whole = compiled(spec(withoutNorm, BATCH, 1));
        CompiledModel halves = compiled(spec(withoutNorm, BATCH / 2, 2))) {
      for (int step = 0; step < 3; step++) {
        whole.update(images, labels, 0.1);
        halves.accumulate(part(images, 0, 2), part(labels, 0, 2));
        halves.update(part(images, 1, 2), part(labels, 1, 2), 0.1);
      }
      assertSameWeights(whole, halves, 1e-12);
      assertEquals(3, halves.steps());
    }
  }

  @Test
  void fourAccumulatedPassesClipAndDecayAsOnePassOverAllOfThem() {
    Layer withoutNorm = (x, scope) -> scope.apply("dense", dense(CLASSES), scope.apply("conv", conv(2), x));
    HostTensor images = images(BATCH);
    HostTensor labels = labels(BATCH);
    try (CompiledModel whole = compiled(clipped(withoutNorm, BATCH, 1));
        CompiledModel quarters = compiled(clipped(withoutNorm, BATCH / 4, 4))) {
      for (int step = 0; step < 3; step++) {
        draw(images, labels, step);
        whole.update(images, labels, 0.1);
        for (int pass = 0; pass < 3; pass++) {
          quarters.accumulate(part(images, pass, 4), part(labels, pass, 4));
        }
        quarters.update(part(images, 3, 4), part(labels, 3, 4), 0.1);
        Evaluation expected = whole.takeTrainingFigures();
        Evaluation figures = quarters.takeTrainingFigures();
        assertEquals(BATCH, figures.examples());
        assertEquals(expected.loss(), figures.loss(), 1e-12);
        assertEquals(expected.accuracy(), figures.accuracy());
      }
      assertSameWeights(whole, quarters, 1e-12);
    }
  }

  /** The limit is far below the norm of the first gradients: were each part clipped, the sum would be another one. */
  private static ModelSpec clipped(Layer model, int batch, int accumulate) {
    return spec(model, batch, accumulate).but().optimizer(new AdamW(0.05)).clip(new GradientClip.ByNorm(0.05)).build();
  }

  /** A scale of 65536 lifts a gradient out of the range of 16 bits, where the wide loss is a small number. */
  @Test
  void aPassThatOverflowsLeavesOutTheWholeUpdateAndNothingOfIt() {
    Layer steep =
        (x, scope) -> {
          Tensor logits = scope.apply("dense", dense(CLASSES), x);
          return logits.map(e -> Exprs.mul(e, 8));
        };
    ModelSpec narrow = spec(steep, BATCH / 2, 2).but().precision(Precision.FP16).build();
    HostTensor images = images(BATCH);
    HostTensor labels = labels(BATCH);
    draw(images, labels, 5);
    HostTensor dark = images(BATCH / 2);
    HostTensor any = labels(BATCH / 2);
    try (CompiledModel model = compiled(narrow)) {
      // The scale comes down until a whole update is within the range.
      double scale = 0;
      for (int update = 0; update < 20 && scale == 0; update++) {
        Map<String, HostTensor> before = model.state(arena);
        model.accumulate(part(images, 0, 2), part(labels, 0, 2));
        model.update(dark, any, 0.01);
        Map<String, HostTensor> after = model.state(arena);
        double was = update == 0 ? 65536 : before.get("training.loss_scale").get(0);
        double is = after.get("training.loss_scale").get(0);
        assertEquals(0, sumOfSquares(after, "accumulated."), "a sum begins anew after each update");
        double moved = distance(before, after, "dense.weight");
        if (is == was) {
          scale = is;
          assertTrue(moved > 0);
        } else {
          assertEquals(was / 2, is, "halved once, however many passes overflow");
          assertEquals(0, moved, "an update that overflowed is left out");
        }
      }
      assertTrue(scale > 0 && scale < 65536, "the scale ended at " + scale);
      assertEquals(-1, model.badStep());
    }
  }

  private static double sumOfSquares(Map<String, HostTensor> state, String prefix) {
    return state.entrySet().stream()
        .filter(entry -> entry.getKey().startsWith(prefix))
        .flatMapToDouble(entry -> Arrays.stream(entry.getValue().toDoubles()))
        .map(value -> value * value)
        .sum();
  }

  private static double distance(Map<String, HostTensor> a, Map<String, HostTensor> b, String name) {
    double[] values = a.get(name).toDoubles();
    double[] others = b.get(name).toDoubles();
    return IntStream.range(0, values.length).mapToDouble(i -> Math.abs(values[i] - others[i])).sum();
  }

  private static HostTensor part(HostTensor whole, int index, int parts) {
    Shape shape = whole.shape().with(0, BATCH / parts);
    TensorType type = new TensorType(shape, whole.type().dtype());
    return HostTensor.over(whole.segment().asSlice(index * type.bytes(), type.bytes()), type);
  }

  private void assertSameWeights(CompiledModel a, CompiledModel b, double tolerance) {
    Map<String, HostTensor> ours = a.weights(arena);
    Map<String, HostTensor> theirs = b.weights(arena);
    assertEquals(ours.keySet(), theirs.keySet());
    ours.forEach((name, value) -> assertArrayEquals(value.toDoubles(), theirs.get(name).toDoubles(), tolerance, name));
  }

  @Test
  void aContinuationFromSavedStateIsTheSameToTheBit() {
    HostTensor images = images(BATCH);
    HostTensor labels = labels(BATCH);
    try (CompiledModel straight = compiled(spec(MODEL, BATCH, 1));
        CompiledModel resumed = compiled(spec(MODEL, BATCH, 1))) {
      for (int step = 0; step < 6; step++) {
        if (step == 3) {
          resumed.load(straight.state(arena));
        }
        draw(images, labels, step);
        straight.update(images, labels, 0.1);
        if (step >= 3) {
          resumed.update(images, labels, 0.1);
        }
      }
      assertSameWeights(straight, resumed, 0);
      assertEquals(6, resumed.steps());
    }
  }

  @Test
  void aBadStepLeavesEverythingAsItWasAndIsNamed() {
    Layer explosive =
        (x, scope) -> {
          Tensor value = scope.apply("conv", conv(2), x);
          Tensor huge = scope.apply("exploding", (y, inner) -> y.map(e -> Exprs.exp(Exprs.mul(e, 2000))), value);
          return scope.apply("dense", dense(CLASSES), huge);
        };
    HostTensor images = images(BATCH);
    HostTensor labels = labels(BATCH);
    draw(images, labels, 1);
    try (CompiledModel model = compiled(spec(explosive, BATCH, 1))) {
      Map<String, HostTensor> before = model.state(arena);
      model.update(images, labels, 0.1);
      model.update(images, labels, 0.1);
      assertEquals(0, model.badStep());
      assertEquals(0, model.steps());
      Map<String, HostTensor> after = model.state(arena);
      before.forEach((name, value) -> {
        if (!name.equals("training.bad_step")) {
          assertArrayEquals(value.toDoubles(), after.get(name).toDoubles(), 0, name);
        }
      });
      assertEquals(Optional.of("exploding"), model.firstSickLayer(images));
    }
  }

  @Test
  void aHealthyModelHasNoSickLayer() {
    HostTensor images = images(BATCH);
    try (CompiledModel model = compiled(spec(MODEL, BATCH, 1))) {
      assertEquals(Optional.empty(), model.firstSickLayer(images));
      assertEquals(
          List.of("conv", "norm", "relu", "pool", "dense"), model.layers().stream().map(LayerTrace::path).toList());
    }
  }

  @Test
  void predictionsAreProbabilities() {
    HostTensor images = images(5);
    HostTensor labels = labels(5);
    draw(images, labels, 9);
    try (CompiledModel model = compiled(spec(MODEL, BATCH, 1))) {
      HostTensor probabilities = HostTensor.allocate(arena, model.predictionType());
      model.predict(images, probabilities);
      for (int row = 0; row < 5; row++) {
        double sum = 0;
        for (int c = 0; c < CLASSES; c++) {
          sum += probabilities.get((long) row * CLASSES + c);
        }
        assertEquals(1, sum, 1e-12);
      }
    }
  }

  @Test
  void weightsOfAnotherArchitectureAreRefusedInOneLine() {
    Layer other = (x, scope) -> scope.apply("dense", dense(CLASSES), x);
    try (CompiledModel model = compiled(spec(MODEL, BATCH, 1));
        CompiledModel another = compiled(spec(other, BATCH, 1))) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> model.load(another.weights(arena)));
      assertTrue(e.getMessage().contains("conv.weight") && !e.getMessage().contains("\n"), e.getMessage());
      assertFalse(e.getMessage().isBlank());
    }
  }

  @Test
  void randomMasksChangeFromStepToStepAndNotWithTheModelAround() {
    Expr mask = new Expr.Bernoulli(new dev.lamina.graph.RandomStream(3, 4, 1), 1L << 31);
    Layer noisy =
        (x, scope) -> scope.apply("dense", dense(CLASSES), x.map(Exprs.mul(Exprs.input(0), mask), scope.step()));
    HostTensor images = images(BATCH);
    HostTensor labels = labels(BATCH);
    draw(images, labels, 2);
    try (CompiledModel model = compiled(spec(noisy, BATCH, 1))) {
      model.update(images, labels, 0);
      double first = model.takeTrainingFigures().loss();
      model.update(images, labels, 0);
      assertTrue(first != model.takeTrainingFigures().loss(), "the same mask was drawn twice");
    }
  }
}
