package dev.lamina.data;

import dev.lamina.data.FittedPreprocessing.Kind;
import dev.lamina.io.BadInputException;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.Arrays;

/** How each preprocessing learns its numbers. */
final class PreprocessingFit {
  private PreprocessingFit() {}

  static FittedPreprocessing of(Preprocessing preprocessing, Dataset data) {
    TensorType example = data.inputType();
    return switch (preprocessing) {
      case Preprocessing.None _ -> FittedPreprocessing.none(example);
      case Preprocessing.Mean(Preprocessing.Per per) -> {
        Shape shape = shape(example, per);
        yield scaled(Kind.MEAN, example, shape, moments(data, shape).mean(), null);
      }
      case Preprocessing.ZScore(Preprocessing.Per per) -> {
        Shape shape = shape(example, per);
        Moments moments = moments(data, shape);
        yield scaled(Kind.Z_SCORE, example, shape, moments.mean(), inverses(moments.std()));
      }
      case Preprocessing.MinMax(Preprocessing.Per per) -> {
        Shape shape = shape(example, per);
        Moments moments = moments(data, shape);
        double[] ranges = new double[moments.least().length];
        Arrays.setAll(ranges, i -> moments.largest()[i] - moments.least()[i]);
        yield scaled(Kind.MIN_MAX, example, shape, moments.least(), inverses(ranges));
      }
      case Preprocessing.Pca pca -> {
        int most = components(pca, example);
        double[] mean = moments(data, example.shape()).mean();
        PrincipalComponents found = PrincipalComponents.of(Covariance.of(data, mean), mean.length);
        int kept = Math.min(most, found.holding(pca.share()));
        yield rotated(Kind.PCA, example, Shape.of(kept), mean, found.projection(kept));
      }
      case Preprocessing.Whiten(Preprocessing.Basis basis, double epsilon) -> {
        int features = Covariance.features(example.shape(), preprocessing.word());
        double[] mean = moments(data, example.shape()).mean();
        PrincipalComponents found = PrincipalComponents.of(Covariance.of(data, mean), features);
        yield switch (basis) {
          case PCA -> rotated(Kind.PCA_WHITENING, example, Shape.of(features), mean, found.whitening(epsilon));
          case ZCA -> rotated(Kind.ZCA_WHITENING, example, example.shape(), mean, found.turnedBack(epsilon));
        };
      }
    };
  }

  static FittedPreprocessing blank(Preprocessing preprocessing, TensorType example) {
    return switch (preprocessing) {
      case Preprocessing.None _ -> FittedPreprocessing.none(example);
      case Preprocessing.Mean(Preprocessing.Per per) -> blankScaled(Kind.MEAN, example, shape(example, per), false);
      case Preprocessing.ZScore(Preprocessing.Per per) -> blankScaled(Kind.Z_SCORE, example, shape(example, per), true);
      case Preprocessing.MinMax(Preprocessing.Per per) -> blankScaled(Kind.MIN_MAX, example, shape(example, per), true);
      case Preprocessing.Pca pca -> blankRotated(Kind.PCA, example, Shape.of(components(pca, example)));
      case Preprocessing.Whiten(Preprocessing.Basis basis, double _) -> {
        int features = Covariance.features(example.shape(), preprocessing.word());
        yield switch (basis) {
          case PCA -> blankRotated(Kind.PCA_WHITENING, example, Shape.of(features));
          case ZCA -> blankRotated(Kind.ZCA_WHITENING, example, example.shape());
        };
      }
    };
  }

  private static Shape shape(TensorType example, Preprocessing.Per per) {
    return per == Preprocessing.Per.PIXEL ? example.shape() : Shape.of(example.shape().last());
  }

  private static Moments moments(Dataset data, Shape shape) {
    return Moments.of(data, Math.toIntExact(shape.size()));
  }

  /** What never changes is multiplied by 0: no model can have learned what it means when it does. */
  private static double[] inverses(double[] spreads) {
    return Arrays.stream(spreads).map(spread -> spread == 0 ? 0 : 1 / spread).toArray();
  }

  /** How many are kept at most. */
  private static int components(Preprocessing.Pca pca, TensorType example) {
    int features = Covariance.features(example.shape(), pca.word());
    if (pca.components() != null && pca.components() > features) {
      throw new BadInputException(
          "pca: "
              + pca.components()
              + " components are more than the "
              + features
              + " features of inputs "
              + example
              + "; ask for at most "
              + features);
    }
    return pca.components() == null ? features : pca.components();
  }

  private static FittedPreprocessing scaled(
      Kind kind, TensorType example, Shape shape, double[] offset, double[] scale) {
    return new FittedPreprocessing(
        kind,
        example,
        example.shape(),
        new Coefficients(shape, offset),
        scale == null ? null : new Coefficients(shape, scale),
        null);
  }

  private static FittedPreprocessing rotated(
      Kind kind, TensorType example, Shape output, double[] mean, double[] matrix) {
    Shape square = Shape.of(Math.toIntExact(output.size()), mean.length);
    return new FittedPreprocessing(
        kind, example, output, new Coefficients(example.shape(), mean), null, new Coefficients(square, matrix));
  }

  private static FittedPreprocessing blankScaled(Kind kind, TensorType example, Shape shape, boolean scales) {
    double[] scale = scales ? new double[Math.toIntExact(shape.size())] : null;
    return scaled(kind, example, shape, new double[Math.toIntExact(shape.size())], scale);
  }

  private static FittedPreprocessing blankRotated(Kind kind, TensorType example, Shape output) {
    int features = Math.toIntExact(example.shape().size());
    double[] matrix = new double[Math.multiplyExact(Math.toIntExact(output.size()), features)];
    return rotated(kind, example, output, new double[features], matrix);
  }
}
