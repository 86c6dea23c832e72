package dev.lamina.device;

import dev.lamina.graph.Variable;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;

/** The values of a model's variables on a device; all begin as zeros. Owns its memory. */
public final class VariableStore implements AutoCloseable {
  private final Device device;
  private final VariableLayout layout;
  private final Buffer buffer;
  private long version;

  /**
   * Allocates all variables of {@code layout}.
   *
   * @throws OutOfDeviceMemoryException if they do not fit
   */
  public VariableStore(Device device, VariableLayout layout) {
    this.device = device;
    this.layout = layout;
    this.buffer = device.allocate(Math.max(layout.bytes(), 64));
    try (Arena arena = Arena.ofConfined()) {
      for (Variable variable : layout.variables()) {
        write(variable, HostTensor.allocate(arena, variable.type()));
      }
    }
  }

  public VariableLayout layout() {
    return layout;
  }

  /** The memory of {@code variable}. */
  public DeviceTensor tensor(Variable variable) {
    return new DeviceTensor(buffer, layout.offset(variable), variable.type());
  }

  /**
   * Sets the value of {@code variable}.
   *
   * @throws IllegalArgumentException if {@code value} has another type
   */
  public void write(Variable variable, HostTensor value) {
    expect(variable, value.type());
    changes();
    device.upload(value, tensor(variable)).await();
  }

  /** Says that some variable is about to get a new value. */
  void changes() {
    version++;
  }

  /** Another number whenever a variable may have changed. */
  long version() {
    return version;
  }

  /** Waits for the steps before it and copies the value of {@code variable} to {@code target}. */
  public void read(Variable variable, HostTensor target) {
    expect(variable, target.type());
    device.download(tensor(variable), target);
  }

  /** Waits for the steps before it; the value of {@code variable} in {@code memory}. */
  public HostTensor read(Variable variable, Arena memory) {
    HostTensor value = HostTensor.allocate(memory, variable.type());
    read(variable, value);
    return value;
  }

  private static void expect(Variable variable, TensorType type) {
    if (!variable.type().equals(type)) {
      throw new IllegalArgumentException(variable.name() + " is " + variable.type() + ", got " + type);
    }
  }

  @Override
  public void close() {
    buffer.close();
  }
}
