package dev.lamina.cli;

import dev.lamina.data.DataSource;
import dev.lamina.data.Dataset;
import dev.lamina.data.Mnist;
import dev.lamina.device.Device;
import dev.lamina.device.Devices;
import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.Diagnosis;
import dev.lamina.train.DivergenceException;
import dev.lamina.train.Evaluation;
import dev.lamina.train.Fit;
import dev.lamina.train.ModelStatistics;
import dev.lamina.train.TrainedModel;
import dev.lamina.train.Trainer;
import dev.lamina.train.TrainingListener;
import dev.lamina.train.TrainingPlan;
import dev.lamina.train.TrainingReport;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeText;
import dev.lamina.train.run.MetricsLog;
import dev.lamina.train.run.RunFolder;
import dev.lamina.train.run.RunReport;
import dev.lamina.train.run.StatisticsLog;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lamina train}. */
@Command(
    name = "train",
    description =
        "Trains a model and writes a run folder: weights, metrics, recipe and plot. Options win over the recipe.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class TrainCommand implements Callable<Integer> {
  /** Of MNIST's decoding: known before it is over. */
  private static final TensorType MNIST_EXAMPLE = TensorType.of(DType.U8, 28, 28, 1);

  private static final int MNIST_CLASSES = 10;

  /** What a run that goes on can be given anew: how far and where. It can begin to be deterministic, not cease to. */
  private static final Set<String> ON_RESUMING =
      Set.of("epochs", "threads", "device", "deterministic", "statistics_every", "keep_every");

  private final Console console;

  @Parameters(
      arity = "0..1",
      paramLabel = "RECIPE",
      description = "A YAML file in which all of this, the layers included, can be written.")
  private Path recipeFile;

  @Mixin private RecipeOptions options;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data.")
  private String epochs;

  @Option(
      names = "--ema",
      paramLabel = "DECAY",
      description = "Judges and saves an exponential moving average of the weights: 0.999.")
  private String ema;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Decides initial weights, data order, dropout and what is held out.")
  private String seed;

  @Option(
      names = "--statistics-every",
      paramLabel = "N",
      description =
          "Looks inside the model every N updates (100; 0 for never), for layers.jsonl, two plots and warnings: what"
              + " activations, gradients and updates are like, which units are dead or saturated.")
  private String statisticsEvery;

  @Option(
      names = "--keep-every",
      paramLabel = "N",
      description = "Keeps the model of every N-th epoch beside the best, for an ensemble (lamina eval).")
  private String keepEvery;

  @Option(
      names = "--from",
      paramLabel = "MODEL|RUN",
      description = "Begins with the weights of a saved model of the same layers, pre-trained ones for example.")
  private String from;

  @Option(names = "--out", paramLabel = "DIR", description = "Folder of the run; runs/<date>-<model>-<n> unless given.")
  private String out;

  @Option(names = "--resume", paramLabel = "RUN", description = "Continues a run, exactly as if it had never stopped.")
  private Path resume;

  @Mixin private JsonOption json;

  TrainCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    RecipeText text = new RecipeText();
    Recipe recipe = resume == null ? newRecipe(text) : resumedRecipe(text);
    Devices.Choice choice = options.device(recipe);
    console.line(choice.reason());
    DataSource source = DataSource.open(recipe.data());
    RunFolder run = resume == null ? RunFolder.create(recipe.out(), recipe.model().name()) : RunFolder.open(resume);
    try (StopSignal stop = new StopSignal(); // closed last: the process may end then
        var _ = run.lock();
        Arena arena = Arena.ofShared();
        Device opened = choice.open()) {
      return train(recipe, text, source, run, opened, arena, stop);
    } catch (RuntimeException e) {
      run.deleteIfEmpty();
      throw e;
    }
  }

  private Recipe newRecipe(RecipeText text) {
    return recipeFile == null ? text.parse("", "", overrides()) : text.read(recipeFile, overrides());
  }

  private Recipe resumedRecipe(RecipeText text) {
    for (RecipeText.Setting override : overrides()) {
      if (!ON_RESUMING.contains(override.key())) {
        throw new BadInputException(
            override.option()
                + " cannot be given with --resume: a run goes on as it began; start a new one to change it");
      }
    }
    if (recipeFile != null) {
      throw new BadInputException("a run goes on with its own recipe; leave out " + recipeFile + " or --resume");
    }
    return text.read(RunFolder.open(resume).recipe(), overrides());
  }

  private List<RecipeText.Setting> overrides() {
    Map<String, String> given = new LinkedHashMap<>(options.given());
    given.put("epochs", epochs);
    given.put("ema", ema);
    given.put("seed", seed);
    given.put("statistics_every", statisticsEvery);
    given.put("keep_every", keepEvery);
    given.put("from", from);
    given.put("out", out);
    return RecipeOptions.settings(given);
  }

  /** Writes the recipe when nothing can go wrong any more before the first step: a folder with a recipe is a run. */
  private record RecipeKeeper(Path file, String text) implements TrainingListener {
    @Override
    public void started(TrainingPlan plan) {
      AtomicFile.writeText(file, text);
    }
  }

  /**
   * What is made ready while the first kernels are compiled.
   *
   * @param training what is learned from
   * @param test decoded already, because a broken file shall be found before training, not after
   * @param recipe the whole recipe as text, without the folder: it shall be good for another run
   */
  private record Parts(Dataset training, Dataset test, String recipe) {}

  private int train(
      Recipe recipe, RecipeText text, DataSource source, RunFolder run, Device opened, Arena arena, StopSignal stop) {
    CompletableFuture<Parts> decoding =
        CompletableFuture.supplyAsync(
            () ->
                new Parts(
                    recipe.targets(source.train(arena), arena),
                    recipe.targets(source.test(arena), arena),
                    text.write(recipe.withOut(null))),
            task -> Thread.ofPlatform().daemon().start(task));
    if (source instanceof Mnist) {
      Trainer rehearsal =
          new Trainer(opened, recipe.layers(MNIST_CLASSES, MNIST_EXAMPLE.shape())).options(recipe.options());
      rehearsal.warmUp(MNIST_EXAMPLE, decoding::isDone);
    }
    Parts parts = await(decoding);
    MetricsLog metrics = new MetricsLog(run.metrics());
    Trainer trainer =
        new Trainer(opened, recipe.layers(parts.training.classes(), parts.training.inputType().shape()))
            .options(recipe.options())
            .checkpoints(run.checkpoints(recipe.keepEvery()), parts.recipe)
            .listener(new RecipeKeeper(run.recipe(), parts.recipe))
            .listener(metrics)
            .listener(new StatisticsLog(run.layers()));
    if (resume != null && !run.isFresh()) {
      if (Files.exists(run.pretraining())) {
        throw new BadInputException(
            run.path() + " is a pre-training; fine-tune with: lamina train " + run.recipe() + " --from " + run.path());
      }
      if (!Files.exists(run.checkpoints().last())) {
        throw new BadInputException(
            run.path()
                + " has a model, but no last.safetensors to go on from; begin anew with: lamina train "
                + run.recipe());
      }
      trainer.resume();
    }
    try (ConsoleProgress progress = new ConsoleProgress(console)) {
      Diagnosis diagnosis =
          new Diagnosis(
              recipe.lr(),
              finding -> {
                console.line("%s", finding.words());
                metrics.found(finding);
              });
      trainer.listener(stop).listener(progress).listener(diagnosis);
      try (TrainedModel trained = trainer.fit(parts.training)) {
        progress.clear();
        return finish(trained, parts, recipe, run, metrics);
      } catch (DivergenceException e) {
        progress.clear();
        metrics.found(new Diagnosis.Finding("diverged", e.getMessage(), run.points().size() + 1, e.step()));
        report(run, recipe);
        throw e;
      }
    }
  }

  private static Parts await(CompletableFuture<Parts> decoding) {
    try {
      return decoding.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private int finish(TrainedModel trained, Parts parts, Recipe recipe, RunFolder run, MetricsLog metrics) {
    TrainingReport report = trained.report();
    if (report.end() == TrainingReport.End.INTERRUPTED) {
      report(run, recipe);
      console.line("interrupted after step %,d; continue with: lamina train --resume %s", report.steps(), run.path());
      return Main.INTERRUPTED;
    }
    if (report.epochs().isEmpty()) {
      console.line("there was nothing left to train; more --epochs make the run longer");
    }
    if (report.end() == TrainingReport.End.STOPPED_EARLY) {
      console.line("stopped early: validation has not got better since epoch %d", report.bestEpoch());
    }
    Fit.verdict(report.epochs(), parts.training.classes()).ifPresent(verdict -> console.line("%s", verdict));
    Evaluation test = trained.evaluate(parts.test);
    metrics.tested(test);
    report(run, recipe);
    console.line(
        "test (the weights of epoch %d, on %,d images never seen before): %s",
        report.bestEpoch(), test.examples(), ConsoleProgress.words(test));
    console.line(
        "trained in %s at %,.0f images/s; see %s",
        ConsoleProgress.duration(report.seconds()), report.examplesPerSecond(), run.path());
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("test_accuracy", test.accuracy());
    result.put("train_seconds", report.seconds());
    result.put("images_per_second", report.examplesPerSecond());
    result.put("epochs", report.completedEpochs());
    result.put("parameters", trained.compiled().parameters().count());
    result.put("device", trained.compiled().device().name());
    result.put("seed", recipe.seed());
    result.put("run", run.path().toString());
    json.print(console, result);
    return Main.OK;
  }

  /** Draws and describes all that the run's files tell. */
  private void report(RunFolder run, Recipe recipe) {
    String title = recipe.model().name() + " on " + recipe.data();
    console.drawing(() -> {
      List<RunFolder.Point> points = run.points();
      if (!points.isEmpty()) {
        TrainingPlot.write(run.plot(), title, points);
      }
      List<ModelStatistics> looks = run.looks();
      if (!looks.isEmpty()) {
        LayersPlot.write(run.layersPlot(), run.histograms(), looks);
      }
    });
    RunReport.write(run, title);
  }
}
