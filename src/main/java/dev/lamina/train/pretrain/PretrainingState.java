package dev.lamina.train.pretrain;

import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * How far the pre-training of a net is, and how it goes on.
 *
 * @param options of each layer
 * @param layers so many are going to be pre-trained
 * @param done so many of them are
 */
public record PretrainingState(PretrainingOptions options, int layers, int done) {
  /**
   * Checks that it is whole.
   *
   * @throws IllegalArgumentException if it is not
   */
  public PretrainingState {
    if (options == null || layers < 1 || done < 0 || done > layers) {
      throw new IllegalArgumentException(
          "options are missing, or there are not from 0 to " + layers + " layers done, but " + done);
    }
  }

  /** One layer further. */
  public PretrainingState next() {
    return new PretrainingState(options, layers, done + 1);
  }

  /**
   * What {@link #write} wrote.
   *
   * @throws BadInputException if it cannot be read
   */
  public static PretrainingState read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException("there is no pre-training in " + file.getParent() + " that could be continued");
    }
    try {
      return new JsonMapper().readValue(Files.readString(file), PretrainingState.class);
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    } catch (JacksonException e) {
      throw new BadInputException(file + ": cannot be read (" + e.getOriginalMessage() + ")", e);
    }
  }

  /** Replaces {@code file}, all or nothing. */
  public void write(Path file) {
    AtomicFile.writeText(file, new JsonMapper().writeValueAsString(this) + "\n");
  }
}
