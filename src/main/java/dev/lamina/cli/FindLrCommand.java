package dev.lamina.cli;

import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import dev.lamina.train.LearningRateFinder;
import dev.lamina.train.LearningRateFinder.Point;
import dev.lamina.train.LearningRateFinder.Range;
import dev.lamina.train.RateCurve;
import dev.lamina.train.RateCurve.Suggestion;
import dev.lamina.train.recipe.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lamina find-lr}. */
@Command(
    name = "find-lr",
    description = {
      "Finds a learning rate: a short training whose rate grows from step to step until the loss explodes.",
      "Prints loss by rate and a suggestion, and draws both. Nothing of the training is kept."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class FindLrCommand implements Callable<Integer> {
  private static final int ROWS = 20;

  private final Console console;

  @Mixin private Rehearsal rehearsal;

  @Option(names = "--from", paramLabel = "RATE", description = "The first rate (1e-6).")
  private double from = Range.DEFAULT.from();

  @Option(names = "--to", paramLabel = "RATE", description = "The last rate, unless the loss explodes before (10).")
  private double to = Range.DEFAULT.to();

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Updates from the first rate to the last, 10 or more (200).")
  private int steps = Range.DEFAULT.steps();

  @Option(
      names = "--out",
      paramLabel = "FILE",
      defaultValue = "lr-finder.png",
      description = "The plot (${DEFAULT-VALUE}).")
  private Path out;

  FindLrCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Range range = new Range(from, to, steps);
    if (Files.isDirectory(out)) {
      throw new BadInputException("cannot write " + out + ": it is a folder; name a file");
    }
    AtomicFile.requireWritable(out.toAbsolutePath().getParent(), 1 << 20);
    return rehearsal.run(
        console,
        (device, recipe, layers, data) -> {
          try (StopSignal stop = new StopSignal()) {
            console.line("trying %d rates from %.2e to %.2e", steps, from, to);
            RateCurve curve;
            try (PreparationLine progress = new PreparationLine(console)) {
              LearningRateFinder finder = new LearningRateFinder(device, layers, recipe.options(), range);
              curve = finder.run(data, progress::show, stop::wantsStop);
            }
            return curve.points().size() < steps && !curve.exploded() ? interrupted(curve) : report(curve, recipe);
          }
        });
  }

  private int interrupted(RateCurve curve) {
    if (!curve.points().isEmpty()) {
      table(curve.points());
    }
    console.line(
        "interrupted after %d of %d steps; nothing was drawn, and the test begins anew when it is run again",
        curve.points().size(), steps);
    return Main.INTERRUPTED;
  }

  private void table(List<Point> points) {
    int every = Math.ceilDiv(points.size(), ROWS);
    console.line("%10s %12s %12s", "rate", "loss", "smoothed");
    for (int i = 0; i < points.size(); i++) {
      if (i % every == 0 || i == points.size() - 1) {
        Point point = points.get(i);
        console.line("%10.2e %12.5f %12.5f", point.rate(), point.loss(), point.smoothed());
      }
    }
  }

  private int report(RateCurve curve, Recipe recipe) {
    List<Point> points = curve.points();
    table(points);
    double last = points.getLast().rate();
    console.line(
        curve.exploded()
            ? "the loss exploded at rate %.2e, after %d steps"
            : "the loss did not explode up to rate %.2e, in %d steps",
        last,
        points.size());
    Optional<Suggestion> suggestion = curve.suggestion();
    console.drawing(() -> {
      RatePlot.write(out, recipe.model().name() + " on " + recipe.data(), curve);
      console.line("drawn in %s", out);
    });
    if (suggestion.isEmpty()) {
      console.line(
          "the loss never fell by more than it varies from batch to batch: none of these rates trains this network;"
              + " lamina check says more about it, --from and --to try others");
      return Main.FAILED;
    }
    Suggestion found = suggestion.get();
    console.line(
        "the loss falls fastest at rate %.2e, where learning is quickest, and is lowest at %.2e, a tenth of which is"
            + " %.2e",
        found.steepest(), found.lowest(), found.tenth());
    console.line(
        "suggestion: --lr %.1e, the smaller of the two: too small a rate costs time, too large a one the training",
        found.rate());
    return Main.OK;
  }
}
