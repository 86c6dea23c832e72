package dev.lamina.search;

import dev.lamina.data.Dataset;
import dev.lamina.data.Split;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import dev.lamina.train.DivergenceException;
import dev.lamina.train.EpochReport;
import dev.lamina.train.TrainedModel;
import dev.lamina.train.Trainer;
import dev.lamina.train.TrainingListener;
import dev.lamina.train.TrainingPlan;
import dev.lamina.train.TrainingReport;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeText;
import dev.lamina.train.run.MetricsLog;
import dev.lamina.train.run.RunFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Trains trials, each in its run folder, from which it goes on where it was begun before: after a break, or because it
 * was promoted. Schedules are laid out over all epochs of the recipe, so a trial that stops in between and goes on ends
 * with the same bits as one that did not. All trials learn from the same examples and are judged by the same, whatever
 * their seed; a test set is never asked for.
 */
public final class TrialTrainer implements TrialTask {
  private final SearchPlan plan;
  private final SearchFolder folder;
  private final Dataset data;
  private final List<Split> splits;
  private final TrialDevices devices;
  private final RecipeText text = new RecipeText();

  /**
   * A trainer of trials.
   *
   * @param data to learn from and to be judged by, decoded once for all, open to every thread
   */
  public TrialTrainer(SearchPlan plan, SearchFolder folder, Dataset data, TrialDevices devices) {
    this.plan = plan;
    this.folder = folder;
    this.data = data;
    this.devices = devices;
    Recipe base = plan.base();
    splits =
        plan.folds() == 1 ? List.of(data.split(base.validation(), base.seed())) : data.folds(plan.folds(), base.seed());
    if (splits.getFirst().validation().size() == 0) {
      throw new BadInputException(
          data.name() + " has " + data.size() + " examples: too few to hold any out; make validation larger");
    }
  }

  @Override
  public Optional<Outcome> run(Trial trial, int epochs, BooleanSupplier stop) {
    List<TrainingReport> reports = new ArrayList<>();
    if (plan.folds() > 1) { // for whoever wants to train it on everything; each fold has its own too
      AtomicFile.requireWritable(folder.trial(trial.number()).path(), 1 << 20);
      AtomicFile.writeText(folder.trial(trial.number()).recipe(), text.write(trial.recipe().withOut(null)));
    }
    try {
      for (int fold = 1; fold <= splits.size(); fold++) {
        RunFolder run = runFolder(trial, fold);
        AtomicFile.requireWritable(run.path(), 1 << 20);
        Split split = splits.get(fold - 1);
        TrainingReport report = train(trial.recipe(), run, split, new EpochLimit(limit(epochs), stop));
        if (report.end() == TrainingReport.End.INTERRUPTED && report.completedEpochs() < limit(epochs)) {
          return Optional.empty();
        }
        reports.add(report);
      }
      return Optional.of(judged(trial, epochs, reports));
    } catch (DivergenceException e) {
      return Optional.of(Outcome.bad(trial, epochs, Outcome.End.DIVERGED, seconds(reports), e.getMessage()));
    } catch (OutOfDeviceMemoryException | IllegalArgumentException e) {
      return Optional.of(Outcome.bad(trial, epochs, Outcome.End.FAILED, seconds(reports), e.getMessage()));
    } catch (UnsupportedOnDeviceException | BadInputException e) {
      // Values that made a checkpoint are right: what is wrong is a file, or another device than before.
      boolean isProven = Files.exists(runFolder(trial, reports.size() + 1).checkpoints().last());
      if (isProven || e.getCause() instanceof IOException) {
        throw e;
      }
      return Optional.of(Outcome.bad(trial, epochs, Outcome.End.FAILED, seconds(reports), e.getMessage()));
    }
  }

  private RunFolder runFolder(Trial trial, int fold) {
    return plan.folds() == 1 ? folder.trial(trial.number()) : folder.fold(trial.number(), fold);
  }

  /** The last rung is wherever the recipe ends. */
  private int limit(int epochs) {
    return epochs == plan.epochs() ? Integer.MAX_VALUE : epochs;
  }

  private TrainingReport train(Recipe recipe, RunFolder run, Split split, EpochLimit limit) {
    return devices.on(
        recipe,
        device -> {
          try (Arena arena = Arena.ofShared()) {
            String recipeText = text.write(recipe.withOut(null));
            AtomicFile.writeText(run.recipe(), recipeText);
            Trainer trainer =
                new Trainer(device, recipe.layers(data.classes(), data.inputType().shape()))
                    .options(recipe.options().withStatisticsEvery(0)) // nobody would see them
                    .checkpoints(run.checkpoints(), recipeText)
                    .listener(new MetricsLog(run.metrics()))
                    .listener(limit);
            if (Files.exists(run.checkpoints().last())) {
              trainer.resume();
            }
            Split targets =
                new Split(recipe.targets(split.training(), arena), recipe.targets(split.validation(), arena));
            try (TrainedModel trained = trainer.fit(targets)) {
              return trained.report();
            }
          }
        });
  }

  private Outcome judged(Trial trial, int epochs, List<TrainingReport> reports) {
    double[] losses = reports.stream().mapToDouble(report -> report.best().loss()).toArray();
    double[] accuracies = reports.stream().mapToDouble(report -> report.best().accuracy()).toArray();
    boolean isClassification = !Double.isNaN(accuracies[0]);
    double[] figures = isClassification ? accuracies : losses;
    boolean isEarly = reports.stream().anyMatch(report -> report.end() == TrainingReport.End.STOPPED_EARLY);
    return new Outcome(
        trial.number(),
        trial.stage(),
        epochs,
        isEarly ? Outcome.End.STOPPED_EARLY : Outcome.End.FINISHED,
        mean(accuracies),
        Outcome.deviation(figures),
        mean(losses),
        reports.getFirst().bestEpoch(),
        splits.stream().mapToLong(split -> split.validation().size()).sum(),
        Arrays.stream(figures).boxed().toList(),
        seconds(reports),
        "");
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).average().orElse(Double.NaN);
  }

  private static double seconds(List<TrainingReport> reports) {
    return reports.stream().mapToDouble(TrainingReport::seconds).sum();
  }

  /** Ends a training after an epoch before its last, or when somebody wants to. */
  private static final class EpochLimit implements TrainingListener {
    private final int epochs;
    private final BooleanSupplier stop;
    private long completed;

    EpochLimit(int epochs, BooleanSupplier stop) {
      this.epochs = epochs;
      this.stop = stop;
    }

    @Override
    public void started(TrainingPlan training) {
      completed = training.firstStep() / training.stepsPerEpoch();
    }

    @Override
    public void epochEnded(EpochReport report) {
      completed = report.epoch();
    }

    @Override
    public boolean wantsStop() {
      return completed >= epochs || stop.getAsBoolean();
    }
  }
}
