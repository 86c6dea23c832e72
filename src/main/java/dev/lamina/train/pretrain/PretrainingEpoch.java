package dev.lamina.train.pretrain;

/**
 * How a machine stands after an epoch.
 *
 * @param layer which
 * @param epoch counted from 1
 * @param epochs of this layer
 * @param reconstructionError the mean squared difference of a visible unit from its reconstruction, over the epoch
 * @param trainingEnergy the mean free energy of some training examples, the same each time, as many as are held out
 * @param validationEnergy that of the examples held out; NaN if there are none
 * @param seconds it took
 */
public record PretrainingEpoch(
    HiddenLayer layer,
    int epoch,
    int epochs,
    double reconstructionError,
    double trainingEnergy,
    double validationEnergy,
    double seconds) {

  /**
   * By how much more the machine expects training examples than others: a gap that grows is over-fitting (Hinton 2010,
   * section 6). Free energies by themselves have no zero. NaN if nothing is held out.
   */
  public double gap() {
    return validationEnergy - trainingEnergy;
  }
}
