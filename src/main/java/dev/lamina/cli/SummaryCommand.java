package dev.lamina.cli;

import dev.lamina.device.Device;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.LayerTrace;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lamina summary}. */
@Command(
    name = "summary",
    description =
        "Shows a model's layers with output shapes, parameters and FLOPs, and the memory that a training step needs.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class SummaryCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private WorkloadOptions options;

  SummaryCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Workload workload = options.workload();
    try (Device opened = options.choice(workload).open();
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
