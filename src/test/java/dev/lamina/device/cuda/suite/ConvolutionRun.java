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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** One convolution with its operands on a device. */
final class ConvolutionRun implements AutoCloseable {
  /**
   * Random values, of which the device makes more by copying: drawing each of a hundred million takes seconds, and so
   * does their way to the device. A prime number of rows of 64, so that no two images are alike.
   */
  private static final int BLOCK = 64 * 1021;

  /** Windows of equal length, of which the median counts. */
  private static final int WINDOWS = 5;

  /** What is compared: some slices of the result, each of so many elements, which begin where tensors may. */
  private static final int SLICES = 16;

  private static final int SLICE = 64;

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
    var block = slice(tensor, 0, Math.min(BLOCK, type.shape().size()));
    try (Arena arena = Arena.ofShared()) {
      HostTensor host = HostTensor.allocate(arena, block.type());
      var random = new SplittableRandom(type.hashCode());
      for (long i = 0; i < host.size(); i++) {
        host.set(i, random.nextGaussian());
      }
      device.upload(host, block).await();
    }
    for (long done = block.type().bytes(); done < type.bytes(); done *= 2) {
      long more = Math.min(done, type.bytes() - done);
      device.copy(List.of(bytes(tensor, 0, more)), List.of(bytes(tensor, done, more))).run();
    }
    return tensor;
  }

  private static DeviceTensor slice(DeviceTensor tensor, long from, long elements) {
    DType dtype = tensor.type().dtype();
    return new DeviceTensor(tensor.buffer(), from * dtype.bytes(), TensorType.of(dtype, Math.toIntExact(elements)));
  }

  private static DeviceTensor bytes(DeviceTensor tensor, long from, long count) {
    return new DeviceTensor(tensor.buffer(), from, TensorType.of(DType.U8, Math.toIntExact(count)));
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

  /** Slices of the result, evenly spread. */
  float[] sample() {
    long size = result.type().shape().size();
    int length = (int) Math.min(SLICE, size);
    float[] values = new float[SLICES * length];
    try (Arena arena = Arena.ofShared()) {
      HostTensor host = HostTensor.allocate(arena, TensorType.of(result.type().dtype(), length));
      for (int i = 0; i < SLICES; i++) {
        long from = (size - length) * i / (SLICES - 1) / SLICE * SLICE;
        device.download(slice(result, from, length), host);
        for (int j = 0; j < length; j++) {
          values[i * length + j] = (float) host.get(j);
        }
      }
    }
    return values;
  }

  @Override
  public void close() {
    buffers.forEach(Buffer::close);
  }
}
