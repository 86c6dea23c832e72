package dev.lamina.train;

import dev.lamina.data.Batch;
import dev.lamina.data.BatchLoader;
import dev.lamina.data.BatchOrder;
import dev.lamina.data.BatchPosition;
import dev.lamina.data.Dataset;
import dev.lamina.data.HostAllocator;
import dev.lamina.optim.WeightAveraging;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Epochs of updates, each followed by validation and checkpoints. Between two looks at the figures, a few times a
 * second, it allocates nothing.
 */
final class TrainingLoop implements AutoCloseable {
  private static final long LOOK_NANOS = 200_000_000;

  /** Two batches are always ready while one is in use and one is being filled. */
  static final int SLOTS = 4;

  private final CompiledModel model;
  private final Dataset training;
  private final TrainingOptions options;
  private final TrainingPlan plan;
  private final ModelFile description;
  private final Checkpoints checkpoints;
  private final TrainingListener[] listeners;
  private final HostAllocator memory;
  private final Rates rates;
  private final BatchLoader loader;
  private final Judge judge;
  private final List<EpochReport> reports = new ArrayList<>();
  private final long begun;

  private Standing standing;
  private Arena bestArena = Arena.ofShared();
  private SequencedMap<String, HostTensor> best;
  private long step;
  private double lossSum;
  private double hitSum;
  private long examples;
  private double epochSeconds;
  private double updateSeconds;
  private long updateExamples;
  private final double earlierSeconds;

  /**
   * Prepares to go on from {@code state}.
   *
   * @param checkpoints where models go, or null
   * @param description goes with the best model
   */
  TrainingLoop(
      CompiledModel model,
      Dataset training,
      Dataset validation,
      TrainingOptions options,
      TrainingPlan plan,
      ModelFile description,
      Checkpoints checkpoints,
      List<TrainingListener> listeners,
      HostAllocator memory,
      TrainingState state) {
    this.model = model;
    this.training = training;
    this.options = options;
    this.plan = plan;
    this.description = description;
    this.checkpoints = checkpoints;
    this.listeners = listeners.toArray(TrainingListener[]::new);
    this.memory = memory;
    rates = new Rates(options, plan, state.plateau());
    loader = loaderAt(state.position(), memory);
    judge = validation.size() == 0 ? null : new Judge(model, validation, memory);
    standing = state.standing();
    lossSum = state.lossSum();
    hitSum = state.hitSum();
    examples = state.examples();
    epochSeconds = state.epochSeconds();
    updateSeconds = state.updateSeconds();
    updateExamples = state.updateExamples();
    earlierSeconds = state.seconds();
    step = plan.firstStep();
    begun = System.nanoTime();
  }

  private BatchLoader loaderAt(BatchPosition position, HostAllocator buffers) {
    return new BatchLoader(training, new BatchOrder.Shuffled(options.seed()), plan.batch(), SLOTS, buffers, position);
  }

  /** Trains until the end; the model then has its last weights. */
  TrainingReport run() {
    for (TrainingListener listener : listeners) {
      listener.started(plan);
    }
    if (isAtItsBest()) {
      keepBest(); // a kill may have come between the checkpoint and the model
    }
    TrainingReport.End end = TrainingReport.End.FINISHED;
    while (loader.position().epoch() < plan.epochs() && end == TrainingReport.End.FINISHED) {
      // Asked before an update too: who has got far enough already goes no further, and a wish that came with the last
      // update of an epoch, or from what listeners saw of it, is not for the next one.
      if (wantsStop()) {
        if (step == 0) {
          saveLast();
        }
        end = TrainingReport.End.INTERRUPTED;
      } else if (isHopeless()) {
        end = TrainingReport.End.STOPPED_EARLY;
      } else if (runEpoch()) {
        endEpoch();
      } else {
        saveLast();
        end = TrainingReport.End.INTERRUPTED;
      }
    }
    int completed = Math.toIntExact(step / plan.stepsPerEpoch());
    double speed = updateExamples / Math.max(updateSeconds, 1e-9);
    TrainingReport.Best best =
        new TrainingReport.Best(standing.bestEpoch(), standing.bestLoss(), standing.bestAccuracy());
    return new TrainingReport(reports, end, completed, best, step, seconds(), speed);
  }

  /** Whether the weights are those after the best epoch so far. */
  private boolean isAtItsBest() {
    return standing.bestEpoch() > 0 && step == (long) standing.bestEpoch() * plan.stepsPerEpoch();
  }

  private boolean wantsStop() {
    return Arrays.stream(listeners).anyMatch(TrainingListener::wantsStop);
  }

  /** Not before the weights that were wanted are there to be judged. */
  private boolean isHopeless() {
    return options.earlyStopping() != null
        && standing.waited() >= options.earlyStopping().patience()
        && loader.position().epoch() > epochsBeforeMean();
  }

  /** Epochs whose weights are judged though a mean is wanted, which has not begun. */
  private int epochsBeforeMean() {
    return options.averaging() instanceof WeightAveraging.Swa swa ? swa.epochsBefore(plan.epochs()) : 0;
  }

  /** The rest of the current epoch; whether it came to its end. */
  private boolean runEpoch() {
    int epoch = loader.position().epoch();
    long end = (long) (epoch + 1) * plan.stepsPerEpoch();
    long examplesBefore = examples;
    double secondsBefore = epochSeconds;
    long started = System.nanoTime();
    long nextLook = started + LOOK_NANOS;
    boolean stopped = false;
    while (step < end && !stopped) {
      double rate = rates.rate(step);
      update(rate);
      step++;
      stopped = tell(rate);
      if (System.nanoTime() >= nextLook) {
        look();
        epochSeconds = secondsBefore + (System.nanoTime() - started) * 1e-9;
        progress(epoch, rate);
        nextLook = System.nanoTime() + LOOK_NANOS;
      }
    }
    look();
    double seconds = (System.nanoTime() - started) * 1e-9;
    epochSeconds = secondsBefore + seconds;
    updateSeconds += seconds;
    updateExamples += examples - examplesBefore;
    if (stopped && step < end) {
      return false;
    }
    // Batches that make no whole update are left out of this epoch.
    while (loader.position().epoch() == epoch) {
      loader.release(loader.next());
    }
    return true;
  }

  private void update(double rate) {
    model.accumulate(loader);
    Batch batch = loader.next();
    boolean looks = options.statisticsEvery() > 0 && step % options.statisticsEvery() == 0;
    if (looks) {
      model.observe(batch.inputs(), batch.targets());
    }
    model.update(batch.inputs(), batch.targets(), rate);
    loader.release(batch);
    if (looks) {
      ModelStatistics statistics = model.takeStatistics(Math.toIntExact(step / plan.stepsPerEpoch()) + 1);
      for (TrainingListener listener : listeners) {
        listener.observed(statistics);
      }
    }
  }

  /** Tells listeners of an update; whether one of them wants to stop. */
  private boolean tell(double rate) {
    boolean stop = false;
    for (TrainingListener listener : listeners) {
      listener.updated(step, rate);
      stop |= listener.wantsStop();
    }
    return stop;
  }

  /** Takes the figures from the device, and sees whether they are still numbers. */
  private void look() {
    Evaluation figures = model.takeTrainingFigures();
    long bad = model.badStep();
    if (bad >= 0) {
      throw diverged(bad);
    }
    if (figures.examples() > 0) {
      lossSum += figures.loss() * figures.examples();
      hitSum += figures.accuracy() * figures.examples();
      examples += figures.examples();
    }
  }

  private Evaluation epochFigures() {
    return new Evaluation(examples, lossSum / examples, hitSum / examples, Double.NaN, new long[0][0]);
  }

  private void progress(int epoch, double rate) {
    double speed = examples / epochSeconds;
    double left = (plan.totalSteps() - step) * (double) plan.batch() * plan.accumulate() / speed;
    TrainingProgress progress =
        new TrainingProgress(epoch + 1, plan.epochs(), step, plan.totalSteps(), rate, epochFigures(), speed, left);
    for (TrainingListener listener : listeners) {
      listener.progressed(progress);
    }
  }

  private void endEpoch() {
    int epoch = Math.toIntExact(step / plan.stepsPerEpoch());
    double rate = rates.rate(step - 1);
    Evaluation training = epochFigures();
    average(epoch);
    Evaluation validation = judge == null ? null : judge.evaluate();
    Evaluation judged = validation == null ? training : validation;
    if (epoch - 1 == epochsBeforeMean()) {
      standing = Standing.START; // what was judged before is not what was wanted
    }
    boolean isBest = standing.isBeatenBy(judged);
    double gain = options.earlyStopping() == null ? 0 : options.earlyStopping().minimumGain();
    standing = standing.after(epoch, judged, gain);
    rates.epochEnded(judged);
    EpochReport report =
        new EpochReport(
            epoch, plan.epochs(), step, rate, training, validation, isBest, epochSeconds, examples / epochSeconds);
    reports.add(report);
    lossSum = 0;
    hitSum = 0;
    examples = 0;
    epochSeconds = 0;
    survey(epoch);
    // What is told before the checkpoint is told again after a kill in between; what was told after it would be lost.
    for (TrainingListener listener : listeners) {
      listener.epochEnded(report);
    }
    if (checkpoints != null) {
      checkpoints.writeKept(epoch, model, description);
    }
    // Before the best: of a checkpoint the model can be made, of a model no checkpoint.
    saveLast();
    if (isBest) {
      keepBest();
    }
  }

  /** Shows listeners the layers that they suspect on every example of {@code epoch}, counted from 1. */
  private void survey(int epoch) {
    Set<String> suspects =
        Arrays.stream(listeners).flatMap(listener -> listener.suspects().stream()).collect(Collectors.toSet());
    if (suspects.isEmpty()) {
      return;
    }
    boolean stopped = false;
    // The device's own host memory would be given back with the device only.
    try (UnitSurvey survey = new UnitSurvey(model, suspects);
        Arena scratch = Arena.ofShared();
        BatchLoader again = loaderAt(new BatchPosition(epoch - 1, 0), HostAllocator.in(scratch))) {
      for (int i = plan.stepsPerEpoch() * plan.accumulate(); i > 0 && !stopped; i--) {
        Batch batch = again.next();
        survey.see(batch.inputs());
        again.release(batch);
        stopped = wantsStop();
      }
      for (DeadUnits layer : stopped ? List.<DeadUnits>of() : survey.dead()) {
        for (TrainingListener listener : listeners) {
          listener.surveyed(layer);
        }
      }
    }
  }

  /** Takes the weights after {@code epoch}, counted from 1, into the mean that is judged. */
  private void average(int epoch) {
    if (!(options.averaging() instanceof WeightAveraging.Swa)) {
      return;
    }
    if (epoch - 1 == epochsBeforeMean()) {
      model.average(false); // another mean may have ended here, in a run that was shorter
    }
    boolean counts = epoch > epochsBeforeMean();
    model.average(counts);
    if (counts && model.averagesStatistics()) {
      try (BatchLoader all = loaderAt(BatchPosition.START, memory)) {
        for (int i = 1; i <= all.batchesPerEpoch(); i++) {
          Batch batch = all.next();
          model.followAveraged(batch.inputs(), i);
          all.release(batch);
        }
      }
    }
  }

  private void keepBest() {
    Arena arena = Arena.ofShared();
    best = model.weights(arena);
    bestArena.close();
    bestArena = arena;
    if (checkpoints != null) {
      checkpoints.writeBest(best, description);
    }
  }

  /** The weights of the best epoch of this run; empty if none was better than those of earlier runs. */
  Optional<SequencedMap<String, HostTensor>> best() {
    return Optional.ofNullable(best);
  }

  private void saveLast() {
    if (checkpoints != null) {
      TrainingState state =
          new TrainingState(
              description.preprocessing().kind(),
              loader.position(),
              standing,
              rates.state(),
              lossSum,
              hitSum,
              examples,
              epochSeconds,
              updateSeconds,
              updateExamples,
              seconds());
      checkpoints.writeLast(model, state);
    }
  }

  private double seconds() {
    return earlierSeconds + (System.nanoTime() - begun) * 1e-9;
  }

  /** Runs the batches of update {@code bad} again, on the weights before it, to see where numbers end. */
  private DivergenceException diverged(long bad) {
    int epoch = Math.toIntExact(bad / plan.stepsPerEpoch());
    int batch = Math.toIntExact(bad % plan.stepsPerEpoch()) * plan.accumulate();
    Optional<String> sick = Optional.empty();
    try (BatchLoader again = loaderAt(new BatchPosition(epoch, batch), memory)) {
      for (int pass = 0; pass < plan.accumulate() && sick.isEmpty(); pass++) {
        Batch suspect = again.next();
        sick = model.firstSickLayer(suspect.inputs());
        again.release(suspect);
      }
    }
    String where =
        sick.map(layer -> "the first layer whose output was not finite is " + layer)
            .orElse("the outputs of all layers were finite, the loss or a gradient was not");
    String kept =
        checkpoints != null && standing.bestEpoch() > 0 ? "; the last good state is kept in " + checkpoints.last() : "";
    String message =
        String.format(
            Locale.ROOT,
            "training diverged at step %d (epoch %d) with learning rate %.3g: %s; try a lower rate or clip gradients%s",
            bad + 1,
            epoch + 1,
            rates.rate(bad),
            where,
            kept);
    return new DivergenceException(bad + 1, message);
  }

  @Override
  public void close() {
    loader.close();
    if (judge != null) {
      judge.close();
    }
    bestArena.close();
  }
}
