package dev.lamina.cli;

import dev.lamina.device.Device;
import dev.lamina.device.Devices;
import dev.lamina.device.Program;
import dev.lamina.graph.Cost;
import dev.lamina.graph.Node;
import dev.lamina.train.CompiledModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lamina profile}. */
@Command(
    name = "profile",
    description = {
      "Times each operation of one training step.",
      "The roof is what this machine reaches in a large matrix product and in a large copy; an operation's share is of"
          + " the one that binds it. Bytes are counted as if nothing stayed in a cache, so a share can exceed 100 %%."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ProfileCommand implements Callable<Integer> {
  /** Enough for the virtual machine's compiler to be done with the default model: with the loops of few rounds, too. */
  private static final long WARM_NANOS = 5_000_000_000L;

  private final Console console;

  @Mixin private WorkloadOptions options;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "20",
      description = "Steps that are timed; the table shows medians (${DEFAULT-VALUE}).")
  private int steps;

  ProfileCommand(Console console) {
    this.console = console;
  }

  /** One operation with its time. */
  private record Row(Node node, double seconds, Cost cost) {}

  @Override
  public Integer call() {
    if (steps < 1) {
      throw new IllegalArgumentException("--steps: expected 1 or more, got " + steps);
    }
    Workload workload = options.workload();
    Devices.Choice choice = options.choice(workload);
    console.line("%s", choice.reason());
    try (Device opened = choice.open();
        CompiledModel model = workload.compile(opened, console)) {
      long end = System.nanoTime() + (opened.name().equals("reference") || !opened.warmsUp() ? 0 : WARM_NANOS);
      var runs = new AtomicInteger();
      model.warmUp(() -> runs.getAndIncrement() >= 2 && System.nanoTime() > end);
      model.initialise();
      print(rows(model.updateProgram(), opened), Roof.measure(opened), workload);
    }
    return Main.OK;
  }

  private List<Row> rows(Program program, Device opened) {
    List<Program.Part> parts = program.parts();
    double[][] seconds = new double[parts.size()][steps];
    for (int step = 0; step < steps; step++) {
      for (int part = 0; part < parts.size(); part++) {
        long start = System.nanoTime();
        parts.get(part).step().run();
        opened.synchronize();
        seconds[part][step] = (System.nanoTime() - start) * 1e-9;
      }
    }
    List<Row> rows = new ArrayList<>();
    for (int part = 0; part < parts.size(); part++) {
      Arrays.sort(seconds[part]);
      Node node = parts.get(part).node();
      rows.add(new Row(node, seconds[part][steps / 2], Cost.of(node.op(), node.inputTypes())));
    }
    return rows;
  }

  private void print(List<Row> rows, Roof roof, Workload workload) {
    console.line("roof: %.1f GFLOP/s in a matrix product, %.1f GB/s in a copy", roof.flops() / 1e9, roof.bytes() / 1e9);
    console.line(
        "%9s %7s %10s %9s %7s  %-9s %-34s %s", "ms", "time", "GFLOP/s", "GB/s", "roof", "phase", "operation", "layer");
    double all = rows.stream().mapToDouble(Row::seconds).sum();
    rows.stream()
        .sorted(Comparator.comparingDouble(Row::seconds).reversed())
        .forEach(row ->
            console.line(
                "%9.4f %6.1f%% %10.2f %9.2f %6.1f%%  %-9s %-34s %s",
                1e3 * row.seconds,
                100 * row.seconds / all,
                row.cost.flops() / 1e9 / row.seconds,
                row.cost.bytes() / 1e9 / row.seconds,
                100 * roof.share(row.cost, row.seconds),
                row.node.phase().name().toLowerCase(java.util.Locale.ROOT),
                row.node.op().label(),
                row.node.layer()));
    double flops = rows.stream().mapToDouble(row -> row.cost.flops()).sum();
    double bytes = rows.stream().mapToDouble(row -> row.cost.bytes()).sum();
    console.line(
        "%9.4f  one step of batch %d: %.2f GFLOP/s, %.2f GB/s, %,.0f images/s",
        1e3 * all, workload.spec().batch(), flops / all / 1e9, bytes / all / 1e9, workload.spec().batch() / all);
  }
}
