package dev.lamina.cli;

import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lamina devices}. */
@Command(
    name = "devices",
    description = "Lists each device: what it is and what it stands on, or why it is not available.",
    mixinStandardHelpOptions = true)
final class DevicesCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private CudaFolders cuda;

  DevicesCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Devices devices = new Devices();
    DeviceOptions options = cuda.in(DeviceOptions.DEFAULT);
    for (Devices.Entry entry : devices.list(options)) {
      console.line(
          "%-10s %-14s %s", entry.name(), entry.available() ? "available" : "not available", entry.description());
      entry.details().forEach(line -> console.line("%10s %s", "", line));
    }
    console.line("auto takes %s", devices.choose(Devices.AUTO, options).provider().name());
    return Main.OK;
  }
}
