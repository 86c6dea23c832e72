package dev.lamina.cli;

import dev.lamina.device.Devices;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code lamina devices}. */
@Command(
    name = "devices",
    description = "Lists each kind of device: what it is, or why it is not available.",
    mixinStandardHelpOptions = true)
final class DevicesCommand implements Callable<Integer> {
  private final Console console;

  DevicesCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Devices devices = new Devices();
    for (Devices.Entry entry : devices.list()) {
      console.line(
          "%-10s %-14s %s", entry.name(), entry.available() ? "available" : "not available", entry.description());
    }
    console.line("auto takes %s", devices.choose(Devices.AUTO).provider().name());
    return Main.OK;
  }
}
