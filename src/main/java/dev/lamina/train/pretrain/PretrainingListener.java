package dev.lamina.train.pretrain;

import dev.lamina.device.Preparation;

/** Is told how pre-training goes, on the thread that does it. */
public interface PretrainingListener {
  /** A kernel of the next layer's machine is about to be made ready. */
  default void preparing(Preparation kernel) {}

  /** Gaussian visible units of a layer that is about to learn were looked at. */
  default void measured(HiddenLayer layer, VisibleScale scale) {}

  /**
   * A layer is about to learn.
   *
   * @param examples it learns from
   * @param held those that are held out
   * @param updates of an epoch
   */
  default void started(HiddenLayer layer, int examples, int held, int updates) {}

  /** An update of an epoch is done, or about to be; both counted from 1. */
  default void updated(HiddenLayer layer, int epoch, int update) {}

  /** An epoch is over. */
  default void epochEnded(PretrainingEpoch epoch) {}

  /** Asked after every update: whether to stop, which leaves the layer as it was before. */
  default boolean wantsStop() {
    return false;
  }
}
