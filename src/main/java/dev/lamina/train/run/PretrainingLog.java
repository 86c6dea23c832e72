package dev.lamina.train.run;

import dev.lamina.train.pretrain.HiddenLayer;
import dev.lamina.train.pretrain.PretrainingEpoch;
import dev.lamina.train.pretrain.PretrainingListener;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes the epochs of a pre-training to a file, one JSON object a line. */
public final class PretrainingLog implements PretrainingListener {
  private final JsonLines lines;

  /** Appends to {@code file}. */
  public PretrainingLog(Path file) {
    lines = new JsonLines(file);
  }

  /** A layer begins from the beginning: what an earlier run has told of it, or of one above it, is done again. */
  @Override
  public void started(HiddenLayer layer, int examples, int held, int updates) {
    lines.endTornLine();
    lines.cutFrom(line -> line.path("layer").asString("").equals(layer.path()));
  }

  @Override
  public void epochEnded(PretrainingEpoch epoch) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", "pretraining");
    line.putAll(fields(epoch));
    line.put("seconds", epoch.seconds());
    lines.append(line);
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
