package dev.lamina.study.experiments;

import dev.lamina.io.BadInputException;
import dev.lamina.study.Study;
import dev.lamina.train.recipe.Nearest;
import java.util.List;

/** All studies there are. */
public final class Studies {
  private static final List<Study> ALL =
      List.of(
          ActivationStatistics.STUDY,
          SigmoidHistograms.STUDY,
          SymmetryStudy.STUDY,
          ZeroCentred.STUDY,
          VanishingGradient.STUDY,
          HeVersusXavier.STUDY,
          PreprocessingStudy.STUDY,
          LsuvStudy.STUDY,
          RbmPretraining.STUDY,
          BatchNormStudy.STUDY,
          RandomVersusGrid.STUDY,
          TwoLayerSearch.STUDY,
          Optimizers.STUDY,
          ReluVersusTanh.STUDY,
          DeadRelu.STUDY,
          DropoutStudy.STUDY,
          EnsembleStudy.STUDY,
          ActivationsStudy.STUDY,
          Hinton.STUDY,
          VanishingRnn.STUDY);

  private Studies() {}

  /** In the order in which a course would come to them. */
  public static List<Study> all() {
    return ALL;
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
