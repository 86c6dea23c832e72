package dev.lamina.study;

import dev.lamina.data.DataSource;
import dev.lamina.device.Device;
import java.util.List;

/** Settings of experiments without times of activations and other devices. */
public final class Settings {
  private Settings() {}

  public static Setting of(Device device, boolean quick, long seed, DataSource data, Watcher watcher) {
    return new Setting(device, quick, seed, data, watcher, null, List::of);
  }
}
