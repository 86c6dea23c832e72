package dev.lamina.device.cpu;

import dev.lamina.device.cpu.BodyKey.SlotForm;
import dev.lamina.graph.lowering.Code.Instruction;
import dev.lamina.graph.lowering.Opcode;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.util.Arrays;
import java.util.List;

/**
 * Writes the two nested loops of one {@link MapBody} method: what is the same along a row in front of the inner one,
 * and in the inner one all loads before the first store, so that an output may lie where a dense input lies.
 *
 * <p>Constants are written where they are used: C2 finds equal ones and moves them out of the loop. From local
 * variables filled in front of it, one vector a call was seen to be boxed.
 */
final class BodyWriter {
  private static final int FRAME = 1;
  private static final int ROWS = 2;

  private final CodeBuilder code;
  private final BodyKey key;
  private final Dialect dialect;
  private final boolean[] uniform;

  /** The local variable of each value; −1 for constants. */
  private final int[] locals;

  private final int[] addresses;
  private final int column;

  BodyWriter(CodeBuilder code, BodyKey key, Dialect dialect) {
    this.code = code;
    this.key = key;
    this.dialect = dialect;
    this.uniform = key.uniform();
    this.locals = new int[key.instructions().size()];
    this.addresses = new int[key.slots().size() + key.outputs().size()];
    this.column = code.allocateLocal(TypeKind.INT);
  }

  /**
   * Writes the whole method.
   *
   * @param from local variable of the first column; −1 for column 0
   * @param to local variable of the column behind the last
   */
  void write(int from, int to) {
    Arrays.fill(locals, -1);
    for (int i = 0; i < addresses.length; i++) {
      addresses[i] = code.allocateLocal(TypeKind.LONG);
      frame(2 * i);
      code.lstore(addresses[i]);
    }
    int row = code.allocateLocal(TypeKind.INT);
    code.iconst_0().istore(row);
    Label rowTop = code.newLabel();
    Label end = code.newLabel();
    code.labelBinding(rowTop).iload(row).iload(ROWS).if_icmpge(end);
    define(i -> uniform[i]);

    if (from < 0) {
      code.iconst_0();
    } else {
      code.iload(from);
    }
    code.istore(column);
    Label columnTop = code.newLabel();
    Label rowEnd = code.newLabel();
    code.labelBinding(columnTop).iload(column).iload(to).if_icmpge(rowEnd);
    define(i -> !uniform[i] && isLoad(i));
    define(i -> !uniform[i] && !isLoad(i));
    for (int i = 0; i < key.results().size(); i++) {
      int output = key.slots().size() + i;
      int value = key.results().get(i);
      int bytes = key.outputs().get(i).bytes();
      if (i == 0 && key.summed()) {
        dialect.accumulate(code, () -> pushSum(output), () -> push(value));
      } else {
        dialect.store(code, key.outputs().get(i), () -> pushAddress(output, bytes), () -> push(value));
      }
    }
    code.iinc(column, dialect.lanes()).goto_(columnTop);

    code.labelBinding(rowEnd);
    for (int i = 0; i < addresses.length; i++) {
      code.lload(addresses[i]);
      frame(2 * i + 1);
      code.ladd().lstore(addresses[i]);
    }
    code.iinc(row, 1).goto_(rowTop).labelBinding(end).return_();
  }

  private interface Choice {
    boolean takes(int value);
  }

  /** Computes the chosen values, but constants, into local variables. */
  private void define(Choice choice) {
    List<Instruction> instructions = key.instructions();
    for (int i = 0; i < locals.length; i++) {
      if (!choice.takes(i) || isConstant(i)) {
        continue;
      }
      Instruction in = instructions.get(i);
      switch (in.op()) {
        case SLOT, WORD -> load((int) in.immediate(), in.op() == Opcode.WORD);
        default -> dialect.operate(code, in, this::push);
      }
      TypeKind type = dialect.type(in.op().kind());
      locals[i] = code.allocateLocal(type);
      code.storeLocal(type, locals[i]);
    }
  }

  private void load(int slot, boolean raw) {
    SlotForm form = key.slots().get(slot);
    Runnable address =
        form.uniform() ? () -> code.lload(addresses[slot]) : () -> pushAddress(slot, form.dtype().bytes());
    dialect.load(code, form.dtype(), form.uniform(), raw, address);
  }

  private void push(int value) {
    if (locals[value] < 0) {
      dialect.constant(code, key.instructions().get(value));
    } else {
      code.loadLocal(dialect.type(key.instructions().get(value).op().kind()), locals[value]);
    }
  }

  private void pushAddress(int pointer, int bytes) {
    code.lload(addresses[pointer]).iload(column).i2l();
    if (bytes > 1) {
      code.loadConstant(Integer.numberOfTrailingZeros(bytes)).lshl();
    }
    code.ladd();
  }

  /** The address of a column's sum: see {@link CompensatedSums#place}. */
  private void pushSum(int pointer) {
    code.lload(addresses[pointer]);
    code.iload(column).loadConstant(-CompensatedSums.BLOCK).iand().i2l().iconst_3().lshl().ladd();
    code.iload(column).loadConstant(CompensatedSums.BLOCK - 1).iand().i2l().iconst_2().lshl().ladd();
  }

  private void frame(int index) {
    code.aload(FRAME).loadConstant(index).laload();
  }

  private boolean isConstant(int value) {
    Opcode op = key.instructions().get(value).op();
    return op == Opcode.FLOAT || op == Opcode.INT;
  }

  private boolean isLoad(int value) {
    Opcode op = key.instructions().get(value).op();
    return op == Opcode.SLOT || op == Opcode.WORD;
  }
}
