package dev.lamina.train;

import dev.lamina.io.AtomicFile;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.SequencedMap;

/**
 * Where a training keeps its models: the best, ready for use, and the last, to be continued from.
 *
 * @param folder of both files
 */
public record Checkpoints(Path folder) {

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

  void writeBest(SequencedMap<String, HostTensor> weights, ModelFile description) {
    description.write(best(), weights);
  }
}
