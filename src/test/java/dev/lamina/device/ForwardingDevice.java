package dev.lamina.device;

import dev.lamina.graph.Op;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.util.List;
import java.util.Optional;

/** The kernels and the memory of another device, for devices of tests that do one thing differently. */
public abstract class ForwardingDevice implements Device {
  protected final Device device;

  protected ForwardingDevice(Device device) {
    this.device = device;
  }

  @Override
  public String name() {
    return device.name();
  }

  @Override
  public String description() {
    return device.description();
  }

  @Override
  public long availableMemory() {
    return device.availableMemory();
  }

  @Override
  public Buffer allocate(long bytes) {
    return device.allocate(bytes);
  }

  @Override
  public HostTensor allocateHost(TensorType type) {
    return device.allocateHost(type);
  }

  @Override
  public Ticket upload(HostTensor source, DeviceTensor target) {
    return device.upload(source, target);
  }

  @Override
  public void download(DeviceTensor source, HostTensor target) {
    device.download(source, target);
  }

  @Override
  public Step copy(List<DeviceTensor> from, List<DeviceTensor> to) {
    return device.copy(from, to);
  }

  @Override
  public Kernel prepare(Op op, List<TensorType> inputs) {
    return device.prepare(op, inputs);
  }

  @Override
  public Kernel forecast(Op op, List<TensorType> inputs) {
    return device.forecast(op, inputs);
  }

  @Override
  public Optional<String> unsupported(Op op, List<TensorType> inputs) {
    return device.unsupported(op, inputs);
  }

  @Override
  public boolean warmsUp() {
    return device.warmsUp();
  }

  @Override
  public void synchronize() {
    device.synchronize();
  }

  /** The other one's owner closes it. */
  @Override
  public void close() {}
}
