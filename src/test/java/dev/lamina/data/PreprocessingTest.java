package dev.lamina.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Preprocessing.Basis;
import dev.lamina.data.Preprocessing.Pca;
import dev.lamina.data.Preprocessing.Per;
import dev.lamina.data.Preprocessing.Whiten;
import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PreprocessingTest {
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void close() {
    arena.close();
  }

  private Dataset vectors(int features, float... values) {
    return withoutTargets(HostTensor.of(arena, Shape.of(values.length / features, features), values));
  }

  private Dataset withoutTargets(HostTensor inputs) {
    return Dataset.withTargets("data", inputs, HostTensor.allocate(arena, TensorType.f32(inputs.shape().dim(0))));
  }

  /** Example {@code index} of {@code data} as a model would get it. */
  private float[] prepared(FittedPreprocessing fitted, Dataset data, int index) {
    return fitted.apply(data.input(index), arena).toFloats();
  }

  @Test
  void theApplesLieBetweenZeroAndOne() {
    Dataset apples = vectors(2, 4, 540, 8, 700, 2, 480);
    FittedPreprocessing fitted = new Preprocessing.MinMax().fit(apples);
    assertArrayEquals(new float[] {1 / 3f, 3 / 11f}, prepared(fitted, apples, 0));
    assertArrayEquals(new float[] {1, 1}, prepared(fitted, apples, 1));
    assertArrayEquals(new float[] {0, 0}, prepared(fitted, apples, 2));
  }

  @Test
  void deviationsAreThoseOfThePopulation() {
    Dataset data = vectors(1, 1, 3);
    FittedPreprocessing fitted = new Preprocessing.ZScore().fit(data);
    assertArrayEquals(new float[] {-1}, prepared(fitted, data, 0));
    assertArrayEquals(new float[] {1}, prepared(fitted, data, 1));
  }

  /** 0.1f a thousand times over has a rounded mean and a rounded variance. */
  @Test
  void aConstantFeatureBecomesZeroAlsoWhereItIsNotConstantAnyMore() {
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(1000, 2));
    for (int i = 0; i < 1000; i++) {
      inputs.set(2L * i, 0.1f);
      inputs.set(2L * i + 1, i);
    }
    Dataset data = withoutTargets(inputs);
    Dataset later = vectors(2, 7, 0);
    for (Preprocessing preprocessing : List.of(new Preprocessing.ZScore(), new Preprocessing.MinMax())) {
      FittedPreprocessing fitted = preprocessing.fit(data);
      assertEquals(0f, prepared(fitted, data, 500)[0], preprocessing.word());
      assertEquals(0f, prepared(fitted, later, 0)[0], preprocessing.word());
    }
    assertEquals(0f, prepared(new Preprocessing.Mean().fit(data), data, 3)[0], "the mean of equal values is exact");
  }

  @Test
  void bytesAreMeasuredExactlyInUnitsOf255() {
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, 2, 1, 2, 3));
    double[] values = {0, 255, 10, 255, 255, 20, 0, 255, 30, 255, 255, 40};
    for (int i = 0; i < values.length; i++) {
      images.set(i, values[i]);
    }
    Dataset data = withoutTargets(images);
    FittedPreprocessing channels = new Preprocessing.ZScore().fit(data);
    assertEquals(Shape.of(3), channels.offset().shape());
    assertEquals(0.5, channels.offset().get(0));
    assertEquals(25 / 255.0, channels.offset().get(2));
    assertEquals(2, channels.scale().get(0));
    assertEquals(0, channels.scale().get(1), "a channel that never changes");
    assertEquals(255 / Math.sqrt(125), channels.scale().get(2), 1e-14);
    FittedPreprocessing pixels = new Preprocessing.Mean(Per.PIXEL).fit(data);
    assertEquals(Shape.of(1, 2, 3), pixels.offset().shape());
    assertEquals(20 / 255.0, pixels.offset().get(2));
    assertEquals(30 / 255.0, pixels.offset().get(5));
    assertArrayEquals(new float[] {0, 0, -10 / 255f, 0, 0, -10 / 255f}, prepared(pixels, data, 0));
    assertEquals(new TensorType(Shape.of(1, 2, 3), DType.F32), pixels.apply(data.input(1), arena).type());
    assertEquals(20f, prepared(new Preprocessing.None().fit(data), data, 0)[5], "bytes as they are");
  }

  @Test
  void aLargeMeanDoesNotEatTheDeviationOfFloats() {
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(1000, 1));
    Random random = new Random(4);
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
      inputs.set(i, 65536 + random.nextInt(2));
      sum += inputs.get(i) - 65536;
    }
    double p = sum / 1000;
    FittedPreprocessing fitted = new Preprocessing.ZScore().fit(withoutTargets(inputs));
    assertEquals(65536 + p, fitted.offset().get(0), 1000 * Math.ulp(65536.0));
    assertEquals(1 / Math.sqrt(p * (1 - p)), fitted.scale().get(0), 1e-8);
  }

  /** Covariance ((5, 4), (4, 5)): variance 9 along (1, 1), 1 along (1, −1). */
  private Dataset cross() {
    return vectors(2, 13, 23, 7, 17, 11, 19, 9, 21);
  }

  @Test
  void principalComponentsOfACrossAreItsArms() {
    Dataset cross = cross();
    FittedPreprocessing all = new Pca(null, 1).fit(cross);
    float far = (float) (3 * Math.sqrt(2));
    float near = (float) Math.sqrt(2);
    assertArrayEquals(new float[] {far, 0}, prepared(all, cross, 0), 1e-6f);
    assertArrayEquals(new float[] {-far, 0}, prepared(all, cross, 1), 1e-6f);
    assertArrayEquals(new float[] {0, near}, absolute(prepared(all, cross, 2)), 1e-6f);
    FittedPreprocessing first = Pca.components(1).fit(cross);
    assertEquals(Shape.of(1), first.output());
    assertArrayEquals(new float[] {far}, prepared(first, cross, 0), 1e-6f);
    assertEquals(Shape.of(1), Pca.share(0.89).fit(cross).output());
    assertEquals(Shape.of(2), Pca.share(0.91).fit(cross).output());
    assertEquals(Shape.of(1), new Pca(1, 0.91).fit(cross).output(), "the smaller of the two");
  }

  private static float[] absolute(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.abs(values[i]);
    }
    return values;
  }

  /** Mixed normal numbers: [n, features] with correlation everywhere and a mean that is not 0. */
  private Dataset mixed(int n, int features) {
    Random random = new Random(8);
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(n, features));
    for (int i = 0; i < n; i++) {
      double common = random.nextGaussian();
      for (int j = 0; j < features; j++) {
        inputs.set((long) i * features + j, 5 + j * common + (j + 1) * random.nextGaussian());
      }
    }
    return withoutTargets(inputs);
  }

  /** By its definition. */
  private static double[][] covariance(Dataset data) {
    int features = Math.toIntExact(data.inputType().shape().size());
    double[] mean = new double[features];
    double[][] covariance = new double[features][features];
    for (int i = 0; i < data.size(); i++) {
      for (int j = 0; j < features; j++) {
        mean[j] += data.input(i).get(j) / data.size();
      }
    }
    for (int i = 0; i < data.size(); i++) {
      HostTensor x = data.input(i);
      for (int j = 0; j < features; j++) {
        for (int k = 0; k < features; k++) {
          covariance[j][k] += (x.get(j) - mean[j]) * (x.get(k) - mean[k]) / data.size();
        }
      }
    }
    return covariance;
  }

  /** More examples than a block of the sums, and no multiple of 4. */
  @Test
  void theCovarianceIsThatOfItsDefinition() {
    Dataset data = mixed(603, 5);
    double[] blocks = Covariance.of(data, Moments.of(data, 5).mean());
    double[][] expected = covariance(data);
    for (int i = 0; i < 25; i++) {
      assertEquals(expected[i / 5][i % 5], blocks[i], 1e-12 * expected[4][4]);
    }
  }

  @Test
  void projectedDataAreUncorrelatedAndTheirVariancesDescend() {
    Dataset data = mixed(603, 5);
    double[][] covariance = covariance(new Pca(null, 1).fit(data).apply(data, arena));
    for (int i = 0; i < 5; i++) {
      for (int j = 0; j < 5; j++) {
        if (i != j) {
          // Results are rounded to floats: 2⁻²⁴ of the largest, whose square is the largest variance.
          assertEquals(0, covariance[i][j], 1e-6 * covariance[0][0]);
        }
      }
      assertTrue(i == 0 || covariance[i][i] < covariance[i - 1][i - 1], "variance " + i);
    }
  }

  @ParameterizedTest
  @EnumSource(Basis.class)
  void whitenedDataHaveTheIdentityAsCovarianceButForEpsilon(Basis basis) {
    Dataset data = mixed(603, 5);
    double[] variances = PrincipalComponents.of(Covariance.of(data, Moments.of(data, 5).mean()), 5).variances();
    for (double epsilon : new double[] {1e-6, 0.5}) {
      double[][] covariance = covariance(new Whiten(basis, epsilon).fit(data).apply(data, arena));
      double trace = 0;
      double expectedTrace = 0;
      for (int i = 0; i < 5; i++) {
        double expected = variances[i] / (variances[i] + epsilon);
        trace += covariance[i][i];
        expectedTrace += expected;
        for (int j = 0; j < 5; j++) {
          double identity = i == j ? 1 : 0;
          assertEquals(identity, covariance[i][j], 2e-6 + epsilon / (variances[4] + epsilon), i + ", " + j);
        }
        if (basis == Basis.PCA) {
          assertEquals(expected, covariance[i][i], 2e-6, "along component " + i);
        }
      }
      assertEquals(expectedTrace, trace, 1e-5, "turning back changes no trace");
    }
  }

  @Test
  void zcaIsSymmetricAndKeepsTheShapeOfImages() {
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, 50, 3, 2, 2));
    Random random = new Random(2);
    for (int i = 0; i < images.size(); i++) {
      images.set(i, random.nextInt(256));
    }
    Dataset data = withoutTargets(images);
    FittedPreprocessing zca = new Whiten(Basis.ZCA, 0.01).fit(data);
    assertEquals(Shape.of(3, 2, 2), zca.output());
    for (int i = 0; i < 12; i++) {
      for (int j = 0; j < 12; j++) {
        assertEquals(zca.components().get(i * 12 + j), zca.components().get(j * 12 + i));
      }
    }
    assertEquals(Shape.of(12), new Whiten(Basis.PCA, 0.01).fit(data).output());
  }

  /** Divided by √ε alone, what training never saw would come out enlarged a thousand times. */
  @Test
  void whiteningLeavesOutDirectionsWithoutVariance() {
    Dataset line = vectors(2, 1, 2, 2, 4, 3, 6, 4, 8);
    Dataset beside = vectors(2, 2.5f - 2, 5 + 1);
    for (Basis basis : Basis.values()) {
      float[] prepared = prepared(new Whiten(basis, 1e-6).fit(line), beside, 0);
      assertArrayEquals(new float[] {0, 0}, prepared, 1e-5f, basis + " of what is orthogonal to all examples");
    }
  }

  @Test
  void onlyTheExamplesOfTheViewCount() {
    Dataset data = vectors(1, 1, 3, 100);
    assertEquals(2, new Preprocessing.Mean().fit(data.take(2)).offset().get(0));
    Dataset applied = new Preprocessing.Mean().fit(data).apply(data.subset(new int[] {2, 0}), arena);
    assertEquals(2, applied.size());
    assertEquals(1 - 104 / 3.0, applied.input(1).get(0), 1e-5);
  }

  @Test
  void appliedDataKeepTheirClasses() {
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, 3));
    labels.set(1, 1);
    Dataset data = Dataset.labelled("data", HostTensor.of(arena, Shape.of(3, 1), 1, 2, 3), labels, List.of("a", "b"));
    Dataset applied = new Preprocessing.MinMax().fit(data).apply(data.subset(new int[] {1, 2}), arena);
    assertEquals(1, applied.label(0));
    assertEquals(0, applied.label(1));
    assertEquals(1, applied.target(0).get(0));
    assertEquals(0.5, applied.input(0).get(0));
  }

  @Test
  void zerosOfThePlanHaveTheShapesOfTheFit() {
    Dataset data = mixed(20, 5);
    for (Preprocessing preprocessing :
        List.of(
            new Preprocessing.None(),
            new Preprocessing.Mean(Per.PIXEL),
            new Preprocessing.ZScore(),
            new Preprocessing.MinMax(),
            Pca.components(3),
            new Whiten(Basis.PCA),
            new Whiten(Basis.ZCA))) {
      FittedPreprocessing blank = preprocessing.blank(data.inputType());
      FittedPreprocessing fitted = preprocessing.fit(data);
      assertEquals(fitted.kind(), blank.kind());
      assertEquals(fitted.output(), blank.output());
      assertEquals(fitted.parts().keySet(), blank.parts().keySet());
      fitted.parts().forEach((name, part) -> assertEquals(part.shape(), blank.parts().get(name).shape()));
    }
  }

  @Test
  void whatCannotBeFittedIsOneLine() {
    Dataset data = vectors(2, 1, 2, 3, Float.NaN);
    for (Preprocessing preprocessing :
        List.of(new Preprocessing.Mean(), Pca.components(1), new Whiten(Basis.ZCA), new Preprocessing.MinMax())) {
      assertEquals(
          "data: value 1 of example 1 is NaN; remove the example or repair it",
          assertThrows(BadInputException.class, () -> preprocessing.fit(data)).getMessage());
    }
    Dataset none = data.take(0);
    assertThrows(BadInputException.class, () -> new Preprocessing.Mean().fit(none));
    assertEquals(
        "pca: 3 components are more than the 2 features of inputs F32[2]; ask for at most 2",
        assertThrows(BadInputException.class, () -> Pca.components(3).fit(cross())).getMessage());
    TensorType photo = TensorType.of(DType.U8, 224, 224, 3);
    String line = assertThrows(BadInputException.class, () -> new Whiten(Basis.ZCA).blank(photo)).getMessage();
    assertTrue(line.startsWith("zca whitening compares each feature with each other one, of at most 4096"), line);
  }

  @Test
  void impossibleOnesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> Pca.components(0));
    for (double share : new double[] {0, -0.5, 1.5, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> Pca.share(share));
    }
    for (double epsilon : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(IllegalArgumentException.class, () -> new Whiten(Basis.PCA, epsilon));
    }
  }

  @Test
  void imagesAreCentredAndVectorsScaledUnlessSomethingElseIsSaid() {
    assertEquals(new Preprocessing.Mean(), Preprocessing.usual(TensorType.of(DType.U8, 28, 28, 1)));
    assertEquals(new Preprocessing.ZScore(), Preprocessing.usual(TensorType.f32(4)));
  }
}
