package dev.lamina.device.reference;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.HostMemory;
import dev.lamina.device.Kernel;
import dev.lamina.device.MemoryLimit;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.graph.Op;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.ref.Cleaner;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Naive loops in double: the meaning of every operation, and the oracle of every test.
 *
 * <p>An operation widens its inputs to double, computes in double throughout and rounds once, when it stores: so does a
 * {@link Op.Fused} form, whose parts hand each other doubles. Every element type is supported. Memory is checked for
 * bounds and lifetime, and fresh memory reads as NaN.
 */
public final class ReferenceDevice implements Device {
  static final String NAME = "reference";
  static final String DESCRIPTION = "one thread, every operation in double precision: exact and slow";

  private final Arena hostArena = Arena.ofShared();
  private final Scratch scratch = new Scratch();
  private final Ledger ledger;
  private final MemoryLimit limit;
  private final Cleaner.Cleanable cleanable;

  /** A device that may take all memory there is. */
  public ReferenceDevice() {
    this(new MemoryLimit.None());
  }

  /** A device that logs a warning when buffers leak. */
  ReferenceDevice(MemoryLimit limit) {
    this(limit, message -> System.getLogger(ReferenceDevice.class.getName()).log(System.Logger.Level.WARNING, message));
  }

  /**
   * A device that says elsewhere when buffers leak.
   *
   * @param leaks is told, in one line, of buffers that were open when the device was closed or dropped
   */
  public ReferenceDevice(Consumer<String> leaks) {
    this(new MemoryLimit.None(), leaks);
  }

  private ReferenceDevice(MemoryLimit limit, Consumer<String> leaks) {
    this.limit = limit;
    ledger = new Ledger(leaks);
    cleanable = Cleaner.create().register(this, ledger);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String description() {
    return DESCRIPTION;
  }

  @Override
  public long availableMemory() {
    return limit.remaining(HostMemory.available(), HostMemory.total(), ledger.bytes());
  }

  @Override
  public Buffer allocate(long bytes) {
    requireOpen();
    if (bytes > availableMemory()) {
      throw outOfMemory(bytes);
    }
    try {
      return new ReferenceBuffer(bytes, ledger);
    } catch (OutOfMemoryError _) {
      throw outOfMemory(bytes);
    }
  }

  private OutOfDeviceMemoryException outOfMemory(long bytes) {
    return new OutOfDeviceMemoryException(
        bytes + " bytes were asked for, the host has " + availableMemory() + " to give");
  }

  @Override
  public HostTensor allocateHost(TensorType type) {
    requireOpen();
    return HostTensor.allocate(hostArena, type);
  }

  @Override
  public Ticket upload(HostTensor source, DeviceTensor target) {
    ReferenceBuffer.view(target).copyFrom(source);
    return Ticket.DONE;
  }

  @Override
  public void download(DeviceTensor source, HostTensor target) {
    target.copyFrom(ReferenceBuffer.view(source));
  }

  @Override
  public Kernel prepare(Op op, List<TensorType> inputs) {
    requireOpen();
    List<TensorType> outputs = TypeInference.infer(op, inputs);
    unsupported(op, inputs)
        .ifPresent(reason -> {
          throw new UnsupportedOnDeviceException(op.label() + ": " + reason);
        });
    return new ReferenceKernel(Computation.of(op, inputs, outputs), inputs, outputs, scratch);
  }

  @Override
  public Optional<String> unsupported(Op op, List<TensorType> inputs) {
    return switch (op) {
      case Op.Input _, Op.Read _, Op.Reshape _ ->
          Optional.of("it is no work: a program answers it with memory that is there");
      case Op.Fused fused when fused.anchor() instanceof Op.Fused ->
          Optional.of("expressions ride on a plain operation, not on a fused one");
      case Op.Fused fused -> unsupported(fused.anchor(), inputs.subList(0, inputs.size() - fused.extras()));
      default ->
          Stream.concat(inputs.stream(), TypeInference.infer(op, inputs).stream())
              .filter(type -> type.shape().size() > Integer.MAX_VALUE - 8)
              .findFirst()
              .map(type -> type + " has more elements than an array of the host can hold");
    };
  }

  @Override
  public void synchronize() {
    requireOpen();
  }

  /** Gives back everything, and reports buffers that were still open: their owner has forgotten them. */
  @Override
  public void close() {
    if (!ledger.isClosed()) {
      ledger.close();
      cleanable.clean();
      hostArena.close();
    }
  }

  private void requireOpen() {
    if (ledger.isClosed()) {
      throw new IllegalStateException("the reference device was used after it was closed");
    }
  }
}
