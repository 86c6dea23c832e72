package dev.lamina.study;

import dev.lamina.data.DataSource;
import dev.lamina.device.Device;
import java.util.Locale;

/**
 * What an experiment runs with.
 *
 * @param device computes everything
 * @param quick whether a smaller experiment will do, which shows the effect but may miss a tolerance
 * @param seed of every draw
 * @param data the examples of experiments that train
 * @param watcher is told in words what is being done
 * @param times of activations on the device for experiments that show some, or null if nobody has measured them
 */
public record Setting(
    Device device, boolean quick, long seed, DataSource data, Watcher watcher, ActivationTimes times) {

  /** Without times of activations. */
  public Setting(Device device, boolean quick, long seed, DataSource data, Watcher watcher) {
    this(device, quick, seed, data, watcher, null);
  }

  /**
   * Tells {@link #watcher} what comes next; numbers are written the same way everywhere.
   *
   * @throws Watcher.Stopped if it wants the experiment to end here
   */
  @SuppressWarnings("AnnotateFormatMethod") // The annotation would be the only use of another library.
  public void doing(String format, Object... arguments) {
    goOn();
    watcher.doing(String.format(Locale.ROOT, format, arguments));
  }

  /** Ends the experiment here if its {@link #watcher} wants that. */
  public void goOn() {
    if (watcher.wantsStop()) {
      throw new Watcher.Stopped();
    }
  }

  /** Shows a table to {@link #watcher} before it is filled, so that what is done survives an end before the end. */
  public Table begun(Table table) {
    watcher.begun(table);
    return table;
  }

  /** {@code small} for a quick run, else {@code full}. */
  public int sized(int full, int small) {
    return quick ? small : full;
  }
}
