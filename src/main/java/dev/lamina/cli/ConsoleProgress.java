package dev.lamina.cli;

import dev.lamina.device.Preparation;
import dev.lamina.train.EpochReport;
import dev.lamina.train.Evaluation;
import dev.lamina.train.TrainingListener;
import dev.lamina.train.TrainingPlan;
import dev.lamina.train.TrainingProgress;
import dev.lamina.train.UnitVariance;
import java.util.List;
import java.util.Locale;
import java.util.function.IntSupplier;
import me.tongfei.progressbar.ProgressBar;

/** Shows how training goes: a bar on a terminal, a line now and then anywhere else; a line for each epoch in both. */
final class ConsoleProgress implements TrainingListener, AutoCloseable {
  /** Between two lines of a log: often enough to see life, seldom enough to read. */
  private static final long LINE_NANOS = 10_000_000_000L;

  /** In a line of so many characters there is room for all words beside the bar. */
  private static final int ROOMY = 99;

  private final Console console;
  private final StatusLine line;
  private final PreparationLine preparation;
  private ProgressBar bar;
  private long nextLine;

  ConsoleProgress(Console console) {
    this(console, TerminalWidth::columns);
  }

  /** With another source of the terminal's width. */
  ConsoleProgress(Console console, IntSupplier columns) {
    this.console = console;
    line = new StatusLine(console, columns);
    preparation = new PreparationLine(console, columns, System::nanoTime);
  }

  @Override
  public void preparing(Preparation kernel) {
    preparation.show(kernel);
  }

  @Override
  public void scaled(List<UnitVariance.Scaled> layers) {
    preparation.close();
    for (UnitVariance.Scaled layer : layers) {
      if (!layer.isUnit()) {
        console.line(
            "init lsuv: the output of %s has variance %.3g after %d rounds, not 1 to %s: what does not come from its"
                + " weights, such as a large bias, no factor takes away; take another init for it",
            layer.layer(), layer.after(), layer.rounds(), layer.tolerance());
      }
    }
  }

  @Override
  public void started(TrainingPlan plan) {
    preparation.close();
    String held =
        plan.validationExamples() == 0
            ? "none held out: the choice of the best epoch sees training figures only"
            : String.format(Locale.ROOT, "%,d held out for validation", plan.validationExamples());
    console.line(
        "training on %,d examples, %s; %,d parameters, batch %d%s, %d epoch%s of %,d steps",
        plan.trainingExamples(),
        held,
        plan.parameters(),
        plan.batch(),
        plan.accumulate() == 1 ? "" : " × " + plan.accumulate(),
        plan.epochs(),
        plan.epochs() == 1 ? "" : "s",
        plan.stepsPerEpoch());
    nextLine = System.nanoTime() + LINE_NANOS;
  }

  @Override
  public void progressed(TrainingProgress progress) {
    if (console.terminal()) {
      long inEpoch = progress.totalSteps() / progress.epochs();
      if (bar == null) {
        bar = EpochBar.open(line, "epoch " + progress.epoch() + "/" + progress.epochs(), inEpoch);
      }
      bar.stepTo(progress.step() - (progress.epoch() - 1) * inEpoch);
      bar.setExtraMessage(figures(progress, line.room() < ROOMY ? "" : "accuracy "));
    } else if (System.nanoTime() >= nextLine) {
      nextLine = System.nanoTime() + LINE_NANOS;
      console.line("step %,d of %,d:%s", progress.step(), progress.totalSteps(), figures(progress, "accuracy "));
    }
  }

  private static String figures(TrainingProgress progress, String accuracy) {
    return String.format(
        Locale.ROOT,
        " %s, %,.0f images/s, %s left",
        words(progress.figures(), accuracy),
        progress.examplesPerSecond(),
        duration(progress.secondsLeft()));
  }

  @Override
  public void epochEnded(EpochReport report) {
    clear();
    String validation = report.validation() == null ? "" : "; validation " + words(report.validation());
    console.line(
        "epoch %d/%d: training %s%s%s (%,.0f images/s, %s)",
        report.epoch(),
        report.epochs(),
        words(report.training()),
        validation,
        report.best() ? ", the best so far" : "",
        report.examplesPerSecond(),
        duration(report.seconds()));
    nextLine = System.nanoTime() + LINE_NANOS;
  }

  /** Loss and, unless it is a regression, accuracy. */
  static String words(Evaluation figures) {
    return words(figures, "accuracy ");
  }

  private static String words(Evaluation figures, String accuracy) {
    String loss = String.format(Locale.ROOT, "loss %.4f", figures.loss());
    return Double.isNaN(figures.accuracy())
        ? loss
        : String.format(Locale.ROOT, "%s, %s%.2f %%", loss, accuracy, 100 * figures.accuracy());
  }

  /** For example {@code 12 s}, {@code 3 min 20 s}, {@code 2 h 5 min}. */
  static String duration(double seconds) {
    long s = Math.round(seconds);
    if (s < 10) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    } else if (s < 60) {
      return s + " s";
    }
    return s < 3600 ? s / 60 + " min " + s % 60 + " s" : s / 3600 + " h " + s % 3600 / 60 + " min";
  }

  /** Takes the bar away. */
  void clear() {
    preparation.close();
    if (bar != null) {
      bar.close();
      line.close(); // the library can do this too, but not for a bar that is closed before it was first drawn
      bar = null;
    }
  }

  @Override
  public void close() {
    clear();
  }
}
