package dev.lamina.device.cuda.suite;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.Step;
import dev.lamina.graph.Op;
import dev.lamina.graph.TypeInference;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** One convolution with its operands on a device. */
final class ConvolutionRun implements AutoCloseable {
  /** Random values, then the same again: drawing each of a hundred million takes seconds. */
  private static final int BLOCK = 64 * 1021 + 1;

  /** Windows of equal length, of which the median counts. */
  private static final int WINDOWS = 5;

  /** Elements that are compared. */
  private static final int SAMPLE = 1000;

  private final Device device;
  private final Kernel kernel;
  private final List<Buffer> buffers = new ArrayList<>();
  private final DeviceTensor result;
  private final Step step;

  ConvolutionRun(Device device, DType dtype, ConvolutionCase shape, ConvolutionCase.Direction direction) {
    this.device = device;
    Op op = shape.op(direction);
    List<TensorType> types = shape.inputs(direction, dtype);
    kernel = device.prepare(op, types);
    boolean complete = false;
    try {
      List<DeviceTensor> inputs = types.stream().map(this::random).toList();
      result = tensor(TypeInference.infer(op, types).getFirst());
      long bytes = kernel.workspaceBytes();
      DeviceTensor workspace = bytes == 0 ? null : tensor(TensorType.of(DType.U8, Math.toIntExact(bytes)));
      step = kernel.bind(inputs, List.of(result), workspace);
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  private DeviceTensor tensor(TensorType type) {
    Buffer buffer = device.allocate(type.bytes());
    buffers.add(buffer);
    return new DeviceTensor(buffer, 0, type);
  }

  private DeviceTensor random(TensorType type) {
    DeviceTensor tensor = tensor(type);
    try (Arena arena = Arena.ofShared()) {
      HostTensor host = HostTensor.allocate(arena, type);
      var random = new SplittableRandom(type.hashCode());
      long block = Math.min(BLOCK, host.size());
      for (long i = 0; i < block; i++) {
        host.set(i, random.nextGaussian());
      }
      MemorySegment values = host.segment();
      long bytes = block * type.dtype().bytes();
      for (long at = bytes; at < values.byteSize(); at += bytes) {
        MemorySegment.copy(values, 0, values, at, Math.min(bytes, values.byteSize() - at));
      }
      device.upload(host, tensor).await();
    }
    return tensor;
  }

  long workspaceBytes() {
    return kernel.workspaceBytes();
  }

  /** Of one run among many, so that the time to enqueue it does not count. */
  double milliseconds(double seconds) {
    window(1);
    double once = window(3);
    int runs = (int) Math.clamp(seconds / WINDOWS / once * 1e3, 1, 10_000);
    double[] windows = new double[WINDOWS];
    Arrays.setAll(windows, _ -> window(runs));
    Arrays.sort(windows);
    return windows[WINDOWS / 2];
  }

  private double window(int runs) {
    device.synchronize();
    long begin = System.nanoTime();
    for (int i = 0; i < runs; i++) {
      step.run();
    }
    device.synchronize();
    return (System.nanoTime() - begin) * 1e-6 / runs;
  }

  /** Elements of the result, evenly spread. */
  float[] sample() {
    try (Arena arena = Arena.ofShared()) {
      HostTensor host = HostTensor.allocate(arena, result.type());
      device.download(result, host);
      float[] values = new float[SAMPLE];
      for (int i = 0; i < SAMPLE; i++) {
        values[i] = (float) host.get(host.size() * i / SAMPLE);
      }
      return values;
    }
  }

  @Override
  public void close() {
    buffers.forEach(Buffer::close);
  }
}
