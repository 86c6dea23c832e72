package dev.lamina.cli;

import dev.lamina.data.DataSource;
import dev.lamina.data.Dataset;
import dev.lamina.data.Preprocessing;
import dev.lamina.data.Split;
import dev.lamina.device.Device;
import dev.lamina.device.Devices;
import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.ModelFile;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.PreparedInputs;
import dev.lamina.train.Trainer;
import dev.lamina.train.pretrain.ContrastiveDivergence;
import dev.lamina.train.pretrain.DeepBeliefNet;
import dev.lamina.train.pretrain.HiddenLayer;
import dev.lamina.train.pretrain.PretrainingOptions;
import dev.lamina.train.pretrain.PretrainingState;
import dev.lamina.train.pretrain.VisibleUnits;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeText;
import dev.lamina.train.run.PretrainingLog;
import dev.lamina.train.run.RunFolder;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lamina pretrain}. */
@Command(
    name = "pretrain",
    description = {
      "Pre-trains the hidden layers of a recipe, dense ones with sigmoids, as restricted Boltzmann machines, one by one"
          + " from the input up, and without labels.",
      "Writes a run folder whose weights a training can begin with (lamina train --from). Inputs are scaled to [0, 1]"
          + " for binary visible units (preprocessing min_max, the default for images) or have unit variance for"
          + " Gaussian ones (z_score, the default for vectors, or whiten)."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class PretrainCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(arity = "0..1", paramLabel = "RECIPE", description = "The recipe of the training that follows.")
  private Path recipeFile;

  @Option(names = "--layers", paramLabel = "N", description = "The first N hidden layers only; all unless given.")
  private Integer layers;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data for each layer; 10 unless given.")
  private Integer epochs;

  @Option(
      names = "--cd",
      paramLabel = "K",
      description =
          "Alternating steps of contrastive divergence; 1 unless given. More cost time, and learn more of the"
              + " data's distribution.")
  private Integer steps;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description = "The learning rate with binary visible units; 0.1 unless given.")
  private Double lr;

  @Option(
      names = "--gaussian-lr",
      paramLabel = "RATE",
      description = "The learning rate of the first layer if its visible units are Gaussian; 0.001 unless given.")
  private Double gaussianLr;

  @Option(
      names = "--momentum",
      paramLabel = "SHARE",
      description = "From the sixth epoch on; 0.9 unless given. Before that it is at most 0.5.")
  private Double momentum;

  @Option(names = "--weight-decay", paramLabel = "N", description = "Of weights, not of biases; 0.0002 unless given.")
  private Double weightDecay;

  @Option(names = "--data", paramLabel = "mnist|DIR", description = "Another data set.")
  private String data;

  @Option(names = "--batch", paramLabel = "N", description = "Examples of one update; the recipe's unless given.")
  private String batch;

  @Option(names = "--seed", paramLabel = "N", description = "Decides weights, states, order and what is held out.")
  private String seed;

  @Option(names = "--threads", paramLabel = "N", description = "Threads of the CPU device.")
  private String threads;

  @Option(names = "--device", paramLabel = "NAME", description = "auto, cuda, cuda:1, cpu or reference.")
  private String device;

  @Mixin private DeviceWishes wishes;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder of the run; runs/<date>-pretrain-<n> unless given.")
  private String out;

  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description = "Continues with the first layer that has not learned yet, exactly as if it had never stopped.")
  private Path resume;

  @Mixin private JsonOption json;

  PretrainCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    if (resume == null && recipeFile == null) {
      throw new BadInputException(
          "name the recipe of a network of dense layers with sigmoids, or a run to --resume; see lamina pretrain"
              + " --help");
    }
    RecipeText text = new RecipeText();
    Recipe recipe = resume == null ? text.read(recipeFile, overrides()) : resumedRecipe(text);
    PretrainingState begun = resume == null ? null : PretrainingState.read(RunFolder.open(resume).pretraining());
    PretrainingOptions options = begun == null ? options() : begun.options();
    Devices.Choice choice = wishes.choice(recipe);
    console.line(choice.reason());
    DataSource source = DataSource.open(recipe.data());
    try (Arena arena = Arena.ofShared()) {
      Dataset examples = recipe.targets(source.train(arena), arena);
      Recipe prepared = recipe.with(preprocessing(recipe, examples.inputType()));
      RunFolder run = resume == null ? RunFolder.create(recipe.out(), "pretrain") : RunFolder.open(resume);
      try (StopSignal stop = new StopSignal(); // closed last: the process may end then
          var _ = run.lock();
          Device opened = choice.open()) {
        return pretrain(prepared, text.write(prepared.withOut(null)), options, begun, examples, run, opened, stop);
      } catch (RuntimeException e) {
        run.deleteIfEmpty();
        throw e;
      }
    }
  }

  private Recipe resumedRecipe(RecipeText text) {
    boolean isChanged =
        recipeFile != null
            || out != null
            || Stream.of(layers, epochs, steps, lr, gaussianLr, momentum, weightDecay, data, batch, seed)
                .anyMatch(option -> option != null);
    if (isChanged) {
      throw new BadInputException(
          "a pre-training goes on as it began: with --resume, only --device and --threads can be given anew");
    }
    return text.read(RunFolder.open(resume).recipe(), overrides());
  }

  private List<RecipeText.Setting> overrides() {
    Map<String, String> given = new LinkedHashMap<>();
    given.put("data", data);
    given.put("batch", batch);
    given.put("seed", seed);
    given.put("threads", threads);
    given.put("device", device);
    given.put("deterministic", wishes.deterministic() ? "true" : null);
    given.put("out", out);
    return RecipeOptions.settings(given);
  }

  private PretrainingOptions options() {
    if (layers != null && layers < 1) {
      throw new BadInputException("--layers: expected 1 hidden layer or more, got " + layers);
    }
    PretrainingOptions usual = PretrainingOptions.DEFAULTS;
    double later = momentum == null ? usual.momentum() : momentum;
    return new PretrainingOptions(
        epochs == null ? usual.epochs() : epochs,
        steps == null ? usual.learning() : new ContrastiveDivergence(steps),
        lr == null ? usual.rate() : lr,
        gaussianLr == null ? usual.gaussianRate() : gaussianLr,
        later,
        Math.min(later, usual.firstMomentum()),
        usual.firstEpochs(),
        weightDecay == null ? usual.weightDecay() : weightDecay);
  }

  /** The recipe's, or one that suits a machine: usual inputs of images have a mean of 0 but no unit variance. */
  private static Preprocessing preprocessing(Recipe recipe, TensorType example) {
    if (recipe.preprocessing() != null) {
      return recipe.preprocessing();
    }
    return example.shape().rank() == 3 ? new Preprocessing.MinMax() : Preprocessing.usual(example);
  }

  private static VisibleUnits units(Preprocessing preprocessing) {
    return switch (preprocessing) {
      case Preprocessing.None _, Preprocessing.MinMax _ -> VisibleUnits.BINARY;
      case Preprocessing.ZScore _, Preprocessing.Whiten _ -> VisibleUnits.GAUSSIAN;
      case Preprocessing.Mean _, Preprocessing.Pca _ ->
          throw new BadInputException(
              "preprocessing "
                  + preprocessing.word()
                  + " gives inputs neither from 0 to 1 nor of unit variance, which visible units take; choose min_max"
                  + " (binary units), z_score or whiten (Gaussian units)");
    };
  }

  /**
   * Pre-trains what is left.
   *
   * @param begun how far it is; null for a new one
   */
  private int pretrain(
      Recipe recipe,
      String recipeText,
      PretrainingOptions options,
      PretrainingState begun,
      Dataset examples,
      RunFolder run,
      Device opened,
      StopSignal stop) {
    Split split = examples.split(recipe.validation(), recipe.seed());
    ModelSpec spec =
        new Trainer(opened, recipe.layers(examples.classes(), examples.inputType().shape()))
            .options(recipe.options())
            .spec(split.training());
    try (DeepBeliefNet net = new DeepBeliefNet(opened, spec, units(recipe.preprocessing()), split);
        PretrainingProgress progress = new PretrainingProgress(console, new PretrainingLog(run.metrics()), stop)) {
      PretrainingState state = begun == null ? new PretrainingState(options, wanted(net.layers().size()), 0) : begun;
      net.requireRoom(state.layers(), options); // the last layer may need most
      if (state.done() > 0) {
        load(net, run);
      } else {
        // Not before nothing can be wrong any more: a folder with a recipe is a run.
        PretrainingState first = state;
        progress.first(() -> {
          AtomicFile.writeText(run.recipe(), recipeText);
          first.write(run.pretraining());
        });
      }
      ModelFile description =
          new ModelFile(
              spec.example(), ((PreparedInputs) spec.preparation()).fitted(), examples.classNames(), recipeText);
      for (HiddenLayer layer : net.layers().subList(state.done(), state.layers())) {
        boolean isDone = net.pretrain(layer, options, progress.of(state.layers(), options));
        progress.clear();
        if (!isDone) {
          console.line(
              "interrupted in layer %d; %s; continue with: lamina pretrain --resume %s",
              layer.number(),
              state.done() == 0 ? "no layer is pre-trained yet" : "those before it are in " + run.path(),
              run.path());
          return Main.INTERRUPTED;
        }
        description.write(run.checkpoints().best(), net.weights());
        state = state.next();
        state.write(run.pretraining());
      }
      console.line(
          "%d of %d hidden layers are pre-trained, the rest is as initialised: %s",
          state.done(), net.layers().size(), run.checkpoints().best());
      console.line("fine-tune with: lamina train %s --from %s", run.recipe(), run.path());
      json.print(console, progress.result(run.path()));
      return Main.OK;
    }
  }

  private int wanted(int hidden) {
    if (layers != null && layers > hidden) {
      throw new BadInputException("--layers: the recipe has " + hidden + " hidden layers, got " + layers);
    }
    return layers == null ? hidden : layers;
  }

  private static void load(DeepBeliefNet net, RunFolder run) {
    try (Arena scratch = Arena.ofConfined()) {
      net.load(Safetensors.read(run.checkpoints().best(), scratch).tensors());
    } catch (IllegalArgumentException e) {
      throw new BadInputException(run.checkpoints().best() + ": " + e.getMessage(), e);
    }
  }
}
