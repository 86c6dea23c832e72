package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.TensorType;
import java.util.Locale;

/**
 * What is done to inputs before the first layer. All but {@link None} learn numbers from data: {@link #fit} takes them
 * from the training part, and what comes of it serves any other part.
 *
 * <p>Bytes are divided by 255 first, except by {@link None}. Variances are those of the population, divided by n.
 */
public sealed interface Preprocessing {

  /** Which values of an image have a mean, or a smallest value, in common. Features of vectors never have. */
  enum Per {
    /** All places of a channel (the last dimension) together. */
    CHANNEL,
    /** Each value of the image has its own. */
    PIXEL
  }

  /** The axes along which whitened values lie. */
  enum Basis {
    /** The principal components, in descending order of variance: a vector. */
    PCA,
    /** Those of the input, turned back: of all whitenings the one nearest to it, and in its shape. */
    ZCA
  }

  /** Nothing: floats as they are, bytes as numbers from 0 to 255. */
  record None() implements Preprocessing {}

  /** {@code x − mean}. */
  record Mean(Per per) implements Preprocessing {
    /** By channel. */
    public Mean() {
      this(Per.CHANNEL);
    }
  }

  /** {@code (x − mean) / std}; what is constant in the training data becomes 0, whatever it is elsewhere. */
  record ZScore(Per per) implements Preprocessing {
    /** By channel. */
    public ZScore() {
      this(Per.CHANNEL);
    }
  }

  /** {@code (x − min) / (max − min)}; what is constant in the training data becomes 0, whatever it is elsewhere. */
  record MinMax(Per per) implements Preprocessing {
    /** By channel. */
    public MinMax() {
      this(Per.CHANNEL);
    }
  }

  /**
   * The principal components (Pearson 1901): coordinates along the eigenvectors of the covariance, those of largest
   * variance first. Images become vectors.
   *
   * @param components how many at most; null for as many as there are features
   * @param share of the variance for which the fewest components are kept, in (0, 1]; 1 keeps all
   */
  record Pca(Integer components, double share) implements Preprocessing {
    /**
     * Checks both.
     *
     * @throws IllegalArgumentException if there is less than 1 component, or the share is not in (0, 1]
     */
    public Pca {
      if (components != null && components < 1) {
        throw new IllegalArgumentException("pca keeps 1 component or more, got " + components);
      }
      if (!(share > 0 && share <= 1)) {
        throw new IllegalArgumentException("the share of the variance is above 0 and at most 1, got " + share);
      }
    }

    /** The first {@code components}. */
    public static Pca components(int components) {
      return new Pca(components, 1);
    }

    /** As few components as hold {@code share} of the variance. */
    public static Pca share(double share) {
      return new Pca(null, share);
    }
  }

  /**
   * Coordinates without correlation and of variance {@code λ / (λ + ε)}, nearly 1 where the variance λ along an
   * eigenvector is well above ε (Bell and Sejnowski 1997). Directions in which the training data has no variance at all
   * are left out: they become 0.
   *
   * @param kind the axes
   * @param epsilon ε, above 0, in the unit of variances of the input: small ones enlarge noise
   */
  record Whiten(Basis kind, double epsilon) implements Preprocessing {
    /** The ε of {@link #Whiten(Basis)}. */
    private static final double USUAL = 1e-5;

    /**
     * Checks ε.
     *
     * @throws IllegalArgumentException if it is not above 0, or infinite
     */
    public Whiten {
      if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
        throw new IllegalArgumentException("the epsilon of whitening is a number above 0, got " + epsilon);
      }
    }

    /** With ε = 1e-5. */
    public Whiten(Basis kind) {
      this(kind, USUAL);
    }
  }

  /**
   * What is usual for {@code example}: the mean of each channel for images, and no more; features of vectors come in
   * different units, so their deviation is divided out too.
   */
  static Preprocessing usual(TensorType example) {
    return example.shape().rank() == 3 ? new Mean() : new ZScore();
  }

  /**
   * Learns the numbers from {@code training}; nothing else may be in it that a model is going to be judged by.
   *
   * @throws BadInputException if there are no examples, a value is not finite, or the data has fewer features than
   *     components are asked for, or more than 4096 for a covariance
   */
  default FittedPreprocessing fit(Dataset training) {
    if (!(this instanceof None) && (training.size() == 0 || training.inputType().shape().size() == 0)) {
      throw new BadInputException(training.name() + ": a preprocessing cannot be fitted without examples");
    }
    return PreprocessingFit.of(this, training);
  }

  /**
   * Zeros of the shapes that {@link #fit} would give for inputs like {@code example}, as far as they are known
   * beforehand: for plans of memory and time without data.
   *
   * @throws BadInputException as {@link #fit}
   */
  default FittedPreprocessing blank(TensorType example) {
    return PreprocessingFit.blank(this, example);
  }

  /** The word for it in messages. */
  default String word() {
    return switch (this) {
      case None _ -> "none";
      case Mean _ -> "mean";
      case ZScore _ -> "z_score";
      case MinMax _ -> "min_max";
      case Pca _ -> "pca";
      case Whiten(Basis kind, double _) -> kind.name().toLowerCase(Locale.ROOT) + " whitening";
    };
  }
}
