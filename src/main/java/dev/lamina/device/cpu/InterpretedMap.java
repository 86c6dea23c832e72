package dev.lamina.device.cpu;

import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprEvaluator;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;

/**
 * A map in double, one element after the other: counters and sums of metrics, a handful of elements each, and
 * expressions that are too large to be compiled.
 */
final class InterpretedMap implements MapKernel {
  private final Expr[] exprs;
  private final List<TensorType> inputs;
  private final DType[] outputs;
  private final Shape shape;
  private final MapGeometry geometry;

  InterpretedMap(List<Expr> exprs, List<TensorType> inputs, List<DType> outputs, Shape shape) {
    this.exprs = exprs.toArray(Expr[]::new);
    this.inputs = List.copyOf(inputs);
    this.outputs = outputs.toArray(DType[]::new);
    this.shape = shape;
    this.geometry = MapGeometry.of(shape, inputs.stream().map(TensorType::shape).toList());
  }

  @Override
  public boolean canShare(int input, int output) {
    TensorType type = inputs.get(input);
    return type.shape().size() == shape.size() && type.dtype().bytes() == outputs[output].bytes();
  }

  @Override
  public boolean hasRectangles() {
    return true;
  }

  @Override
  public boolean sumsColumns() {
    return false;
  }

  @Override
  public BoundMap bind(long[] inputAddresses, long[] outputAddresses) {
    return new Bound(inputAddresses.clone(), outputAddresses.clone());
  }

  private final class Bound extends BoundMap implements ExprEvaluator.Element {
    private final long[] bases;
    private final long[] targets;
    private final double[] results = new double[exprs.length];
    private long flat;

    Bound(long[] bases, long[] targets) {
      super(shape.size());
      this.bases = bases;
      this.targets = targets;
    }

    @Override
    synchronized void range(long start, long end) {
      compute(start, end, targets[0]);
    }

    @Override
    synchronized void into(long start, int count, long destination) {
      compute(start, start + count, destination - start * outputs[0].bytes());
    }

    @Override
    synchronized void rectangle(long first, int rows, int columns, long rowStride) {
      for (int row = 0; row < rows; row++) {
        long start = first + row * rowStride;
        compute(start, start + columns, targets[0]);
      }
    }

    @Override
    void sum(long first, int rows, int columns, long rowStride, long sums) {
      throw new IllegalStateException("this map stores all of its outputs");
    }

    private void compute(long start, long end, long firstTarget) {
      for (flat = start; flat < end; flat++) {
        for (int i = 0; i < exprs.length; i++) {
          results[i] = ExprEvaluator.evaluate(exprs[i], this);
        }
        for (int i = 0; i < exprs.length; i++) {
          store(outputs[i], (i == 0 ? firstTarget : targets[i]) + flat * outputs[i].bytes(), results[i]);
        }
      }
    }

    @Override
    public double input(int index) {
      DType dtype = inputs.get(index).dtype();
      long address = bases[index] + geometry.offset(index, flat) * dtype.bytes();
      return switch (dtype) {
        case F32 -> ScalarAccess.getFloat(address);
        case F64 -> ScalarAccess.getDouble(address);
        case I32 -> ScalarAccess.getInt(address);
        case U8 -> ScalarAccess.getUnsignedByte(address);
        case BF16, F16 -> throw new IllegalStateException("the CPU device has no " + dtype);
      };
    }

    @Override
    public long coordinate(int axis) {
      return flat / shape.sizeBehind(axis) % shape.dim(axis);
    }

    @Override
    public long flatIndex() {
      return flat;
    }
  }

  /** Rounds to the type, truncating for integers, and writes. */
  static void store(DType dtype, long address, double value) {
    switch (dtype) {
      case F32 -> ScalarAccess.setFloat(address, (float) value);
      case F64 -> ScalarAccess.setDouble(address, value);
      case I32 -> ScalarAccess.setInt(address, (int) value);
      case U8 -> ScalarAccess.setByte(address, (int) value);
      case BF16, F16 -> throw new IllegalStateException("the CPU device has no " + dtype);
    }
  }
}
