package dev.lamina.cli;

import dev.lamina.device.Device;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.LayerTrace;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lamina summary}. */
@Command(
    name = "summary",
    description =
        "Shows a model's layers with output shapes, parameters and FLOPs, and the memory that a training step needs.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class SummaryCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL|RECIPE|RUN",
      description = "Name of a model, a recipe, or a run; the default model unless given.")
  private String subject;

  @Option(names = "--data", paramLabel = "mnist|DIR", description = "Data that decides input and classes.")
  private String data;

  @Option(names = "--batch", paramLabel = "N|full", description = "Examples of one pass.")
  private String batch;

  @Option(names = "--device", paramLabel = "NAME", description = "The device whose memory is planned.")
  private String device;

  @Mixin private DeviceWishes wishes;

  SummaryCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Workload workload = Workload.of(subject, data, batch, device);
    try (Device opened = DeviceChoice.of(workload.recipe().device(), wishes.options(workload.recipe())).open();
        CompiledModel model = workload.compile(opened, console)) {
      int examples = workload.spec().batch();
      console.line("%s, input %s", workload.recipe().model().name(), workload.spec().example());
      console.line("%-36s %-20s %12s %14s", "layer", "output", "parameters", "MFLOPs/image");
      long flops = 0;
      for (LayerTrace layer : model.layers()) {
        flops += layer.flops();
        console.line(
            "%-36s %-20s %,12d %14.3f",
            layer.path(), layer.output().shape(), layer.parameters(), layer.flops() / 1e6 / examples);
      }
      console.line("%-36s %-20s %,12d %14.3f", "all", "", model.parameters().count(), flops / 1e6 / examples);
      CompiledModel.MemoryNeed memory = model.memory();
      console.line(
          "a training step with batch %d on %s takes %s: %s for weights, statistics and optimizer, %s for intermediate"
              + " values, %s for inputs and results",
          examples,
          opened.name(),
          bytes(memory.total()),
          bytes(memory.variables()),
          bytes(memory.arena()),
          bytes(memory.staged()));
    }
    return Main.OK;
  }

  private static String bytes(long bytes) {
    return bytes < 1L << 30
        ? String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20))
        : String.format(Locale.ROOT, "%.2f GiB", bytes / (double) (1L << 30));
  }
}
