package dev.lamina.device.cpu;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes a {@link ProductTile} of so many rows by so many vectors, as a hidden class. Its loop is
 *
 * <pre>{@code
 * for (int k = 0; k < inner.length; k++) {
 *   load the vectors of row k of B;
 *   for each row of A: spread its element k, and multiply and add it to as many sums as there are vectors;
 * }
 * }</pre>
 *
 * where the inner one is written out, because all sums must be local variables: a vector that crossed a call which is
 * not inlined, or lay in an array, would become an object.
 */
final class ProductTileWriter {
  private static final ClassDesc LEFT = ClassDesc.of(ProductTile.Left.class.getName());
  private static final ClassDesc MATH = ClassDesc.of(Math.class.getName());
  private static final ClassDesc INTS = CD_int.arrayType();
  private static final MethodTypeDesc SIZE = MethodTypeDesc.of(CD_int);
  private static final MethodTypeDesc RUN =
      MethodTypeDesc.of(CD_void, LEFT, CD_long, CD_int, CD_int, CD_long, CD_long, CD_long, CD_long);

  private final CodeBuilder code;
  private final int rows;
  private final int vectors;

  private ProductTileWriter(CodeBuilder code, int rows, int vectors) {
    this.code = code;
    this.rows = rows;
    this.vectors = vectors;
  }

  /** A new class of {@code rows} rows and {@code vectors} vectors. */
  static ProductTile tile(int rows, int vectors) {
    byte[] bytes =
        HiddenClass.write(
            "ProductTile$" + rows + "x" + vectors,
            ProductTile.class,
            type -> {
              HiddenClass.method(type, "rows", SIZE, code -> code.loadConstant(rows).ireturn());
              HiddenClass.method(type, "columns", SIZE, code -> code.loadConstant(vectors * Lanes.COUNT).ireturn());
              HiddenClass.method(type, "run", RUN, code -> new ProductTileWriter(code, rows, vectors).run());
            });
    return HiddenClass.instance(bytes, ProductTile.class);
  }

  /** See {@link ProductTile#run}. A row beyond the last computes that one again and stores the same values. */
  private void run() {
    int left = code.parameterSlot(0);
    int inner = code.allocateLocal(TypeKind.REFERENCE);
    int[] a = locals(TypeKind.LONG, rows);
    int[] b = locals(TypeKind.REFERENCE, vectors);
    int[] sums = locals(TypeKind.REFERENCE, rows * vectors);
    code.aload(left).invokevirtual(LEFT, "inner", MethodTypeDesc.of(INTS)).astore(inner);
    for (int r = 0; r < rows; r++) {
      code.aload(left).lload(code.parameterSlot(1)).iload(code.parameterSlot(2));
      pushRow(r);
      code.iadd().invokevirtual(LEFT, "row", MethodTypeDesc.of(CD_long, CD_long, CD_int)).lstore(a[r]);
    }
    // One zero for all: each of its own would be inlined, of which C2 does not do more than so much a method.
    VectorCalls.constant(code, 0);
    for (int sum : sums) {
      code.dup().astore(sum);
    }
    code.pop();
    loop(inner, a, b, sums);
    for (int r = 0; r < rows; r++) {
      int c = a[r];
      code.lload(code.parameterSlot(6));
      pushRow(r);
      code.i2l().lload(code.parameterSlot(7)).lmul().ladd().lstore(c);
      for (int v = 0; v < vectors; v++) {
        int place = v;
        code.aload(sums[r * vectors + v]);
        VectorCalls.store(code, () -> pushVector(c, place));
      }
    }
    code.return_();
  }

  private void loop(int inner, int[] a, int[] b, int[] sums) {
    int k = code.allocateLocal(TypeKind.INT);
    int row = code.allocateLocal(TypeKind.LONG);
    int offset = code.allocateLocal(TypeKind.LONG);
    int x = code.allocateLocal(TypeKind.REFERENCE);
    Label top = code.newLabel();
    Label end = code.newLabel();
    code.iconst_0().istore(k).labelBinding(top).iload(k).aload(inner).arraylength().if_icmpge(end);
    code.aload(inner).iload(k).iaload();
    code.invokestatic(VectorCalls.MEMORY, "offset", MethodTypeDesc.of(CD_long, CD_int)).lstore(offset);
    code.lload(code.parameterSlot(4)).iload(k).i2l().lload(code.parameterSlot(5)).lmul().ladd();
    code.invokestatic(VectorCalls.MEMORY, "base", MethodTypeDesc.of(CD_long, CD_long)).lstore(row);
    for (int v = 0; v < vectors; v++) {
      int place = v;
      VectorCalls.load(code, () -> pushVector(row, place));
      code.astore(b[v]);
    }
    for (int r = 0; r < rows; r++) {
      code.lload(a[r]).lload(offset).ladd();
      code.invokestatic(VectorCalls.LANES, "broadcast", MethodTypeDesc.of(VectorCalls.FLOATS, CD_long)).astore(x);
      for (int v = 0; v < vectors; v++) {
        int sum = sums[r * vectors + v];
        code.aload(x).aload(b[v]).aload(sum);
        VectorCalls.fma(code);
        code.astore(sum);
      }
    }
    code.iinc(k, 1).goto_(top).labelBinding(end);
  }

  private int[] locals(TypeKind kind, int count) {
    int[] locals = new int[count];
    for (int i = 0; i < count; i++) {
      locals[i] = code.allocateLocal(kind);
    }
    return locals;
  }

  /** Row {@code r} of those that there are, or the last. */
  private void pushRow(int r) {
    code.loadConstant(r).iload(code.parameterSlot(3)).iconst_1().isub();
    code.invokestatic(MATH, "min", MethodTypeDesc.of(CD_int, CD_int, CD_int));
  }

  /** The address of vector {@code v} of a row. */
  private void pushVector(int row, int v) {
    code.lload(row);
    if (v > 0) {
      code.loadConstant((long) v * Lanes.BYTES).ladd();
    }
  }
}
