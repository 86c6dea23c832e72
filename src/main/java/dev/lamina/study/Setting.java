package dev.lamina.study;

import dev.lamina.data.DataSource;
import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.device.Devices;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * What an experiment runs with.
 *
 * @param device computes everything
 * @param quick whether a smaller experiment will do, which shows the effect but may miss a tolerance
 * @param seed decides every draw, by {@link #seed(int)}
 * @param data the examples of experiments that train
 * @param watcher is told in words what is being done
 * @param times of activations for experiments that show some, or null if nobody has measured them
 * @param others finds the other devices that are here, for experiments that compare their speed
 */
public record Setting(
    Device device,
    boolean quick,
    long seed,
    DataSource data,
    Watcher watcher,
    ActivationTimes times,
    Supplier<List<Devices.Choice>> others) {

  /** Draws that an experiment may make of one kind: more than any does. */
  private static final int DRAWS = 1000;

  /** The same on another device. */
  public Setting on(Device other) {
    return new Setting(other, quick, seed, data, watcher, times, others);
  }

  /** A verdict by a figure that was chosen for MNIST: none on other data. */
  public Verdict onMnist(Verdict verdict) {
    return data instanceof Mnist ? verdict : verdict.madeFor("MNIST");
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

  /**
   * An empty table, shown to {@link #watcher} before it is filled, so that what is done survives an end before the end.
   */
  public Table table(String name, String title, List<String> columns) {
    Table table = new Table(name, title, columns);
    watcher.begun(table);
    return table;
  }

  /**
   * The seed of the draw {@code number} of an experiment: no two of its draws and no two experiments whose {@link
   * #seed} is another have one in common.
   *
   * @throws IllegalArgumentException if there are not so many
   */
  public long seed(int number) {
    if (number < 0 || number >= DRAWS) {
      throw new IllegalArgumentException("an experiment has " + DRAWS + " draws, asked for number " + number);
    }
    return seed * DRAWS + number;
  }

  /** {@code small} for a quick run, else {@code full}. */
  public int sized(int full, int small) {
    return quick ? small : full;
  }
}
