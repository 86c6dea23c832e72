package dev.lamina.study.experiments;

import dev.lamina.io.BadInputException;
import dev.lamina.study.Study;
import dev.lamina.train.recipe.Nearest;
import java.util.List;

/** All studies there are. */
public final class Studies {
  private static final List<Study> ALL =
      List.of(
          new ActivationStatistics(),
          new SigmoidHistograms(),
          new SymmetryStudy(),
          new ZeroCentred(),
          new VanishingGradient(),
          new HeVersusXavier(),
          new PreprocessingStudy(),
          new LsuvStudy(),
          new RbmPretraining(),
          new BatchNormStudy(),
          new RandomVersusGrid(),
          new TwoLayerSearch(),
          new Optimizers(),
          new ReluVersusTanh(),
          new DeadRelu(),
          new DropoutStudy(),
          new EnsembleStudy(),
          new ActivationsStudy(),
          new Hinton(),
          new VanishingRnn());

  private Studies() {}

  /** In the order in which a course would come to them. */
  public static List<Study> all() {
    return ALL;
  }

  /** Whether a study learns from data; some make their own numbers. */
  public static boolean takesData(Study study) {
    return !(study instanceof ActivationStatistics
        || study instanceof SigmoidHistograms
        || study instanceof ZeroCentred
        || study instanceof RandomVersusGrid);
  }

  /**
   * The study of that name.
   *
   * @throws BadInputException if there is none, with the name that was probably meant
   */
  public static Study named(String name) {
    return ALL.stream()
        .filter(study -> study.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new BadInputException(
                "there is no study '" + name + "'" + Nearest.hint(name, ALL.stream().map(Study::name).toList())));
  }
}
