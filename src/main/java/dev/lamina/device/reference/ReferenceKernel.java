package dev.lamina.device.reference;

import dev.lamina.device.DeviceTensor;
import dev.lamina.device.Kernel;
import dev.lamina.device.Step;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.util.List;

/**
 * Widens the inputs, computes, rounds the outputs. Every input is read before anything is written, so inputs and
 * outputs of one type can share memory.
 */
record ReferenceKernel(Computation computation, List<TensorType> inputs, List<TensorType> outputs, Scratch scratch)
    implements Kernel {

  @Override
  public boolean canShare(int input, int output) {
    return inputs.get(input).equals(outputs.get(output));
  }

  @Override
  public Step bind(List<DeviceTensor> in, List<DeviceTensor> out, DeviceTensor workspace) {
    Operand[] reads = operands(in, inputs, 0);
    Operand[] writes = operands(out, outputs, in.size());
    double[][] values = new double[in.size()][];
    double[][] results = new double[out.size()][];
    return () -> {
      for (int i = 0; i < reads.length; i++) {
        values[i] = reads[i].load();
      }
      for (int i = 0; i < writes.length; i++) {
        results[i] = writes[i].array();
      }
      computation.run(values, results);
      for (Operand write : writes) {
        write.store();
      }
    };
  }

  private Operand[] operands(List<DeviceTensor> tensors, List<TensorType> types, int firstSlot) {
    if (!tensors.stream().map(DeviceTensor::type).toList().equals(types)) {
      throw new IllegalArgumentException(
          "the kernel was prepared for " + types + ", got " + tensors.stream().map(DeviceTensor::type).toList());
    }
    Operand[] operands = new Operand[tensors.size()];
    for (int i = 0; i < operands.length; i++) {
      operands[i] =
          new Operand(ReferenceBuffer.of(tensors.get(i)), ReferenceBuffer.view(tensors.get(i)), scratch, firstSlot + i);
      scratch.reserve(firstSlot + i, Math.toIntExact(types.get(i).shape().size()));
    }
    return operands;
  }

  /** A tensor in memory and the array its values are computed in. */
  private record Operand(ReferenceBuffer buffer, HostTensor tensor, Scratch scratch, int slot) {

    double[] array() {
      return scratch.get(slot);
    }

    double[] load() {
      buffer.requireOpen();
      double[] values = array();
      int size = (int) tensor.size();
      for (int i = 0; i < size; i++) {
        values[i] = tensor.get(i);
      }
      return values;
    }

    void store() {
      buffer.requireOpen();
      double[] values = array();
      int size = (int) tensor.size();
      for (int i = 0; i < size; i++) {
        tensor.set(i, values[i]);
      }
    }
  }
}
