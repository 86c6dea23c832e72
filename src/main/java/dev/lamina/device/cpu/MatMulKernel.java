package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.Op;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;

/**
 * {@code C = op(A)·op(B)}: B is packed into panels as wide as a tile, [panel][k][columns], with zeros behind its last
 * column; A is read where it lies.
 */
final class MatMulKernel implements CpuKernel {
  /** Rows that one chunk computes with one panel: the panel stays in L1 or L2 meanwhile. */
  private static final int ROWS_PER_CHUNK = 64;

  private final Workers workers;
  private final ProductTile tile;
  private final ProductTile.Left left;
  private final int rows;
  private final int inner;
  private final int columns;
  private final int panelColumns;
  private final int panels;
  private final boolean transposeB;
  private final MapKernel epilogue;

  /**
   * Prepares it.
   *
   * @param epilogue what is made of the result; null for nothing. See {@link Epilogue}
   */
  MatMulKernel(Op.MatMul op, List<TensorType> in, MapKernel epilogue, int vectorBits, Workers workers) {
    this.workers = workers;
    this.epilogue = epilogue;
    Shape a = in.get(0).shape();
    Shape b = in.get(1).shape();
    rows = a.dim(op.transposeA() ? 1 : 0);
    inner = a.dim(op.transposeA() ? 0 : 1);
    columns = b.dim(op.transposeB() ? 0 : 1);
    tile = ProductTile.of(vectorBits, columns);
    panelColumns = tile.columns();
    panels = Math.ceilDiv(columns, panelColumns);
    left = ProductTile.Left.matrix(rows, op.transposeA() ? 4 : 4L * inner, inner, op.transposeA() ? 4L * rows : 4);
    transposeB = op.transposeB();
  }

  private long panelBytes() {
    return 4L * inner * panelColumns;
  }

  @Override
  public long workspaceBytes() {
    return Memory.aligned(panels * panelBytes()) + workers.threads() * tile.scratchBytes();
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    long a = inputs[0];
    long b = inputs[1];
    long c = outputs[0];
    long scratch = workspace + Memory.aligned(panels * panelBytes());
    BoundMap rider = Epilogue.bind(epilogue, inputs, c);
    int blocks = Math.ceilDiv(rows, ROWS_PER_CHUNK);
    Workers.Task pack = panel -> pack(b, panel, workspace + panel * panelBytes());
    Workers.SlotTask multiply =
        (chunk, slot) ->
            multiply(a, workspace, c, chunk / blocks, chunk % blocks, scratch + slot * tile.scratchBytes(), rider);
    return () -> {
      workers.run(pack, panels);
      workers.run(multiply, panels * blocks);
    };
  }

  private void pack(long b, int panel, long target) {
    int first = panel * panelColumns;
    int valid = Math.min(panelColumns, columns - first);
    if (transposeB) {
      Panel.ofColumns(tile, b + 4L * first * inner, 4L * inner, inner, valid, target);
    } else {
      Panel.ofRows(tile, b + 4L * first, 4L * columns, inner, valid, target);
    }
  }

  private void multiply(long a, long packed, long c, int panel, int block, long scratch, BoundMap rider) {
    int first = panel * panelColumns;
    int last = Math.min(rows, (block + 1) * ROWS_PER_CHUNK);
    for (int row = block * ROWS_PER_CHUNK; row < last; row += tile.rows()) {
      tile.runSome(
          left,
          a,
          row,
          Math.min(tile.rows(), last - row),
          packed + panel * panelBytes(),
          c + 4L * row * columns + 4L * first,
          4L * columns,
          Math.min(panelColumns, columns - first),
          scratch);
      if (rider != null) {
        rider.rectangle(
            (long) row * columns + first,
            Math.min(tile.rows(), last - row),
            Math.min(panelColumns, columns - first),
            columns);
      }
    }
  }
}
