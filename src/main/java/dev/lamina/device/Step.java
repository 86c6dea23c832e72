package dev.lamina.device;

/** A kernel with its addresses: one entry of a program. */
@FunctionalInterface
public interface Step {

  /** Does the work, or enqueues it on the device's stream. Allocates nothing. */
  void run();
}
