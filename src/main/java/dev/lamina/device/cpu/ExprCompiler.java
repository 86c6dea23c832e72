package dev.lamina.device.cpu;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Op;
import dev.lamina.graph.Op.ReduceKind;
import dev.lamina.graph.lowering.Code;
import dev.lamina.graph.lowering.Lowering;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Prepares maps and reductions: 32-bit expressions become bytecode, one class for each distinct code and way its
 * operands lie in memory, whatever the shapes; those in double are interpreted.
 *
 * <p>For one thread that prepares; what it prepares may run on many.
 */
final class ExprCompiler {
  /**
   * Up to 250 instructions compiled loops were seen to make no objects; of some with 300, one vector a call was boxed.
   */
  static final int LARGEST_CODE = 256;

  /** What adding up a value is in instructions. */
  private static final int SUMMING = 12;

  private final BodyCompiler bodies;
  private final RandomWords words;
  private final RowReducer floats;
  private final ThreadLocal<MapScratch> scratch = ThreadLocal.withInitial(MapScratch::new);

  /**
   * A compiler for vectors of {@code vectorBits} bits, those of the process; 0 makes scalar code that does without the
   * Vector API.
   */
  ExprCompiler(int vectorBits) {
    bodies = new BodyCompiler(vectorBits);
    // Two lanes are not shuffled by an instruction, but by objects.
    words = vectorBits < 256 ? RandomWords::scalar : RandomWordVectors::fill;
    floats = new RowReducer.Floats(vectorBits > 0);
  }

  /** Why {@link #map} would refuse to compute with these types, in one line; empty if it would not. */
  static Optional<String> unsupported(List<DType> inputs, List<DType> outputs) {
    Set<DType> missing = new LinkedHashSet<>();
    Set<DType> all = new LinkedHashSet<>(inputs);
    all.addAll(outputs);
    for (DType dtype : all) {
      if (dtype == DType.BF16 || dtype == DType.F16) {
        missing.add(dtype);
      }
    }
    return missing.stream().findFirst().map(type -> "the CPU device computes in F32 and F64, not in " + type);
  }

  /**
   * Why {@link #map} would not make fast code of these expressions, in one line; empty if it would. Fusion asks before
   * it fuses.
   *
   * @param inputs element types of the inputs
   * @param outputs element types of the outputs
   */
  Optional<String> unsupported(List<Expr> exprs, List<DType> inputs, List<DType> outputs) {
    return unsupported(exprs, inputs, outputs, false);
  }

  private Optional<String> unsupported(List<Expr> exprs, List<DType> inputs, List<DType> outputs, boolean summed) {
    Optional<String> types = unsupported(inputs, outputs);
    if (types.isPresent()) {
      return types;
    }
    if (Expr.precision(inputs, outputs) == DType.F64) {
      return Optional.empty();
    }
    Code code = Lowering.lower(exprs);
    int instructions = code.instructions().size() + (summed ? SUMMING : 0);
    if (instructions > LARGEST_CODE) {
      return Optional.of(
          "an expression of " + instructions + " instructions; more than " + LARGEST_CODE + " are not compiled well");
    }
    List<BodyKey.SlotForm> forms =
        code.slots().stream().map(slot -> new BodyKey.SlotForm(slot.dtype(inputs), false)).toList();
    return bodies.refusal(BodyKey.of(code, forms, outputs, summed));
  }

  /**
   * Prepares a map. One that would not be compiled well is interpreted: slow, but right.
   *
   * @param exprs one for each output, over the same inputs
   * @param inputs each repeated to {@code shape}, aligned at the last dimension
   * @param outputs element type of each output, all dense of {@code shape}
   * @throws IllegalArgumentException if the types are {@link #unsupported}
   */
  MapKernel map(List<Expr> exprs, List<TensorType> inputs, List<DType> outputs, Shape shape) {
    List<DType> types = inputs.stream().map(TensorType::dtype).toList();
    unsupported(types, outputs)
        .ifPresent(reason -> {
          throw new IllegalArgumentException(reason);
        });
    if (Expr.precision(types, outputs) == DType.F64 || unsupported(exprs, types, outputs).isPresent()) {
      return new InterpretedMap(exprs, inputs, outputs, shape);
    }
    return compiled(exprs, inputs, outputs, shape, false);
  }

  private CompiledMap compiled(
      List<Expr> exprs, List<TensorType> inputs, List<DType> outputs, Shape shape, boolean summed) {
    return new CompiledMap(Lowering.lower(exprs), inputs, outputs, shape, summed, bodies, name(exprs), words, scratch);
  }

  /**
   * The values of a reduction; where it sums columns and that pays, a map that adds them up in the loop that computes
   * them: while one waits for memory, the other goes on.
   */
  private MapKernel values(Op.Reduce op, List<Expr> exprs, List<TensorType> inputs, DType precision) {
    List<DType> types = Collections.nCopies(exprs.size(), precision);
    int last = op.shape().rank() - 1;
    boolean columns =
        op.kind() == ReduceKind.SUM
            && op.axes().size() == last
            && !op.axes().contains(last)
            && op.shape().last() >= 2 * bodies.lanes();
    if (columns
        && bodies.lanes() > 0
        && precision == DType.F32
        && unsupported(exprs, inputs.stream().map(TensorType::dtype).toList(), types, true).isEmpty()) {
      MapKernel summing = compiled(exprs, inputs, types, op.shape(), true);
      if (summing.hasRectangles()) {
        return summing;
      }
    }
    return map(exprs, inputs, types, op.shape());
  }

  /**
   * Prepares a reduction; in F64 its values are computed in double too.
   *
   * @param stored expressions over the same inputs and shape whose values are kept as well, each an output after the
   *     reduction's
   * @throws IllegalArgumentException if the types are {@link #unsupported}
   */
  Reduction reduce(Op.Reduce op, List<Expr> stored, List<TensorType> inputs) {
    DType precision = Expr.precision(inputs.stream().map(TensorType::dtype).toList(), List.of(op.dtype()));
    int direct = stored.isEmpty() ? direct(op.value(), inputs, precision, op.shape()) : -1;
    List<Expr> exprs = Stream.concat(Stream.of(op.value()), stored.stream()).toList();
    MapKernel values = direct >= 0 ? null : values(op, exprs, inputs, precision);
    RowReducer doubles = new RowReducer.Doubles();
    RowReducer first = precision == DType.F32 ? floats : doubles;
    return Reduction.prepare(
        op,
        form -> new ReduceKernel(op.kind(), values, direct, precision, form.result(), form.extents(), first, scratch),
        form -> new ReduceKernel(op.kind(), null, 0, DType.F64, form.result(), form.extents(), doubles, scratch));
  }

  /** How many classes have been generated. */
  int compiledClasses() {
    return bodies.count();
  }

  private static int direct(Expr value, List<TensorType> inputs, DType precision, Shape shape) {
    boolean plain =
        value instanceof Expr.Input(int index) && inputs.get(index).equals(new TensorType(shape, precision));
    return plain ? ((Expr.Input) value).index() : -1;
  }

  /** What the expressions do, in a word or a few, for profilers. */
  private static String name(List<Expr> exprs) {
    Set<String> words = new LinkedHashSet<>();
    exprs.forEach(expr -> collect(expr, words));
    String joined = words.stream().limit(4).collect(Collectors.joining("_"));
    return (joined.isEmpty() ? "Copy" : joined) + (exprs.size() > 1 ? "_x" + exprs.size() : "");
  }

  private static void collect(Expr expr, Set<String> words) {
    switch (expr) {
      case Expr.Input _, Expr.Constant _ -> {}
      case Expr.Unary(Expr.UnaryOp op, Expr a) -> {
        words.add(capitalised(op.name()));
        collect(a, words);
      }
      case Expr.Binary(Expr.BinaryOp op, Expr a, Expr b) -> {
        words.add(capitalised(op.name()));
        collect(a, words);
        collect(b, words);
      }
      case Expr.Select(Expr.Relation _, Expr left, Expr right, Expr ifTrue, Expr ifFalse) -> {
        words.add("Select");
        List.of(left, right, ifTrue, ifFalse).forEach(part -> collect(part, words));
      }
      case Expr.Index _ -> words.add("Index");
      case Expr.Uniform _ -> words.add("Uniform");
      case Expr.Bernoulli _ -> words.add("Bernoulli");
    }
  }

  private static String capitalised(String word) {
    return word.charAt(0) + word.substring(1).toLowerCase(Locale.ROOT);
  }
}
