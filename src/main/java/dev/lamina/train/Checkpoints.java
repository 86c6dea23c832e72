package dev.lamina.train;

import dev.lamina.io.AtomicFile;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.SequencedMap;

/**
 * Where a training keeps its models: the best, ready for use, the last, to be continued from, and some on the way, if
 * wanted.
 *
 * @param folder of all files
 * @param keepEvery after so many epochs each a model stays, for an ensemble; 0 for none
 */
public record Checkpoints(Path folder, int keepEvery) {
  public Checkpoints {
    if (keepEvery < 0) {
      throw new IllegalArgumentException("keep every: expected 0 or more epochs, got " + keepEvery);
    }
  }

  /** The best and the last. */
  public Checkpoints(Path folder) {
    this(folder, 0);
  }

  /** Weights and statistics after an epoch that is kept, like those of the {@link #best}. */
  public Path kept(int epoch) {
    return folder.resolve("epoch-%03d.safetensors".formatted(epoch));
  }

  /** Weights and statistics of the best epoch, with what {@link ModelFile} says about them. */
  public Path best() {
    return folder.resolve("model.safetensors");
  }

  /** Every variable after the last epoch, or where training was interrupted. */
  public Path last() {
    return folder.resolve("last.safetensors");
  }

  /**
   * Makes sure that both files, each for a moment with its predecessor beside it, can be written; {@code bytes} is the
   * size of all variables.
   */
  void requireWritable(long bytes) {
    AtomicFile.requireWritable(folder, 4 * bytes + (1 << 20));
  }

  void writeLast(CompiledModel model, TrainingState state) {
    try (Arena scratch = Arena.ofConfined()) {
      Checkpoint.write(last(), model.state(scratch), state);
    }
  }

  void writeKept(int epoch, CompiledModel model, ModelFile description) {
    if (keepEvery > 0 && epoch % keepEvery == 0) {
      try (Arena scratch = Arena.ofConfined()) {
        description.write(kept(epoch), model.weights(scratch));
      }
    }
  }

  void writeBest(SequencedMap<String, HostTensor> weights, ModelFile description) {
    description.write(best(), weights);
  }
}
