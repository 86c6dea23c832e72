package dev.lamina.train.run;

import dev.lamina.io.BadInputException;
import dev.lamina.train.pretrain.PretrainingEpoch;
import dev.lamina.train.pretrain.PretrainingListener;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Writes the epochs of a pre-training to a file, one JSON object a line. */
public final class PretrainingLog implements PretrainingListener {
  private static final JsonMapper JSON = new JsonMapper();

  private final Path file;

  /** Appends to {@code file}. */
  public PretrainingLog(Path file) {
    this.file = file;
  }

  @Override
  public void epochEnded(PretrainingEpoch epoch) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "pretraining");
    line.putAll(fields(epoch));
    line.put("seconds", epoch.seconds());
    try {
      Files.writeString(
          file,
          JSON.writeValueAsString(line) + "\n",
          StandardCharsets.UTF_8,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw BadInputException.access("write", file, e);
    }
  }

  /** The figures of an epoch by name; without free energies where nothing is held out. */
  public static Map<String, Object> fields(PretrainingEpoch epoch) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("layer", epoch.layer().path());
    fields.put("epoch", epoch.epoch());
    fields.put("reconstruction_error", epoch.reconstructionError());
    if (!Double.isNaN(epoch.gap())) {
      fields.put("training_free_energy", epoch.trainingEnergy());
      fields.put("validation_free_energy", epoch.validationEnergy());
      fields.put("free_energy_gap", epoch.gap());
    }
    return fields;
  }
}
