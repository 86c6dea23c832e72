package dev.lamina.train;

import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.io.SafetensorsFile;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A training that can be continued, as a safetensors file: every variable, and the state of the loop as JSON in the
 * metadata.
 *
 * @param tensors by name
 * @param state of the loop
 */
record Checkpoint(Map<String, HostTensor> tensors, TrainingState state) {
  private static final String KEY = "lamina.training";

  /** Replaces {@code file}, all or nothing. */
  static void write(Path file, SequencedMap<String, HostTensor> tensors, TrainingState state) {
    Safetensors.write(file, tensors, Map.of(KEY, new JsonMapper().writeValueAsString(state)));
  }

  /**
   * Reads {@code file}.
   *
   * @throws BadInputException if it is no checkpoint
   */
  static Checkpoint read(Path file, Arena arena) {
    SafetensorsFile saved = Safetensors.read(file, arena);
    String state = saved.metadata().get(KEY);
    if (state == null) {
      throw new BadInputException(file + ": holds a model, but no training that could be continued");
    }
    try {
      return new Checkpoint(saved.tensors(), new JsonMapper().readValue(state, TrainingState.class));
    } catch (JacksonException e) {
      throw new BadInputException(
          file + ": the state of the training cannot be read (" + e.getOriginalMessage() + ")", e);
    }
  }
}
