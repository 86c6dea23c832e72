package dev.lamina.graph.lowering;

/**
 * The functions for results that are going to be rounded to 16 bits, over what a GPU has as single instructions: {@link
 * Opcode#EXP2}, {@link Opcode#LOG2} and {@link Opcode#RECIPROCAL}. A tenth to a third of the instructions, where on a
 * GPU the exact ones take longer than the memory of such results.
 *
 * <p>With errors of 2⁻²² in each of the three, all are within 2⁻¹⁶ of the value, a sixteenth of half a unit of {@link
 * dev.lamina.tensor.DType#F16} and far less of {@link dev.lamina.tensor.DType#BF16}. Results below the smallest normal
 * float may be 0. What an expression makes of their difference from 1 can be further off. Logarithms, which cancel near
 * 1, are the exact ones.
 */
final class CoarseTranscendentals extends Transcendentals {
  private static final float LN2 = (float) Math.log(2);

  /** Where eˣ − 1 would cancel too much, and terms of the series that do there. */
  private static final float EXPM1_SPLIT = 0.25f;

  private static final float[] EXPM1 = {1, 1 / 2f, 1 / 6f, 1 / 24f, 1 / 120f};

  /** The same for 1 − 2/(1 + e^2x); the series of tanh(x)/x in x². */
  private static final float TANH_SPLIT = 0.125f;

  private static final float[] TANH = {1, -1 / 3f, 2 / 15f};

  /** The same for log(1 + e); the series of log(1 + e)/e. */
  private static final float LOG1P_SPLIT = 0x1p-4f;

  private static final float[] LOG1P = {1, -1 / 2f, 1 / 3f, -1 / 4f};

  CoarseTranscendentals(CodeBuilder code) {
    super(code);
  }

  @Override
  int exp(int x) {
    return code.op(Opcode.EXP2, code.mul(x, code.constant(LOG2_E)));
  }

  @Override
  int expWithin(int x) {
    return exp(x);
  }

  @Override
  int expm1(int x) {
    int series = code.mul(x, code.polynomial(x, EXPM1));
    return code.select(isBelow(x, EXPM1_SPLIT), series, code.sub(exp(x), code.constant(1f)));
  }

  @Override
  int tanh(int x) {
    int series = code.mul(x, code.polynomial(code.mul(x, x), TANH));
    // Of the magnitude: near 1 the reciprocal is small, and so is its error; 1 − tanh² and 1 + tanh depend on that.
    int e = code.op(Opcode.EXP2, code.mul(code.op(Opcode.ABS, x), code.constant(2 * LOG2_E)));
    int reciprocal = code.op(Opcode.RECIPROCAL, code.add(e, code.constant(1f)));
    int large = code.fma(reciprocal, code.constant(-2f), code.constant(1f));
    return code.select(isBelow(x, TANH_SPLIT), series, code.copySign(large, x));
  }

  @Override
  int sigmoid(int x) {
    int e = code.op(Opcode.EXP2, code.mul(x, code.constant(-LOG2_E)));
    return code.op(Opcode.RECIPROCAL, code.add(e, code.constant(1f)));
  }

  @Override
  int softplus(int x) {
    int e = code.op(Opcode.EXP2, code.mul(code.op(Opcode.ABS, x), code.constant(-LOG2_E)));
    int series = code.mul(e, code.polynomial(e, LOG1P));
    int logarithm = code.mul(code.op(Opcode.LOG2, code.add(e, code.constant(1f))), code.constant(LN2));
    int zero = code.constant(0f);
    int positive = code.select(code.op(Opcode.GT, x, zero), x, zero);
    return code.add(positive, code.select(isBelow(e, LOG1P_SPLIT), series, logarithm));
  }

  private int isBelow(int x, float bound) {
    return code.op(Opcode.LT, code.op(Opcode.ABS, x), code.constant(bound));
  }
}
