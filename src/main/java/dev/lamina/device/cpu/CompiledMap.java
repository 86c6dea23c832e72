package dev.lamina.device.cpu;

import dev.lamina.graph.RandomStream;
import dev.lamina.graph.lowering.Code;
import dev.lamina.graph.lowering.Code.Slot;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A map in 32-bit arithmetic. The generated loop knows dense operands and single values only; broadcasts become one of
 * them in two ways:
 *
 * <ul>
 *   <li>rows of the innermost dimension, if they are long: there every operand is one or the other;
 *   <li>else blocks of the flat index, with whatever is repeated, counted or random written out into rows of scratch
 *       memory. What repeats with a short period (one value a channel) is written once a range, so three channels cost
 *       no more than sixty-four.
 * </ul>
 */
final class CompiledMap implements MapKernel {
  /** Rows this long need no staging however they end. */
  private static final int LONG_ROW = 512;

  /**
   * Rows of at least so many whole vectors: writing out 16 channels takes 0.8 ns an element, rows of 32 as they are
   * 0.2.
   */
  private static final int WHOLE_VECTORS = 2;

  private final BodyCompiler.Compiled body;
  private final List<Slot> slots;
  private final DType[] slotTypes;
  private final int[] slotBytes;
  private final DType[] outputs;
  private final List<TensorType> inputs;
  private final Shape shape;
  private final MapGeometry geometry;
  private final long[] periods;
  private final boolean staged;
  private final int block;
  private final RandomWords words;
  private final ThreadLocal<MapScratch> scratch;
  private final boolean summed;

  CompiledMap(
      Code code,
      List<TensorType> inputs,
      List<DType> outputs,
      Shape shape,
      boolean summed,
      BodyCompiler compiler,
      String name,
      RandomWords words,
      ThreadLocal<MapScratch> scratch) {
    this.slots = code.slots();
    this.inputs = List.copyOf(inputs);
    this.outputs = outputs.toArray(DType[]::new);
    this.shape = shape;
    this.words = words;
    this.scratch = scratch;
    this.summed = summed;
    List<DType> types = inputs.stream().map(TensorType::dtype).toList();
    this.slotTypes = slots.stream().map(slot -> slot.dtype(types)).toArray(DType[]::new);
    this.slotBytes = Arrays.stream(slotTypes).mapToInt(DType::bytes).toArray();
    this.geometry = MapGeometry.of(shape, slots.stream().map(this::slotShape).toList());
    this.periods = new long[slots.size()];
    for (int i = 0; i < periods.length; i++) {
      periods[i] = geometry.period(i);
    }
    this.staged = needsStaging(compiler.lanes());
    this.block = blockLength();
    List<BodyKey.SlotForm> forms = new ArrayList<>();
    for (int i = 0; i < periods.length; i++) {
      forms.add(new BodyKey.SlotForm(slotTypes[i], uniformInRow(i)));
    }
    this.body = compiler.compile(BodyKey.of(code, forms, outputs, summed), name);
  }

  /** A coordinate is like an input that counts along one axis; words are as dense as the output. */
  private Shape slotShape(Slot slot) {
    return switch (slot) {
      case Slot.Input(int index) -> inputs.get(index).shape();
      case Slot.Coordinate(int axis) -> {
        int[] dims = new int[shape.rank() - axis];
        Arrays.fill(dims, 1);
        dims[0] = shape.dim(axis);
        yield Shape.of(dims);
      }
      case Slot.Word _ -> shape;
    };
  }

  private boolean needsStaging(int lanes) {
    if (slots.stream().anyMatch(slot -> !(slot instanceof Slot.Input))) {
      return true;
    }
    int row = geometry.inner();
    boolean wholeVectors = lanes > 0 && row % lanes == 0 && row >= WHOLE_VECTORS * lanes;
    return geometry.rank() > 1 && row < LONG_ROW && !wholeVectors;
  }

  /** The longest multiple of all short periods that fits, so that what is written out once serves every block. */
  private int blockLength() {
    long longest = 1;
    for (long period : periods) {
      longest = period <= MapScratch.BLOCK ? Math.max(longest, period) : longest;
    }
    return (int) (MapScratch.BLOCK / longest * longest);
  }

  private boolean uniformInRow(int slot) {
    if (!(slots.get(slot) instanceof Slot.Input)) {
      return false;
    }
    return staged || geometry.rank() == 0 ? periods[slot] == 1 : geometry.strides()[slot][geometry.rank() - 1] == 0;
  }

  @Override
  public boolean canShare(int input, int output) {
    TensorType type = inputs.get(input);
    return type.shape().size() == shape.size() && type.dtype().bytes() == outputs[output].bytes();
  }

  @Override
  public boolean hasRectangles() {
    for (int i = 0; i < periods.length; i++) {
      boolean fits = periods[i] == 1 || periods[i] == shape.last() || periods[i] == shape.size();
      if (!fits || !(slots.get(i) instanceof Slot.Input)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean sumsColumns() {
    return summed;
  }

  @Override
  public BoundMap bind(long[] inputAddresses, long[] outputAddresses) {
    return new Bound(inputAddresses, outputAddresses.clone());
  }

  private final class Bound extends BoundMap {
    /** Where each slot's values begin; of random words, where the step is. */
    private final long[] bases = new long[slots.size()];

    private final long[] targets;

    Bound(long[] inputAddresses, long[] targets) {
      super(shape.size());
      this.targets = targets;
      for (int i = 0; i < bases.length; i++) {
        bases[i] =
            switch (slots.get(i)) {
              case Slot.Input(int index) -> inputAddresses[index];
              case Slot.Coordinate _ -> 0;
              case Slot.Word(RandomStream stream) -> inputAddresses[stream.step()];
            };
      }
    }

    @Override
    void range(long start, long end) {
      compute(start, end, targets[0]);
    }

    @Override
    void into(long start, int count, long destination) {
      compute(start, start + count, destination - start * outputs[0].bytes());
    }

    private void compute(long start, long end, long firstTarget) {
      if (start >= end) {
        return;
      }
      if (staged) {
        blocks(start, end, firstTarget);
      } else {
        rows(start, end, firstTarget);
      }
    }

    private void rows(long start, long end, long firstTarget) {
      long[] frame = scratch.get().frame(bases.length + targets.length);
      int rank = geometry.rank();
      long length = rank <= 1 ? Long.MAX_VALUE : geometry.inner();
      long row = rank <= 1 ? 0 : geometry.dims()[rank - 2];
      for (long at = start; at < end; ) {
        long column = at % length;
        boolean part = column != 0 || end - at < length;
        int columns = (int) Math.min(length - column, end - at);
        int rows = part ? 1 : (int) Math.min((end - at) / length, row - at / length % row);
        for (int i = 0; i < bases.length; i++) {
          frame[2 * i] = bases[i] + geometry.offset(i, at) * slotBytes[i];
          frame[2 * i + 1] = rank <= 1 ? 0 : geometry.strides()[i][rank - 2] * slotBytes[i];
        }
        point(frame, at, firstTarget, columns);
        body.run(frame, rows, columns);
        at += (long) rows * columns;
      }
    }

    private void blocks(long start, long end, long firstTarget) {
      MapScratch memory = scratch.get();
      long[] frame = memory.frame(bases.length + targets.length);
      long stage = memory.rows(bases.length);
      for (long at = start; at < end; at += block) {
        int count = (int) Math.min(block, end - at);
        for (int i = 0; i < bases.length; i++) {
          long row = stage + i * MapScratch.ROW_BYTES;
          frame[2 * i] =
              switch (slots.get(i)) {
                case Slot.Input _ -> staged(i, row, at, count, at == start);
                case Slot.Coordinate _ -> coordinates(i, row, at, count, at == start);
                case Slot.Word(RandomStream stream) -> random(stream, bases[i], row, at, count);
              };
        }
        point(frame, at, firstTarget, 0);
        body.run(frame, 1, count);
      }
    }

    /** Sets the outputs' part of a frame. */
    private void point(long[] frame, long at, long firstTarget, long rowStride) {
      for (int i = 0; i < targets.length; i++) {
        int bytes = outputs[i].bytes();
        frame[2 * (bases.length + i)] = (i == 0 ? firstTarget : targets[i]) + at * bytes;
        frame[2 * (bases.length + i) + 1] = rowStride * bytes;
      }
    }

    /**
     * Where the input's values for a block lie one behind the other: in place if they do, else written out to {@code
     * row}.
     */
    private long staged(int slot, long row, long at, int count, boolean first) {
      int bytes = slotBytes[slot];
      if (periods[slot] == 1) {
        return bases[slot];
      }
      if (periods[slot] == shape.size()) {
        return bases[slot] + at * bytes;
      }
      if (first || !repeats(slot)) {
        int once = (int) Math.min(count, periods[slot] == 0 ? count : periods[slot]);
        Staging.gather(geometry, slot, bases[slot], bytes, at, once, row);
        Staging.repeat(row, (long) once * bytes, (long) count * bytes);
      }
      return row;
    }

    private long coordinates(int slot, long row, long at, int count, boolean first) {
      if (first || !repeats(slot)) {
        Staging.coordinates(geometry, slot, at, count, row);
      }
      return row;
    }

    /** Whether the values of one block are those of the next. */
    private boolean repeats(int slot) {
      return periods[slot] != 0 && block % periods[slot] == 0;
    }

    private long random(RandomStream stream, long stepAddress, long row, long at, int count) {
      long firstBlock = at >>> 2;
      int before = (int) (at & 3);
      words.fill(row, stream, ScalarAccess.getInt(stepAddress), firstBlock, (before + count + 3) / 4);
      return row + 4L * before;
    }

    @Override
    void rectangle(long first, int rows, int columns, long rowStride) {
      long[] frame = rectangleFrame(first, rowStride);
      body.run(frame, rows, columns);
    }

    @Override
    void sum(long first, int rows, int columns, long rowStride, long sums) {
      long[] frame = rectangleFrame(first, rowStride);
      frame[2 * bases.length] = sums;
      frame[2 * bases.length + 1] = 0;
      body.run(frame, rows, columns);
    }

    private long[] rectangleFrame(long first, long rowStride) {
      long[] frame = scratch.get().frame(bases.length + targets.length);
      for (int i = 0; i < bases.length; i++) {
        boolean dense = periods[i] == shape.size();
        long offset = dense ? first : first % periods[i];
        frame[2 * i] = bases[i] + offset * slotBytes[i];
        frame[2 * i + 1] = dense ? rowStride * slotBytes[i] : 0;
      }
      point(frame, first, targets[0], rowStride);
      return frame;
    }
  }
}
