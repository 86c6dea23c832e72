package dev.lamina.cli;

import dev.lamina.device.Buffer;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.Step;
import dev.lamina.graph.Cost;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;

/**
 * What a device reached when it was asked for nothing else: operations are held against it.
 *
 * @param flops floating-point operations a second, in a product of large matrices
 * @param bytes read and written a second, in a copy that fits in no cache
 */
record Roof(double flops, double bytes) {
  /** Large enough for the best tiles, small enough to take a moment. */
  private static final int MATRIX = 768;

  /** Beyond any last-level cache; less only where there is no room for two of them. */
  private static final long COPY_BYTES = 1 << 28;

  private static final int RUNS = 8;

  /** For so long at least: until then loops are compiled, too. */
  private static final double SECONDS = 0.7;

  /** Measures {@code device}: the best of several runs each. */
  static Roof measure(Device device) {
    TensorType matrix = TensorType.f32(MATRIX, MATRIX);
    double product = best(device, new Op.MatMul(false, false), List.of(matrix, matrix), matrix);
    long room = Math.clamp(device.availableMemory() / 3, 1 << 20, COPY_BYTES);
    TensorType vector = TensorType.of(DType.F32, Math.toIntExact(room / DType.F32.bytes()));
    long copied = vector.bytes();
    double copy = best(device, new Op.Pack(List.of(0L), vector.shape().dim(0)), List.of(vector), vector);
    return new Roof(2.0 * MATRIX * MATRIX * MATRIX / product, 2.0 * copied / copy);
  }

  private static double best(Device device, Op op, List<TensorType> inputs, TensorType output) {
    Kernel kernel = device.prepare(op, inputs);
    long each = Math.ceilDiv(output.bytes(), 64) * 64;
    try (Arena arena = Arena.ofConfined();
        Buffer memory = device.allocate(each * (inputs.size() + 1) + Math.max(64, kernel.workspaceBytes()))) {
      List<DeviceTensor> in = new java.util.ArrayList<>();
      for (int i = 0; i < inputs.size(); i++) {
        DeviceTensor zeros = new DeviceTensor(memory, (i + 1) * each, inputs.get(i));
        device.upload(HostTensor.allocate(arena, zeros.type()), zeros).await();
        in.add(zeros);
      }
      DeviceTensor workspace =
          kernel.workspaceBytes() == 0
              ? null
              : new DeviceTensor(
                  memory,
                  each * (inputs.size() + 1),
                  TensorType.of(DType.U8, Math.toIntExact(kernel.workspaceBytes())));
      Step step = kernel.bind(in, List.of(new DeviceTensor(memory, 0, output)), workspace);
      double best = Double.POSITIVE_INFINITY;
      long begin = System.nanoTime();
      for (int run = 0; run < RUNS || System.nanoTime() - begin < SECONDS * 1e9; run++) {
        long start = System.nanoTime();
        step.run();
        device.synchronize();
        best = Math.min(best, (System.nanoTime() - start) * 1e-9);
      }
      return best;
    }
  }

  /**
   * The share of this roof that work of {@code flops} and {@code bytes} in {@code seconds} reached: of the one of the
   * two that binds it.
   */
  double share(Cost cost, double seconds) {
    return Math.max(cost.flops() / flops, cost.bytes() / bytes) / seconds;
  }
}
