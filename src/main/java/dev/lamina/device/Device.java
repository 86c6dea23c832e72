package dev.lamina.device;

import dev.lamina.graph.Op;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Memory, and kernels that work on it. A device knows operations, never layers.
 *
 * <p>Steps run in the order in which they are started. Only {@link #download} and {@link #synchronize} wait for them.
 * One thread drives a device; uploads may come from another.
 */
public interface Device extends AutoCloseable {

  /** What {@code --device} calls it, for example {@code cpu}. */
  String name();

  /** One line about it: processor, threads, vector width or driver. */
  String description();

  /** Bytes that could be allocated now. */
  long availableMemory();

  /**
   * Memory of {@code bytes} bytes, 64-byte aligned, of undefined content.
   *
   * @throws OutOfDeviceMemoryException if there is not enough
   */
  Buffer allocate(long bytes);

  /** A tensor of zeros on the host from which uploads are fast; it lives until the device is closed. */
  HostTensor allocateHost(TensorType type);

  /**
   * Copies {@code source} to the device, in order with the steps; the source may be changed once the ticket is done.
   */
  Ticket upload(HostTensor source, DeviceTensor target);

  /**
   * Copies an input of the next step, which only the intake of a {@linkplain #capture captured} one reads: beside the
   * step under way, if the device can.
   */
  default Ticket stage(HostTensor source, DeviceTensor target) {
    return upload(source, target);
  }

  /** Waits for all steps before it and copies {@code source} to the host. */
  void download(DeviceTensor source, HostTensor target);

  /**
   * Prepares {@code op} for inputs of the given types, which have passed {@link dev.lamina.graph.TypeInference}.
   *
   * @throws UnsupportedOnDeviceException if it is an element type, or a {@link Op.Fused} form, that this device does
   *     not run
   */
  Kernel prepare(Op op, List<TensorType> inputs);

  /**
   * What {@link #prepare} is going to give, as far as that can be told without running anything: for plans whose memory
   * is only counted, since nothing may be tried in memory that may not be there. It cannot be bound.
   */
  default Kernel forecast(Op op, List<TensorType> inputs) {
    return prepare(op, inputs);
  }

  /**
   * Why {@link #prepare} would refuse {@code op}, or would make no fast kernel of it; empty otherwise. Passes ask
   * before they fuse.
   */
  Optional<String> unsupported(Op op, List<TensorType> inputs);

  /**
   * The steps as one that does the same; a device that can record them does so after their first run.
   *
   * @param name what they do together, for messages
   * @param intake what comes first, and is the only one to read what is {@linkplain #stage staged}
   * @param steps all others, in their order
   */
  default Replay capture(String name, Step intake, List<Step> steps) {
    Step[] all = Stream.concat(Stream.of(intake), steps.stream()).toArray(Step[]::new);
    return () -> {
      for (Step step : all) {
        step.run();
      }
    };
  }

  /** A step that copies the bytes of each tensor of {@code from} to that of {@code to} in the same place. */
  default Step copy(List<DeviceTensor> from, List<DeviceTensor> to) {
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < from.size(); i++) {
      TensorType type = from.get(i).type();
      TensorType flat = new TensorType(Shape.of(Math.toIntExact(type.shape().size())), type.dtype());
      // A copy of bytes, whatever they are: a pack of one.
      Kernel kernel = prepare(new Op.Pack(List.of(0L), Math.toIntExact(flat.shape().size())), List.of(flat));
      steps.add(
          kernel.bind(
              List.of(new DeviceTensor(from.get(i).buffer(), from.get(i).offset(), flat)),
              List.of(new DeviceTensor(to.get(i).buffer(), to.get(i).offset(), flat)),
              null));
    }
    return () -> {
      for (Step step : steps) {
        step.run();
      }
    };
  }

  /** Whether its kernels become faster by being run, as code does that the virtual machine compiles on the way. */
  default boolean warmsUp() {
    return true;
  }

  /** Waits until all steps have been done. */
  void synchronize();

  /** Gives back everything allocated through this device. */
  @Override
  void close();

  /** A whole step, to be run again and again. */
  @FunctionalInterface
  interface Replay extends Step, AutoCloseable {
    /** Gives back what was recorded. */
    @Override
    default void close() {}
  }

  /** An upload under way. */
  @FunctionalInterface
  interface Ticket {
    /** An upload that was over when the call returned. */
    Ticket DONE = () -> {};

    /** Returns when the host memory is free again. */
    void await();
  }
}
