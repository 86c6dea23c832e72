package dev.lamina.data;

/** In which order the examples of an epoch come, and what happens to those that do not fill a batch. */
public sealed interface BatchOrder {

  /**
   * For training: a new random order in every epoch, which depends on nothing but seed and epoch. Examples that do not
   * fill the last batch are left out of this epoch; it is others in the next.
   */
  record Shuffled(long seed) implements BatchOrder {}

  /** For evaluation: as they lie. The last batch is filled up with zeros, which have weight 0. */
  record Sequential() implements BatchOrder {}

  /** The number of batches of one epoch. */
  default int batches(int examples, int batchSize) {
    return switch (this) {
      case Shuffled _ -> examples / batchSize;
      case Sequential _ -> Math.ceilDiv(examples, batchSize);
    };
  }
}
