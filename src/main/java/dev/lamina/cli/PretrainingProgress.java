package dev.lamina.cli;

import dev.lamina.device.Preparation;
import dev.lamina.train.pretrain.HiddenLayer;
import dev.lamina.train.pretrain.PretrainingEpoch;
import dev.lamina.train.pretrain.PretrainingListener;
import dev.lamina.train.pretrain.PretrainingOptions;
import dev.lamina.train.pretrain.VisibleScale;
import dev.lamina.train.run.PretrainingLog;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import me.tongfei.progressbar.ProgressBar;

/** Shows how pre-training goes: a table for each layer, and a bar within an epoch on a terminal. */
final class PretrainingProgress implements PretrainingListener, AutoCloseable {
  private final Console console;
  private final PretrainingLog log;
  private final StopSignal stop;
  private final PreparationLine preparation;
  private final StatusLine line;
  private final List<PretrainingEpoch> last = new ArrayList<>();
  private Runnable first = () -> {};
  private int layers;
  private PretrainingOptions options;
  private int updates;
  private ProgressBar bar;

  PretrainingProgress(Console console, PretrainingLog log, StopSignal stop) {
    this.console = console;
    this.log = log;
    this.stop = stop;
    preparation = new PreparationLine(console);
    line = new StatusLine(console, TerminalWidth::columns);
  }

  /** Does {@code action} before the first layer learns. */
  void first(Runnable action) {
    first = action;
  }

  /** This, for a pre-training of so many layers with these options. */
  PretrainingProgress of(int allLayers, PretrainingOptions all) {
    layers = allLayers;
    options = all;
    return this;
  }

  @Override
  public void preparing(Preparation kernel) {
    preparation.show(kernel);
  }

  @Override
  public void measured(HiddenLayer layer, VisibleScale scale) {
    if (!scale.isOff()) {
      return;
    }
    preparation.close();
    console.line(
        "%,d of %,d Gaussian visible units have a variance far from the 1 they are taken for: the %,d that vary have"
            + " %.2g to %.2g; prepare inputs with preprocessing: {z_score: pixel}, or whiten with a smaller epsilon",
        scale.far(), scale.units(), scale.units() - scale.constant(), scale.least(), scale.greatest());
  }

  @Override
  public void started(HiddenLayer layer, int examples, int held, int perEpoch) {
    preparation.close();
    first.run();
    first = () -> {};
    log.started(layer, examples, held, perEpoch);
    updates = perEpoch;
    console.line(
        "layer %d of %d, %s: %,d %s visible and %,d hidden units; CD-%d at rate %s, %,d updates an epoch; %,d examples,"
            + " %,d held out",
        layer.number(),
        layers,
        layer.path(),
        layer.visible(),
        layer.units().name().toLowerCase(Locale.ROOT).replace("gaussian", "Gaussian"),
        layer.hidden(),
        options.learning().steps(),
        options.rate(layer.units()),
        perEpoch,
        examples,
        held);
    console.line(
        "%6s %16s %22s %16s %10s %8s", "epoch", "reconstruction", "free energy: training", "validation", "gap", "time");
  }

  @Override
  public void updated(HiddenLayer layer, int epoch, int update) {
    if (!console.terminal()) {
      return;
    }
    if (bar == null) {
      bar = EpochBar.open(line, layer.path() + " " + epoch + "/" + options.epochs(), updates);
    }
    bar.stepTo(update);
  }

  @Override
  public void epochEnded(PretrainingEpoch epoch) {
    clear();
    log.epochEnded(epoch);
    if (epoch.epoch() == epoch.epochs()) {
      last.add(epoch);
    }
    console.line(
        "%6s %16.5f %22s %16s %10s %8s",
        epoch.epoch() + "/" + epoch.epochs(),
        epoch.reconstructionError(),
        energy(epoch.trainingEnergy()),
        energy(epoch.validationEnergy()),
        energy(epoch.gap()),
        ConsoleProgress.duration(epoch.seconds()));
  }

  private static String energy(double value) {
    return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.2f", value).replaceFirst("^-(0\\.0+)$", "$1");
  }

  @Override
  public boolean wantsStop() {
    return stop.wantsStop();
  }

  /** For a program that reads it. */
  Map<String, Object> result(Path run) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("layers", last.stream().map(PretrainingLog::fields).toList());
    result.put("run", run.toString());
    return result;
  }

  /** Takes bar and line away. */
  void clear() {
    preparation.close();
    if (bar != null) {
      bar.close();
      line.close();
      bar = null;
    }
  }

  @Override
  public void close() {
    clear();
  }
}
