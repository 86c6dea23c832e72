package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reductions of an expression: one launch where the outputs alone keep a GPU busy, else what is reduced is cut into
 * parts, and a second launch reduces their results. How it is cut depends on the shape alone.
 */
final class ReduceLaunches {
  /** Blocks that are wanted at least: about eight for each multiprocessor of a large GPU. */
  private static final long ENOUGH_BLOCKS = 1024;

  /** Elements that a thread should reduce before it is worth another part. */
  private static final long ENOUGH_ELEMENTS = 32;

  private final Op.Reduce reduce;
  private final Extents extents;
  private final Sizes sizes;
  private final CudaSource source;
  private final int mostAcross;
  private final int parts;

  private ReduceLaunches(Op.Reduce reduce, List<TensorType> types, boolean whole) {
    this.reduce = reduce;
    this.extents = Extents.of(reduce);
    this.sizes = new Sizes(reduce.shape().size());
    this.source = new CudaSource(List.of(reduce.value()), types, List.of(reduce.dtype()), reduce.shape());
    this.mostAcross = extents.rows() ? Launch.BLOCK : whole ? ACROSS_PARTS : ACROSS_COLUMNS;
    this.parts = whole ? 1 : parts();
  }

  /** Threads side by side in columns: a warp reads what is contiguous. */
  private static final int ACROSS_COLUMNS = 32;

  /**
   * Fewer where results of parts are joined, which are many for each of few outputs: more of a block's threads then
   * take parts, and more blocks take part, each with 64 bytes side by side.
   */
  private static final int ACROSS_PARTS = 4;

  /**
   * What is reduced and what is kept: [outer][length][inner], the middle reduced; or neither, and {@code irregular}.
   */
  private record Extents(long outer, long length, long inner, boolean irregular) {

    static Extents of(Op.Reduce reduce) {
      Shape shape = reduce.shape();
      List<Boolean> pattern = new ArrayList<>();
      long[] extent = {1, 1, 1};
      for (int axis = 0; axis < shape.rank(); axis++) {
        if (shape.dim(axis) == 1) {
          continue;
        }
        boolean reduced = reduce.axes().contains(axis);
        if (pattern.isEmpty() && reduced) {
          pattern.add(false);
        }
        if (pattern.isEmpty() || pattern.getLast() != reduced) {
          pattern.add(reduced);
        }
        if (pattern.size() <= 3) {
          extent[pattern.size() - 1] *= shape.dim(axis);
        }
      }
      if (pattern.size() <= 3) {
        return new Extents(extent[0], extent[1], extent[2], false);
      }
      long length = reduce.axes().stream().mapToLong(shape::dim).reduce(1, (a, b) -> a * b);
      return new Extents(shape.size() / Math.max(length, 1), length, 1, true);
    }

    boolean rows() {
      return inner == 1;
    }
  }

  static long workspaceBytes(Op.Reduce reduce, List<TensorType> types) {
    ReduceLaunches launches = new ReduceLaunches(reduce, types, false);
    return launches.parts == 1 ? 0 : launches.parts * launches.kept() * launches.source.value().bytes();
  }

  static List<Launch> of(Op.Reduce reduce, List<TensorType> types, long[] inputs, long output, long workspace) {
    ReduceLaunches launches = new ReduceLaunches(reduce, types, false);
    if (launches.kept() == 0) {
      return List.of();
    }
    if (launches.parts == 1) {
      return List.of(launches.launch(inputs, output, reduce.dtype()));
    }
    DType value = launches.source.value();
    Launch first = launches.launch(inputs, workspace, value);
    return List.of(first, launches.joining(value).launch(new long[] {workspace}, output, reduce.dtype()));
  }

  /** The reduction of the parts' results. */
  private ReduceLaunches joining(DType value) {
    Shape shape = Shape.of(parts, Math.toIntExact(kept()));
    Op.Reduce join = new Op.Reduce(reduce.kind(), new Expr.Input(0), reduce.dtype(), shape, List.of(0));
    return new ReduceLaunches(join, List.of(new TensorType(shape, value)), true);
  }

  private long kept() {
    return extents.outer * extents.inner;
  }

  /** Threads side by side along what is contiguous. */
  private int across(int width) {
    long contiguous = extents.rows() ? extents.length : extents.inner;
    long wanted = Math.max(1, (contiguous + width - 1) / width);
    return Math.min(powerOfTwo(wanted), mostAcross);
  }

  /** The smallest power of two that is not below {@code n}, at most 256. */
  static int powerOfTwo(long n) {
    return n >= Launch.BLOCK ? Launch.BLOCK : n <= 1 ? 1 : Integer.highestOneBit((int) n - 1) * 2;
  }

  private long blocks(int width) {
    int across = across(width);
    if (extents.rows()) {
      long lines = Launch.BLOCK / across;
      return (extents.outer + lines - 1) / lines;
    }
    return extents.outer * tiles(width);
  }

  private long tiles(int width) {
    long across = (long) across(width) * width;
    return (extents.inner + across - 1) / across;
  }

  /** Decided as if a thread took four elements at once; the true width depends on addresses too. */
  private int parts() {
    long blocks = Math.max(1, blocks(4));
    long lines = Launch.BLOCK / across(4);
    long share = extents.rows() ? (long) across(4) * ENOUGH_ELEMENTS : lines * ENOUGH_ELEMENTS;
    long useful = extents.length / Math.max(1, share);
    long wanted = ENOUGH_BLOCKS / blocks;
    // A second launch has to pay: not for less than two parts' worth of elements.
    return kept() > Integer.MAX_VALUE / ENOUGH_BLOCKS
        ? 1
        : (int) Math.clamp(Math.min(useful, wanted), 1L, ENOUGH_BLOCKS);
  }

  private Launch launch(long[] inputs, long output, DType stored) {
    int width = width(inputs);
    long across = across(width);
    long groups = Math.clamp(blocks(width), 1, Math.max(1, Launch.MOST_BLOCKS / parts));
    List<Argument> arguments = new ArrayList<>();
    arguments.add(new Argument.Address(output));
    arguments.add(sizes.index(extents.outer));
    arguments.add(sizes.index(extents.length));
    if (!extents.rows()) {
      arguments.add(sizes.index(extents.inner));
    }
    arguments.add(new Argument.Int32((int) across));
    if (!extents.rows()) {
      arguments.add(new Argument.Int32(Math.toIntExact(tiles(width))));
    }
    arguments.add(new Argument.Int32(parts));
    source.reads().forEach(input -> arguments.add(new Argument.Address(inputs[input])));
    String generated = source.elementFunction() + "typedef " + CudaSource.typeName(stored) + " Result;\n" + place();
    return new Launch(
        KernelText.files(generated, "reduce.cu"),
        sizes.options(width, List.of("-DKIND_" + reduce.kind().name(), "--fmad=false")),
        extents.rows() ? "lamina_reduce_rows" : "lamina_reduce_columns",
        Math.toIntExact(groups * parts),
        Launch.BLOCK,
        0,
        arguments);
  }

  /** Packs must not reach from one row into the next, nor beyond what is read. */
  private int width(long[] inputs) {
    int width = source.width(inputs, List.of(), new long[0]);
    if (extents.irregular) {
      return 1;
    }
    boolean fits = extents.rows() ? extents.outer == 1 || extents.length % width == 0 : extents.inner % width == 0;
    if (!fits && width == 8) {
      width = 4;
      fits = extents.rows() ? extents.length % width == 0 : extents.inner % width == 0;
    }
    return fits ? width : 1;
  }

  /** Where element {@code index} of what output {@code output} is made of lies, if not in a row. */
  private String place() {
    if (!extents.irregular) {
      return "";
    }
    Shape shape = reduce.shape();
    int[] keptDims = shape.dims();
    int[] reducedDims = shape.dims();
    Arrays.setAll(keptDims, axis -> reduce.axes().contains(axis) ? 1 : shape.dim(axis));
    Arrays.setAll(reducedDims, axis -> reduce.axes().contains(axis) ? shape.dim(axis) : 1);
    return "#define PLACE(output, index) (place_kept(output) + place_reduced(index))\n"
        + placeFunction("place_kept", keptDims, shape)
        + placeFunction("place_reduced", reducedDims, shape);
  }

  private static String placeFunction(String name, int[] dims, Shape shape) {
    StringBuilder terms = new StringBuilder("0");
    long inner = 1;
    long stride = 1;
    for (int axis = shape.rank() - 1; axis >= 0; axis--) {
      if (dims[axis] > 1) {
        terms.append(" + i / ").append(inner).append(" % ").append(dims[axis]).append(" * ").append(stride);
      }
      inner *= dims[axis];
      stride *= shape.dim(axis);
    }
    return "DEVICE Index " + name + "(Index i) { return " + terms + "; }\n";
  }
}
