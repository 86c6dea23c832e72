package dev.lamina.device;

/** A piece of a device's memory, with one owner who closes it. Only its device knows where it lies. */
public interface Buffer extends AutoCloseable {

  /** Its size in bytes. */
  long bytes();

  /** Gives the memory back; nothing may use it afterwards. */
  @Override
  void close();
}
