package dev.lamina.search;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.MemoryLimit;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.train.Precision;
import dev.lamina.train.recipe.Recipe;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;

/**
 * Shares one machine between several trials: a device for each, with its part of the threads and of the memory. Results
 * do not depend on the parts: no kernel's do on threads, and a trial that does not fit into its part of the memory
 * waits for the whole.
 */
public final class TrialDevices {
  private final Devices.Choice choice;
  private final int parallel;
  private final int threads;
  private final MemoryLimit part;
  private final ReadWriteLock memory = new ReentrantReadWriteLock(true);

  private TrialDevices(Devices.Choice choice, int parallel, int threads, MemoryLimit part) {
    this.choice = choice;
    this.parallel = parallel;
    this.threads = threads;
    this.part = part;
  }

  /**
   * Devices for the trials of a search. Only the CPU device has threads to share; the reference computes on the one
   * that asks it, so that as many trials as cores keep them all busy.
   *
   * @param choice with the threads that all trials take together, 0 for one on each core
   * @param trialsAtOnce 0 for one on each thread where threads are what computes, for one alone elsewhere
   * @param trials that there are: no more are ever under way
   */
  public static TrialDevices of(Devices.Choice choice, int trialsAtOnce, int trials) {
    int all = choice.options().threads() == 0 ? Runtime.getRuntime().availableProcessors() : choice.options().threads();
    boolean isHost = !choice.provider().name().equals("cuda");
    int wanted = trialsAtOnce > 0 ? trialsAtOnce : isHost ? all : 1;
    int parallel = Math.min(wanted, trials);
    int threads = choice.provider().name().equals("cpu") ? Math.max(1, all / parallel) : 1;
    if (parallel == 1) {
      return new TrialDevices(choice, 1, threads, choice.options().memoryLimit());
    }
    try (Device whole = choice.open()) {
      MemoryLimit part = new MemoryLimit.Bytes(Math.max(1, whole.availableMemory() / parallel));
      return new TrialDevices(choice, parallel, threads, part);
    }
  }

  /** Trials that may be under way at once. */
  public int parallel() {
    return parallel;
  }

  /** Threads of each: the part of all, but one at least. */
  public int threads() {
    return threads;
  }

  /**
   * Does {@code work} on a device of its own; again on one with all memory, once all others have ended theirs, if a
   * part is too little.
   *
   * @throws OutOfDeviceMemoryException if all memory is too little
   */
  <R> R on(Recipe recipe, Function<Device, R> work) {
    DeviceOptions options =
        choice.options().withThreads(threads).withExactProducts(recipe.precision() == Precision.FP32);
    memory.readLock().lock();
    try (Device device = choice.provider().open(options.withMemoryLimit(part))) {
      return work.apply(device);
    } catch (OutOfDeviceMemoryException e) {
      if (parallel == 1) {
        throw e;
      }
    } finally {
      memory.readLock().unlock();
    }
    memory.writeLock().lock();
    try (Device device = choice.provider().open(options)) {
      return work.apply(device);
    } finally {
      memory.writeLock().unlock();
    }
  }
}
