package dev.lamina.study;

import dev.lamina.data.DataSource;
import dev.lamina.device.Device;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * What an experiment runs with.
 *
 * @param device computes everything
 * @param quick whether a smaller experiment will do, which shows the effect but may miss a tolerance
 * @param seed of every draw
 * @param data the examples of experiments that train
 * @param progress is told in words what is being done
 */
public record Setting(Device device, boolean quick, long seed, DataSource data, Consumer<String> progress) {

  /** Tells {@link #progress} what comes next; numbers are written the same way everywhere. */
  @SuppressWarnings("AnnotateFormatMethod") // The annotation would be the only use of another library.
  void doing(String format, Object... arguments) {
    progress.accept(String.format(Locale.ROOT, format, arguments));
  }

  /** {@code small} for a quick run, else {@code full}. */
  int sized(int full, int small) {
    return quick ? small : full;
  }
}
