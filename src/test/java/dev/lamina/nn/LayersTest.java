package dev.lamina.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.nn.Scope.Mode;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Zeros;
import dev.lamina.tensor.Shape;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class LayersTest {

  private static Shape shape(Layer layer, int... input) {
    return LayerRun.trace(layer, Mode.TRAINING, new Parameters(), input).shape();
  }

  private static long count(Layer layer, int... input) {
    Parameters parameters = new Parameters();
    LayerRun.trace(layer, Mode.TRAINING, parameters, input);
    return parameters.count();
  }

  private static List<String> names(Layer layer, int... input) {
    Parameters parameters = new Parameters();
    LayerRun.trace(layer, Mode.TRAINING, parameters, input);
    return parameters.all().stream().map(declaration -> declaration.variable().name()).toList();
  }

  private static void assertRefused(String expected, Supplier<?> what) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, what::get);
    assertTrue(e.getMessage().contains(expected), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), "one line: " + e.getMessage());
  }

  @Test
  void aDenseLayerIsAWeightedSumAndABias() {
    LayerRun dense = new LayerRun(new Dense(2)).set("weight", 1, 2, 3, 4, 5, 6).set("bias", 0.5, -0.5);
    assertArrayEquals(new double[] {1 - 4 + 9 + 0.5, 4 - 10 + 18 - 0.5}, dense.run(Shape.of(1, 3), 1, -2, 3).output());
    assertEquals(3 * 7 + 7, count(new Dense(7), 2, 3));
    assertEquals(3 * 7, count(new Dense(7).withoutBias(), 2, 3));
    assertEquals(List.of("weight", "bias"), names(new Dense(7), 2, 3));
  }

  @Test
  void aStackOfLinearLayersIsOne() {
    LayerRun stack =
        new LayerRun(new Sequential(new Dense(2).withoutBias(), new Dense(1).withoutBias()))
            .set("dense1.weight", 1, 2, 3, 4, 5, 6)
            .set("dense2.weight", 0.5, -2);
    LayerRun one = new LayerRun(new Dense(1).withoutBias()).set("weight", 0.5 - 8, 1 - 10, 1.5 - 12);
    double[] x = {0.3, -1.1, 2, 1, 1, -4};
    LayerRun.Result stacked = stack.run(Shape.of(2, 3), x);
    LayerRun.Result single = one.run(Shape.of(2, 3), x);
    assertArrayEquals(single.output(), stacked.output(), 1e-13);
    assertArrayEquals(single.gradient(), stacked.gradient(), 1e-13);
  }

  @Test
  void convolutionsHaveTheShapesOfTheirGeometry() {
    assertEquals(Shape.of(2, 26, 26, 16), shape(new Conv2d(16, 3), 2, 28, 28, 1));
    assertEquals(Shape.of(2, 28, 28, 16), shape(new Conv2d(16, 3).same(), 2, 28, 28, 1));
    assertEquals(Shape.of(2, 14, 14, 16), shape(new Conv2d(16, 3).same().stride(2), 2, 28, 28, 1));
    assertEquals(Shape.of(2, 14, 14, 16), shape(new Conv2d(16, 3).padding(1).stride(2), 2, 28, 28, 1));
    assertEquals(Shape.of(2, 24, 24, 16), shape(new Conv2d(16, 3).dilation(2), 2, 28, 28, 1));
    assertEquals(Shape.of(2, 29, 27, 4), shape(new Conv2d(4, 2).padding(new Border.Zeros(1, 1, 0, 0)), 2, 28, 28, 1));
  }

  @Test
  void groupsDivideTheParameters() {
    assertEquals(16 * 8 * 9 + 16, count(new Conv2d(16, 3), 2, 9, 9, 8));
    assertEquals(16 * 2 * 9 + 16, count(new Conv2d(16, 3).groups(4), 2, 9, 9, 8));
    assertEquals(8 * 9 + 8, count(new Conv2d(8, 3).groups(8), 2, 9, 9, 8), "depthwise");
    assertEquals(16 * 8 * 9, count(new Conv2d(16, 3).withoutBias(), 2, 9, 9, 8));
  }

  @Test
  void aDepthwiseConvolutionMixesNoChannels() {
    LayerRun run = new LayerRun(new Conv2d(2, 1).groups(2).withoutBias()).set("weight", 3, 5);
    assertArrayEquals(new double[] {3, 10, 9, 20}, run.run(Shape.of(1, 1, 2, 2), 1, 2, 3, 4).output());
  }

  @Test
  void samePaddingPutsAnOddZeroToTheBottomAndTheRight() {
    Size plain = Size.square(1);
    assertEquals(new Padding(1, 1, 1, 1), Border.SAME.around(Size.square(7), Size.square(3), plain, plain));
    assertEquals(new Padding(0, 1, 0, 1), Border.SAME.around(Size.square(7), Size.square(2), plain, plain));
    assertEquals(new Padding(2, 2, 1, 1), Border.SAME.around(Size.square(9), new Size(5, 3), plain, plain));
    assertEquals(new Padding(2, 2, 2, 2), Border.SAME.around(Size.square(9), Size.square(3), plain, Size.square(2)));
    assertEquals(new Padding(0, 1, 0, 1), Border.SAME.around(Size.square(8), Size.square(3), Size.square(2), plain));
    assertEquals(new Padding(1, 1, 1, 1), Border.SAME.around(Size.square(7), Size.square(3), Size.square(2), plain));
    assertEquals(
        Padding.NONE, Border.SAME.around(Size.square(8), Size.square(1), Size.square(2), plain), "never negative");
  }

  @Test
  void poolsShrinkTheImage() {
    double[] image = {1, 5, 2, 0, 3, 4, 8, 7, 9};
    LayerRun.Result max = new LayerRun(new MaxPool2d(2, 1, 0)).run(Shape.of(1, 3, 3, 1), image);
    assertArrayEquals(new double[] {5, 5, 8, 9}, max.output());
    assertArrayEquals(new double[] {0, 2, 0, 0, 0, 0, 1, 0, 1}, max.gradient());
    LayerRun.Result average = new LayerRun(new AvgPool2d(2, 1, 0)).run(Shape.of(1, 3, 3, 1), image);
    assertArrayEquals(new double[] {9 / 4.0, 14 / 4.0, 18 / 4.0, 23 / 4.0}, average.output(), 1e-15);
    LayerRun.Result all = new LayerRun(new GlobalAveragePool()).run(Shape.of(1, 3, 3, 1), image);
    assertArrayEquals(new double[] {39 / 9.0}, all.output(), 1e-14);
    assertEquals(Shape.of(1, 1), all.shape());
    assertEquals(Shape.of(2, 3, 3, 8), shape(new MaxPool2d(2), 2, 7, 7, 8), "what does not fill a window is left out");
    assertEquals(Shape.of(2, 4, 4, 8), shape(new AvgPool2d(3, 2, 1), 2, 7, 7, 8));
  }

  @Test
  void theAverageCountsPaddingAsZeros() {
    double[] y = new LayerRun(new AvgPool2d(3, 1, 1)).run(Shape.of(1, 1, 1, 1), 9).output();
    assertArrayEquals(new double[] {1}, y, 1e-15);
  }

  @Test
  void flattenAndReshapeKeepTheOrderOfMemory() {
    double[] x = {1, 2, 3, 4, 5, 6, 7, 8};
    Layer there = new Sequential(new Flatten(), new Reshape(2, -1, 1));
    LayerRun.Result result = new LayerRun(there).run(Shape.of(1, 2, 2, 2), x);
    assertEquals(Shape.of(1, 2, 4, 1), result.shape());
    assertArrayEquals(x, result.output());
    assertEquals(Shape.of(3, 10), shape(new Flatten(), 3, 10));
  }

  @Test
  void layersAreNamedByKindAndNumberOrAsTheyAreTold() {
    Layer model =
        new Sequential(
            new Named("stem", new Conv2d(4, 3).same()),
            new BatchNorm(),
            new Residual(new Sequential(new Conv2d(4, 3).same(), new ReLU()), new Conv2d(4, 1)),
            new Flatten(),
            new Dense(3),
            new Dense(2).withoutBias());
    assertEquals(
        List.of(
            "stem.weight",
            "stem.bias",
            "batchnorm1.weight",
            "batchnorm1.bias",
            "batchnorm1.running_mean",
            "batchnorm1.running_var",
            "residual1.body.conv2d1.weight",
            "residual1.body.conv2d1.bias",
            "residual1.shortcut.weight",
            "residual1.shortcut.bias",
            "dense1.weight",
            "dense1.bias",
            "dense2.weight"),
        names(model, 2, 5, 5, 4));
    assertRefused(
        "two layers have this name",
        () -> names(new Sequential(new Named("a", new ReLU()), new Named("a", new ReLU())), 2, 2));
  }

  @Test
  void aLayerOfOnesOwnIsALambda() {
    Layer doubled = (x, scope) -> x.map(v -> Exprs.mul(v, 2));
    assertArrayEquals(
        new double[] {2, -4}, new LayerRun(new Sequential(doubled, new Flatten())).run(Shape.of(1, 2), 1, -2).output());
  }

  @Test
  void onlyWeightsOfDenseAndConvolutionDecay() {
    Parameters parameters = new Parameters();
    Layer model = new Sequential(new Conv2d(4, 3), new BatchNorm(), new Flatten(), new Dense(3));
    LayerRun.trace(model, Mode.TRAINING, parameters, 2, 5, 5, 1);
    List<String> decayed =
        parameters.all().stream().filter(Parameters.Declaration::decayed).map(d -> d.variable().name()).toList();
    assertEquals(List.of("conv2d1.weight", "dense1.weight"), decayed);
  }

  @Test
  void aResidualAddsWhatItWentPast() {
    Layer body = new Dense(2, new Zeros(), new Zeros());
    assertArrayEquals(
        new double[] {3, -4},
        new LayerRun(new Residual(body)).run(Shape.of(1, 2), 3, -4).output(),
        "an empty body changes nothing");
    Layer doubling = (x, scope) -> x.times(2);
    LayerRun.Result sum = new LayerRun(new Residual(doubling, (x, scope) -> x.times(-1))).run(Shape.of(1, 2), 3, -4);
    assertArrayEquals(new double[] {3, -4}, sum.output());
    assertArrayEquals(new double[] {1, 1}, sum.gradient());
    assertRefused("give it a projection", () -> shape(new Residual(new Dense(5)), 2, 3));
  }

  @Test
  void parallelBranchesAreJoinedByChannelsOrAdded() {
    Layer twice = (x, scope) -> x.times(2);
    Layer thrice = (x, scope) -> x.times(3);
    LayerRun.Result concat =
        new LayerRun(new Parallel(Parallel.Merge.CONCAT, twice, thrice)).run(Shape.of(1, 1, 2, 1), 1, 10);
    assertEquals(Shape.of(1, 1, 2, 2), concat.shape());
    assertArrayEquals(new double[] {2, 3, 20, 30}, concat.output());
    assertArrayEquals(new double[] {5, 5}, concat.gradient());
    LayerRun.Result sum = new LayerRun(new Parallel(Parallel.Merge.SUM, twice, thrice)).run(Shape.of(1, 2), 1, 10);
    assertArrayEquals(new double[] {5, 50}, sum.output());
    assertRefused("the same shape", () -> shape(new Parallel(Parallel.Merge.SUM, new Dense(2), new Dense(3)), 2, 4));
    assertRefused(
        "differ in channels only",
        () -> shape(new Parallel(Parallel.Merge.CONCAT, new Conv2d(2, 1), new Conv2d(2, 3)), 2, 4, 4, 1));
  }

  @Test
  void inputsThatDoNotFitAreRefusedInOneLineWithWhatToDo() {
    assertRefused(
        "dense1: dense: expected vectors [n,features], got [2,5,5,3]; is a Flatten",
        () -> shape(new Sequential(new Dense(3)), 2, 5, 5, 3));
    assertRefused(
        "conv2d: expected images [n,h,w,c], got [2,784]; is it behind a Flatten",
        () -> shape(new Conv2d(4, 3), 2, 784));
    assertRefused("is the input NCHW?", () -> shape(new Conv2d(4, 5), 2, 3, 32, 32));
    assertRefused("have shrunk the image too far", () -> shape(new MaxPool2d(4), 2, 3, 3, 8));
    assertRefused("do not divide into 3 groups", () -> shape(new Conv2d(3, 3).groups(3), 2, 8, 8, 4));
    assertRefused("examples of 10 elements cannot become [3, 4]", () -> shape(new Reshape(3, 4), 2, 10));
    assertRefused(
        "has no fan",
        () -> new LayerRun(new Dense(3, new Zeros(), new dev.lamina.nn.init.He())).run(Shape.of(1, 1), 1));
  }

  @Test
  void layersThatCannotBeAreRefusedWhenTheyAreMade() {
    assertRefused("1 unit or more", () -> new Dense(0));
    assertRefused("a multiple of the groups", () -> new Conv2d(5, 3).groups(2));
    assertRefused("kernel of 1 or more", () -> new Conv2d(5, 0));
    assertRefused("no negative number", () -> new Conv2d(5, 3).padding(-1));
    assertRefused("window of 1 or more", () -> new MaxPool2d(0));
    assertRefused("epsilon above 0", () -> new BatchNorm(0, 0.1));
    assertRefused("momentum from 0 to 1", () -> new BatchNorm(1e-5, 2));
    assertRefused("0 or more and below 1, got 1.0", () -> new Dropout(1));
    assertRefused("0 or more and below 1, got NaN", () -> new Dropout(Double.NaN));
    assertRefused("at most one -1", () -> new Reshape(-1, -1));
    assertRefused("letters, digits", () -> new Named("a.b", new ReLU()));
    assertRefused("the body is missing", () -> new Residual(null));
    assertRefused("at least one branch", () -> new Parallel(Parallel.Merge.SUM));
    assertRefused("std of 0 or more", () -> new Normal(-1));
  }
}
