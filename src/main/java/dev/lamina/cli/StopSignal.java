package dev.lamina.cli;

import dev.lamina.train.TrainingListener;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Turns Ctrl-C into a wish to stop: the virtual machine's end waits until what was done is saved. */
final class StopSignal implements TrainingListener, AutoCloseable {
  /** Longer than a step and what is saved then should ever take; after that the process ends anyway. */
  private static final int PATIENCE_SECONDS = 60;

  private final CountDownLatch saved = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stopAndWait, "lamina-stop");
  private volatile boolean asked;

  StopSignal() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void stopAndWait() {
    asked = true;
    try {
      if (!saved.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        System.err.println(
            "lamina: it did not stop within " + PATIENCE_SECONDS + " s; what it had not saved before is lost");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public boolean wantsStop() {
    return asked;
  }

  /** Everything is saved: the process may end. */
  @Override
  public void close() {
    saved.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // The process is ending already, which is why this was of use.
    }
  }
}
