package dev.lamina.train;

/**
 * What a training is going to do.
 *
 * @param device name of the device
 * @param parameters learned values of the model
 * @param trainingExamples that weights are fitted to
 * @param validationExamples held out to judge by
 * @param batch examples of one pass
 * @param accumulate passes of one update
 * @param epochs passes over the data
 * @param stepsPerEpoch updates of one epoch
 * @param firstStep updates done by an earlier run that this one continues; 0 for a new one
 */
public record TrainingPlan(
    String device,
    long parameters,
    int trainingExamples,
    int validationExamples,
    int batch,
    int accumulate,
    int epochs,
    int stepsPerEpoch,
    long firstStep) {

  /** Updates of the whole training. */
  public long totalSteps() {
    return (long) epochs * stepsPerEpoch;
  }
}
