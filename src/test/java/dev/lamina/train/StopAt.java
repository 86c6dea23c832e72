package dev.lamina.train;

/** Stops after so many updates. */
record StopAt(long step, long[] done) implements TrainingListener {
  StopAt(long step) {
    this(step, new long[1]);
  }

  @Override
  public void updated(long at, double rate) {
    done[0] = at;
  }

  @Override
  public boolean wantsStop() {
    return done[0] == step;
  }
}
