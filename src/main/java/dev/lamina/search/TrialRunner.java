package dev.lamina.search;

import dev.lamina.io.BadInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Runs the trials of a plan, several at once, and keeps a journal from which it goes on after a break. Which values a
 * trial of the first stage has depends on the plan only; those of a later stage depend on how the trials of the stage
 * before ended as well. With {@link Strategy#ASHA} and several at once, which trials are promoted depends on the order
 * in which they end, and so do, from the second stage on, their values.
 */
public final class TrialRunner {
  private final SearchPlan plan;
  private final SearchFolder folder;
  private final TrialTask task;
  private int parallel = 1;
  private BooleanSupplier stop = () -> false;
  private Listener listener = (_, _) -> {};

  private final List<Trial> trials = new ArrayList<>();
  private final List<Outcome> outcomes = new ArrayList<>();

  /** Is told of each outcome, also of those from before a break; one after the other. */
  @FunctionalInterface
  public interface Listener {
    /** A trial has ended, or has got as far as the next comparison. */
    void ended(Trial trial, Outcome outcome);

    /** The first trial of a stage is next. */
    default void stageBegins(int stage, Space ranges) {}
  }

  /** A search that leaves everything in {@code folder}, and goes on where it is. */
  public TrialRunner(SearchPlan plan, SearchFolder folder, TrialTask task) {
    this.plan = plan;
    this.folder = folder;
    this.task = task;
  }

  /** How many trials are under way at once; 1 unless set. */
  public TrialRunner parallel(int trialsAtOnce) {
    parallel = trialsAtOnce;
    return this;
  }

  /** Asked now and then whether the search shall end here, to be continued. */
  public TrialRunner stop(BooleanSupplier wanted) {
    stop = wanted;
    return this;
  }

  /** Who is told of outcomes. */
  public TrialRunner listener(Listener told) {
    listener = told;
    return this;
  }

  /**
   * Does all that is left to be done.
   *
   * @throws dev.lamina.io.BadInputException if the recipe of a trial is wrong, or something cannot be written
   */
  public SearchReport run() {
    List<Outcome> earlier = folder.journal().read();
    Space ranges = plan.space();
    for (int stage = 1; stage <= plan.stages(); stage++) {
      int current = stage;
      listener.stageBegins(stage, ranges);
      List<Trial> drawn = plan.trials(stage, ranges);
      trials.addAll(drawn);
      if (!new Stage(drawn).run(earlier.stream().filter(outcome -> outcome.stage() == current).toList())) {
        return new SearchReport(plan, trials, outcomes, true);
      }
      List<Outcome> ofStage = outcomes.stream().filter(outcome -> outcome.stage() == current).toList();
      ranges = plan.narrowed(ranges, drawn, SearchReport.last(ofStage));
    }
    return new SearchReport(plan, trials, outcomes, false);
  }

  private void keep(Trial trial, Outcome outcome) {
    Map<String, String> values = new LinkedHashMap<>();
    for (int i = 0; i < trial.values().size(); i++) {
      values.put(plan.space().parameters().get(i).path(), trial.values().get(i).text());
    }
    folder.journal().append(outcome, values, folder.path().relativize(folder.trial(trial.number()).path()));
  }

  /** The trials of one stage, and those who work on them. */
  private final class Stage {
    private final List<Trial> drawn;
    private final List<Integer> rungs = plan.rungs();
    private final SuccessiveHalving order;
    private int working;
    private boolean isStopped;
    private RuntimeException failure;
    private Error error;

    Stage(List<Trial> drawn) {
      this.drawn = drawn;
      order = new SuccessiveHalving(drawn.size(), rungs.size(), plan.reduction());
    }

    /** Whether all trials were done. */
    boolean run(List<Outcome> earlier) {
      for (Outcome outcome : earlier) {
        int trial = outcome.trial() - drawn.getFirst().number();
        int rung = rungs.indexOf(outcome.epochs());
        if (trial < 0 || trial >= drawn.size() || rung < 0) {
          throw new BadInputException(
              folder.journal().file() + ": trial " + outcome.trial() + " is none of the search in " + folder.plan());
        }
        order.ended(new SuccessiveHalving.Job(trial, rung), outcome);
        tell(drawn.get(trial), outcome);
      }
      List<Thread> workers = new ArrayList<>();
      for (int i = 1; i < Math.min(parallel, drawn.size()); i++) {
        workers.add(Thread.ofPlatform().name("lamina-search-" + i).daemon().start(this::work));
      }
      work();
      workers.forEach(Stage::join);
      if (failure != null) {
        throw failure;
      } else if (error != null) {
        throw error;
      }
      return !isStopped;
    }

    private static void join(Thread worker) {
      boolean interrupted = false;
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException _) {
          interrupted = true; // whoever waits for a checkpoint waits until it is written
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    private void work() {
      try {
        for (Optional<SuccessiveHalving.Job> job = take(); job.isPresent(); job = take()) {
          Trial trial = drawn.get(job.get().trial());
          Optional<Outcome> outcome = task.run(trial, rungs.get(job.get().rung()), this::wantsStop);
          give(job.get(), trial, outcome);
        }
      } catch (RuntimeException e) {
        fail(e, null);
      } catch (Error e) {
        fail(null, e);
      }
    }

    private synchronized boolean isBroken() {
      return failure != null || error != null;
    }

    private boolean wantsStop() {
      return stop.getAsBoolean() || isBroken();
    }

    /** The next job, for which it may have to wait; empty if there is none any more. */
    private synchronized Optional<SuccessiveHalving.Job> take() {
      while (true) {
        Optional<SuccessiveHalving.Job> job = order.next();
        if (wantsStop()) {
          isStopped |= job.isPresent();
          return Optional.empty();
        } else if (job.isPresent()) {
          working++;
          return job;
        } else if (working == 0) {
          return job;
        }
        try {
          wait();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IllegalStateException("a search was interrupted", e);
        }
      }
    }

    private synchronized void give(SuccessiveHalving.Job job, Trial trial, Optional<Outcome> outcome) {
      working--;
      notifyAll();
      if (outcome.isEmpty()) {
        isStopped = true;
      } else {
        keep(trial, outcome.get());
        order.ended(job, outcome.get());
        tell(trial, outcome.get());
      }
    }

    private void tell(Trial trial, Outcome outcome) {
      outcomes.add(outcome);
      listener.ended(trial, outcome);
    }

    private synchronized void fail(RuntimeException exception, Error fatal) {
      working--;
      notifyAll();
      if (!isBroken()) {
        failure = exception;
        error = fatal;
      }
    }
  }
}
