package dev.lamina.train;

import dev.lamina.optim.WeightAveraging;
import dev.lamina.optim.schedule.ReduceOnPlateau;
import dev.lamina.optim.schedule.Schedule;

/** The learning rate of each update, with what the schedule has learned from validation. */
final class Rates {
  private final Schedule schedule;
  private final ReduceOnPlateau plateau; // null if the schedule does not listen to validation
  private final double base;
  private final TrainingPlan plan;
  private final WeightAveraging averaging;
  private ReduceOnPlateau.State state;

  Rates(TrainingOptions options, TrainingPlan plan, ReduceOnPlateau.State state) {
    this.schedule = options.schedule();
    this.plateau = schedule.plateau().orElse(null);
    this.base = options.rate();
    this.plan = plan;
    averaging = options.averaging();
    this.state = state;
  }

  /** The rate of update {@code step}, counted from 0. */
  double rate(long step) {
    if (averaging instanceof WeightAveraging.Swa swa
        && swa.lr() != null
        && step / plan.stepsPerEpoch() >= swa.epochsBefore(plan.epochs())) {
      return swa.lr();
    }
    return state.factor() * schedule.rate(base, step, plan.stepsPerEpoch(), plan.totalSteps());
  }

  /** Lets the schedule see how the epoch was judged. */
  void epochEnded(Evaluation judged) {
    if (plateau != null) {
      state = plateau.after(state, judged.loss(), base);
    }
  }

  /** Part of a checkpoint. */
  ReduceOnPlateau.State state() {
    return state;
  }
}
