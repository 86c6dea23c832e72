package dev.lamina.device.cpu;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import dev.lamina.device.cpu.WinogradTiles.Runs;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;

/**
 * Writes a {@link LinearLoop} as a hidden class, with half of the arithmetic where two rows or columns of the matrix
 * differ in every other sign alone, as powers of p and −p do: the sum of every other term and that of the rest are
 * added and subtracted.
 */
final class LinearLoopWriter {
  private static final ClassDesc RUNS = ClassDesc.of(Runs.class.getName());
  private static final MethodTypeDesc RUN = signature();

  private final CodeBuilder code;
  private final double[][] matrix;
  private final Places places;
  private final int in;
  private final int out;

  /** The local variables of what was read, or of sums and differences of it. */
  private final int[] x;

  /** Which sides of a loop lie at regular distances: fewer addresses than registers. */
  record Places(boolean regularIn, boolean regularOut) {}

  private LinearLoopWriter(CodeBuilder code, double[][] matrix, Places places) {
    this.code = code;
    this.matrix = matrix;
    this.places = places;
    x = new int[matrix[0].length];
    in = code.allocateLocal(TypeKind.LONG);
    out = code.allocateLocal(TypeKind.LONG);
  }

  private static MethodTypeDesc signature() {
    List<ClassDesc> addresses = Collections.nCopies(LinearLoop.MOST, CD_long);
    List<ClassDesc> parameters = new ArrayList<>(addresses);
    parameters.add(RUNS);
    parameters.addAll(addresses);
    return MethodTypeDesc.of(CD_void, parameters);
  }

  /** A loop for a matrix whose rows come in pairs. */
  static LinearLoop byRows(String name, double[][] matrix, Places places) {
    return make(name, matrix, places, LinearLoopWriter::rows);
  }

  /** A loop for a matrix whose columns come in pairs. */
  static LinearLoop byColumns(String name, double[][] matrix, Places places) {
    return make(name, matrix, places, LinearLoopWriter::columns);
  }

  private static LinearLoop make(String name, double[][] matrix, Places places, Consumer<LinearLoopWriter> body) {
    byte[] bytes =
        HiddenClass.write(
            name,
            LinearLoop.class,
            type ->
                HiddenClass.method(type, "run", RUN, code -> new LinearLoopWriter(code, matrix, places).loop(body)));
    return HiddenClass.instance(bytes, LinearLoop.class);
  }

  /** A term of a sum: a vector, by its local variable, and its factor. */
  private record Term(double factor, int vector) {}

  /** Goes over all vectors of all runs. */
  private void loop(Consumer<LinearLoopWriter> body) {
    int runs = code.parameterSlot(LinearLoop.MOST);
    int bytes = run(runs, "bytes");
    int from = run(runs, "from");
    int to = run(runs, "to");
    int rest = code.allocateLocal(TypeKind.LONG);
    int left = code.allocateLocal(TypeKind.LONG);
    code.aload(runs).invokevirtual(RUNS, "count", MethodTypeDesc.of(CD_int)).i2l().lload(bytes).lmul().lstore(rest);
    code.lload(bytes).lstore(left);
    begin(places.regularIn, code.parameterSlot(0), in);
    begin(places.regularOut, code.parameterSlot(LinearLoop.MOST + 1), out);
    Label top = code.newLabel();
    Label end = code.newLabel();
    code.labelBinding(top).lload(rest).lconst_0().lcmp().ifle(end);
    for (int i = 0; i < x.length; i++) {
      int place = i;
      VectorCalls.load(code, () -> address(places.regularIn, 0, place, in));
      x[i] = keep();
    }
    body.accept(this);
    add(in, Lanes.BYTES);
    add(out, Lanes.BYTES);
    add(rest, -Lanes.BYTES);
    add(left, -Lanes.BYTES);
    code.lload(left).lconst_0().lcmp().ifne(top);
    code.lload(bytes).lstore(left);
    code.lload(in).lload(from).ladd().lload(bytes).lsub().lstore(in);
    code.lload(out).lload(to).ladd().lload(bytes).lsub().lstore(out);
    code.goto_(top).labelBinding(end).return_();
  }

  /** Where a side begins: at the first address, or at 0 of each. */
  private void begin(boolean regular, int first, int at) {
    if (regular) {
      code.lload(first);
    } else {
      code.lconst_0();
    }
    code.lstore(at);
  }

  /** Pushes an address; of a regular side the second parameter is the distance. */
  private void address(boolean regular, int firstParameter, int i, int at) {
    code.lload(at);
    if (!regular) {
      code.lload(code.parameterSlot(firstParameter + i)).ladd();
    } else if (i > 0) {
      code.lload(code.parameterSlot(firstParameter + 1)).loadConstant((long) i).lmul().ladd();
    }
  }

  private int run(int runs, String name) {
    int local = code.allocateLocal(TypeKind.LONG);
    code.aload(runs).invokevirtual(RUNS, name, MethodTypeDesc.of(CD_long)).lstore(local);
    return local;
  }

  private void add(int local, long bytes) {
    code.lload(local).loadConstant(bytes).ladd().lstore(local);
  }

  /** Row by row, of two that are a pair both at once. */
  private void rows() {
    for (int i = 0; i < matrix.length; i++) {
      if (i > 0 && alternate(matrix[i - 1], matrix[i])) {
        continue; // came with the one before
      }
      boolean pair = i + 1 < matrix.length && alternate(matrix[i], matrix[i + 1]);
      List<Term> even = new ArrayList<>();
      List<Term> odd = new ArrayList<>();
      for (int k = 0; k < x.length; k++) {
        if (matrix[i][k] != 0) {
          (pair && k % 2 == 1 ? odd : even).add(new Term(matrix[i][k], x[k]));
        }
      }
      if (!pair) {
        sum(even);
        store(keep(), i);
        continue;
      }
      sum(even);
      int evens = keep();
      // The last of the odd terms is multiplied when it is added: one multiplication less.
      double factor = odd.getLast().factor;
      sum(odd.stream().map(term -> new Term(term.factor / factor, term.vector)).toList());
      int odds = keep();
      sum(List.of(new Term(1, evens), new Term(factor, odds)));
      store(keep(), i);
      sum(List.of(new Term(1, evens), new Term(-factor, odds)));
      store(keep(), i + 1);
    }
  }

  private static boolean alternate(double[] a, double[] b) {
    boolean odd = false;
    for (int k = 0; k < a.length; k++) {
      if (b[k] != (k % 2 == 0 ? a[k] : -a[k])) {
        return false;
      }
      odd |= k % 2 == 1 && a[k] != 0;
    }
    return odd;
  }

  /** Sums and differences of the pairs of columns first, then row by row. */
  private void columns() {
    int[] difference = new int[x.length];
    for (int k = 0; k + 1 < x.length; k++) {
      if (isPair(k)) {
        code.aload(x[k]).aload(x[k + 1]);
        VectorCalls.binary(code, "sub");
        difference[k] = keep();
        code.aload(x[k]).aload(x[k + 1]);
        VectorCalls.binary(code, "add");
        x[k] = keep();
      }
    }
    for (int i = 0; i < matrix.length; i++) {
      List<Term> terms = new ArrayList<>();
      for (int k = 0; k < x.length; k++) {
        boolean second = k > 0 && difference[k - 1] != 0;
        if (matrix[i][k] != 0 && !second) {
          terms.add(new Term(matrix[i][k], difference[k] != 0 && i % 2 == 1 ? difference[k] : x[k]));
        }
      }
      sum(terms);
      store(keep(), i);
    }
  }

  /** Whether column {@code k + 1} is column {@code k} with every other sign turned. */
  private boolean isPair(int k) {
    double[] a = new double[matrix.length];
    double[] b = new double[matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      a[i] = matrix[i][k];
      b[i] = matrix[i][k + 1];
    }
    return alternate(a, b);
  }

  /** Pushes the sum of some terms; what needs no factor comes first. */
  private void sum(List<Term> terms) {
    List<Term> sorted = new ArrayList<>(terms);
    sorted.sort((a, b) -> Boolean.compare(a.factor != 1, b.factor != 1));
    int sum = -1;
    for (Term term : sorted) {
      code.aload(term.vector);
      if (term.factor != 1) {
        VectorCalls.constant(code, (float) term.factor);
      }
      if (sum >= 0) {
        code.aload(sum);
      }
      if (sum >= 0 && term.factor != 1) {
        VectorCalls.fma(code);
      } else if (sum >= 0) {
        VectorCalls.binary(code, "add");
      } else if (term.factor != 1) {
        VectorCalls.binary(code, "mul");
      }
      sum = keep();
    }
    code.aload(sum);
  }

  /** Pops a vector into a local variable of its own. */
  private int keep() {
    int local = code.allocateLocal(TypeKind.REFERENCE);
    code.astore(local);
    return local;
  }

  private void store(int vector, int row) {
    code.aload(vector);
    VectorCalls.store(code, () -> address(places.regularOut, LinearLoop.MOST + 1, row, out));
  }
}
