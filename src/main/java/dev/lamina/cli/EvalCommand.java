package dev.lamina.cli;

import dev.lamina.data.DataSource;
import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.io.BadInputException;
import dev.lamina.train.Ensemble;
import dev.lamina.train.Evaluation;
import dev.lamina.train.TrainedModel;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lamina eval}. */
@Command(
    name = "eval",
    description =
        "Judges a trained model on the test set: loss, accuracy, and which classes are taken for which. Several models"
            + " are judged together, by the mean of what they predict.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class EvalCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(
      arity = "1..*",
      paramLabel = "RUN|FILE",
      description = "A run's folder, its model.safetensors, or one of those that --keep-every left.")
  private List<Path> places;

  @Option(names = "--ensemble", description = "Judges several models together, and each by itself.")
  private boolean ensemble;

  @Option(names = "--data", paramLabel = "mnist|DIR", description = "The data it was trained on, unless given.")
  private String data;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "auto, cuda, cuda:1, cpu or reference; that of the training unless given.")
  private String device;

  @Mixin private DeviceWishes wishes;

  @Mixin private JsonOption json;

  EvalCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    if (ensemble != places.size() > 1) {
      throw new BadInputException(
          ensemble
              ? "an ensemble has several models; name more than " + places.getFirst()
              : "several models are judged together with --ensemble; without it, name one");
    }
    List<SavedModel> all = places.stream().map(SavedModel::find).toList();
    SavedModel saved = all.getFirst();
    DataSource source = DataSource.open(data == null ? saved.recipe().data() : data);
    try (Arena arena = Arena.ofShared();
        Device opened = saved.open(device, wishes);
        Loaded models = Loaded.of(all, opened, console)) {
      Dataset test = saved.recipe().targets(source.test(arena), arena);
      TrainedModel model = models.list.getFirst();
      Evaluation figures = ensemble ? together(new Ensemble(models.list).evaluate(test)) : model.evaluate(test);
      console.line("%s: %,d examples, %s", test.name(), figures.examples(), ConsoleProgress.words(figures));
      if (!Double.isNaN(figures.top5()) && model.classNames().size() > 5) {
        console.line("among the best five: %.2f %%", 100 * figures.top5());
      }
      if (figures.confusion().length > 0) {
        printConfusion(figures.confusion(), model.classNames());
      }
      json.print(console, fields(figures));
    }
    return Main.OK;
  }

  private static Map<String, Object> fields(Evaluation figures) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("examples", figures.examples());
    fields.put("loss", figures.loss());
    fields.put("accuracy", figures.accuracy());
    if (!Double.isNaN(figures.top5())) {
      fields.put("top5", figures.top5());
    }
    fields.put("confusion", figures.confusion());
    return fields;
  }

  /** Models that are closed together. */
  private record Loaded(List<TrainedModel> list) implements AutoCloseable {
    static Loaded of(List<SavedModel> saved, Device device, Console console) {
      Loaded loaded = new Loaded(new ArrayList<>());
      try {
        saved.forEach(each -> loaded.list.add(each.load(device, console)));
        return loaded;
      } catch (RuntimeException e) {
        loaded.close();
        throw e;
      }
    }

    @Override
    public void close() {
      list.forEach(TrainedModel::close);
    }
  }

  /** Prints the members' figures; those of all together. */
  private Evaluation together(Ensemble.Result result) {
    for (int i = 0; i < places.size(); i++) {
      console.line("%s: %s", places.get(i), ConsoleProgress.words(result.members().get(i)));
    }
    double mean = result.members().stream().mapToDouble(Evaluation::accuracy).average().orElseThrow();
    double gain = result.together().accuracy() - mean;
    if (!Double.isNaN(gain)) {
      console.line(
          "mean accuracy of the %d members %.2f %%; together %.2f %% (%+.2f points)",
          places.size(), 100 * mean, 100 * result.together().accuracy(), 100 * gain);
    }
    return result.together();
  }

  /** As many as fit on a screen are shown as a matrix, more as the most frequent mistakes. */
  private void printConfusion(long[][] confusion, List<String> names) {
    if (names.size() > 20) {
      printMistakes(confusion, names);
      return;
    }
    int width = Math.max(6, names.stream().mapToInt(String::length).max().orElse(1) + 1);
    console.line("true class by row, predicted class by column:");
    var header = new StringBuilder(" ".repeat(width));
    names.forEach(name -> header.append(String.format("%" + width + "s", name)));
    console.line("%s", header.append(String.format("%10s", "recall")));
    for (int truth = 0; truth < confusion.length; truth++) {
      var row = new StringBuilder(String.format("%" + width + "s", names.get(truth)));
      long all = 0;
      for (long count : confusion[truth]) {
        row.append(String.format("%" + width + "s", count == 0 ? "·" : Long.toString(count)));
        all += count;
      }
      console.line("%s%9.2f%%", row, all == 0 ? Double.NaN : 100.0 * confusion[truth][truth] / all);
    }
  }

  private void printMistakes(long[][] confusion, List<String> names) {
    record Mistake(int truth, int said, long count) {}

    List<Mistake> mistakes = new ArrayList<>();
    for (int truth = 0; truth < confusion.length; truth++) {
      for (int said = 0; said < confusion.length; said++) {
        if (truth != said && confusion[truth][said] > 0) {
          mistakes.add(new Mistake(truth, said, confusion[truth][said]));
        }
      }
    }
    mistakes.sort(java.util.Comparator.comparingLong(Mistake::count).reversed());
    console.line("most frequent mistakes:");
    mistakes.stream()
        .limit(10)
        .forEach(mistake ->
            console.line("  %s taken for %s: %,d", names.get(mistake.truth), names.get(mistake.said), mistake.count));
  }
}
