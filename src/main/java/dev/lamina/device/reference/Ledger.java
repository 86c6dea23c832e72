package dev.lamina.device.reference;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Which buffers of a device are open. Holds no reference to the device, so that it can tell of one that was dropped
 * unclosed.
 */
final class Ledger implements Runnable {
  private final Set<ReferenceBuffer> open = ConcurrentHashMap.newKeySet();
  private final Consumer<String> leaks;
  private volatile boolean closed;

  Ledger(Consumer<String> leaks) {
    this.leaks = leaks;
  }

  void opened(ReferenceBuffer buffer) {
    open.add(buffer);
  }

  void closed(ReferenceBuffer buffer) {
    open.remove(buffer);
  }

  /** Of all open buffers together. */
  long bytes() {
    return open.stream().mapToLong(ReferenceBuffer::bytes).sum();
  }

  /** Reports what is still open and gives it back. */
  void close() {
    closed = true;
    report("was closed");
    List.copyOf(open).forEach(ReferenceBuffer::close);
  }

  boolean isClosed() {
    return closed;
  }

  /** The device is unreachable: reports what nobody can close any more. */
  @Override
  public void run() {
    if (!closed) {
      report("was dropped without being closed");
    }
  }

  private void report(String what) {
    if (!open.isEmpty()) {
      leaks.accept(
          "the reference device "
              + what
              + " with "
              + open.size()
              + " open buffer(s) of "
              + bytes()
              + " bytes; close them first");
    }
  }
}
