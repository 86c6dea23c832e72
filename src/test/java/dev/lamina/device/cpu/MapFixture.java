package dev.lamina.device.cpu;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Philox;
import dev.lamina.graph.lowering.Code;
import dev.lamina.graph.lowering.Code.Slot;
import dev.lamina.graph.lowering.CodeInterpreter;
import dev.lamina.graph.lowering.Lowering;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A map, its inputs and what it must make of them to the bit, by interpreting its code for one element after the other.
 */
final class MapFixture {
  final List<Expr> exprs;
  final List<DType> outputTypes;
  final Shape shape;
  final List<HostTensor> inputs = new ArrayList<>();
  final List<HostTensor> outputs = new ArrayList<>();

  MapFixture(Arena arena, List<Expr> exprs, List<TensorType> inputs, List<DType> outputTypes, Shape shape, long seed) {
    this.exprs = exprs;
    this.outputTypes = outputTypes;
    this.shape = shape;
    Random random = new Random(seed);
    for (TensorType type : inputs) {
      HostTensor tensor = HostTensor.allocate(arena, type);
      for (long i = 0; i < tensor.size(); i++) {
        tensor.set(i, type.dtype().isFloating() ? 3 * random.nextGaussian() : random.nextInt(256));
      }
      this.inputs.add(tensor);
    }
    outputTypes.forEach(dtype -> outputs.add(HostTensor.allocate(arena, new TensorType(shape, dtype))));
  }

  List<TensorType> inputTypes() {
    return inputs.stream().map(HostTensor::type).toList();
  }

  MapKernel kernel(ExprCompiler compiler) {
    return compiler.map(exprs, inputTypes(), outputTypes, shape);
  }

  BoundMap bind(ExprCompiler compiler) {
    return kernel(compiler).bind(addresses(inputs), addresses(outputs));
  }

  static long[] addresses(List<HostTensor> tensors) {
    return tensors.stream().mapToLong(tensor -> tensor.segment().address()).toArray();
  }

  /** The outputs one behind the other. */
  float[] actual() {
    float[] all = new float[0];
    for (HostTensor output : outputs) {
      float[] values = output.toFloats();
      int before = all.length;
      all = java.util.Arrays.copyOf(all, before + values.length);
      System.arraycopy(values, 0, all, before, values.length);
    }
    return all;
  }

  /** What {@link #actual} should be, element by element. */
  float[] expected() {
    Code code = Lowering.lower(exprs);
    CodeInterpreter interpreter = new CodeInterpreter(code);
    int size = Math.toIntExact(shape.size());
    float[] all = new float[size * exprs.size()];
    float[] slots = new float[code.slots().size()];
    for (int element = 0; element < size; element++) {
      for (int i = 0; i < slots.length; i++) {
        slots[i] =
            switch (code.slots().get(i)) {
              case Slot.Input(int index) -> (float) at(inputs.get(index), element);
              case Slot.Coordinate(int axis) -> coordinates(element)[axis];
              case Slot.Word(var stream) ->
                  Float.intBitsToFloat((int) Philox.word(stream, (int) inputs.get(stream.step()).get(0), element));
            };
      }
      List<Float> values = interpreter.runAll(slots);
      for (int i = 0; i < values.size(); i++) {
        float value = values.get(i);
        all[i * size + element] = outputTypes.get(i) == DType.U8 ? (int) value & 0xff : value;
      }
    }
    return all;
  }

  /** The input's value at an element, found without any of the compiler's geometry. */
  double at(HostTensor input, int element) {
    int[] coordinates = coordinates(element);
    long index = 0;
    for (int axis = 0; axis < input.shape().rank(); axis++) {
      int coordinate = coordinates[axis + shape.rank() - input.shape().rank()];
      index = index * input.shape().dim(axis) + (input.shape().dim(axis) == 1 ? 0 : coordinate);
    }
    return input.get(index);
  }

  int[] coordinates(int element) {
    int[] coordinates = new int[shape.rank()];
    int rest = element;
    for (int axis = shape.rank() - 1; axis >= 0; axis--) {
      coordinates[axis] = rest % shape.dim(axis);
      rest /= shape.dim(axis);
    }
    return coordinates;
  }
}
