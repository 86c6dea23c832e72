package dev.lamina.graph.lowering;

/**
 * Exponentials, logarithms and what is made of them, as polynomials over {@code fma}. The same instructions run
 * interpreted, compiled, on every vector width and on a GPU, so a result does not depend on where or when it is
 * computed.
 *
 * <p>Coefficients were fitted for the least largest relative error and rounded to float one after the other, the
 * remaining ones fitted anew. The largest errors found, in units in the last place, against {@code StrictMath} in
 * double over every 37th of all floats:
 *
 * <pre>
 * exp 1.02  expm1 1.44  log 0.80  log1p 1.37  tanh 1.50  sigmoid 1.65  softplus 1.65  erf 1.05
 * </pre>
 *
 * Infinities, NaN, signed zeros and results below the smallest normal number are exact or within those bounds.
 */
class Transcendentals {
  static final float LOG2_E = 0x1.715476p0f;

  /** ln 2 in two parts; the upper has eight trailing zeros, so its product with an exponent is exact. */
  private static final float LN2_HIGH = 0x1.62e4p-1f;

  private static final float LN2_LOW = 0x1.7f7d1cp-20f;

  /** 1.5·2²³: adding it rounds to an integer, which is then found in the low bits of the sum. */
  private static final float ROUNDER = 0x1.8p23f;

  private static final int ONE_BITS = 0x3f800000;
  private static final int EXPONENT_SHIFT = 23;

  /** e to this is below half of the smallest float. */
  private static final float EXP_UNDERFLOW = -104;

  /** e to this is above the largest float. */
  private static final float EXP_OVERFLOW = 89;

  /** (eʳ − 1 − r) / r² for |r| ≤ ln 2 / 2; error relative to eʳ below 2⁻²⁷. */
  private static final float[] EXP = {0x1.fffffep-2f, 0x1.5554b4p-3f, 0x1.5556f2p-5f, 0x1.122544p-7f, 0x1.6b9c54p-10f};

  /** The same with one term more, for where 1 is not added: error relative to eʳ − 1 below 2⁻³¹. */
  private static final float[] EXPM1 = {
    0x1.0p-1f, 0x1.555554p-3f, 0x1.5554f8p-5f, 0x1.1112d6p-7f, 0x1.6d3a44p-10f, 0x1.9e7796p-13f
  };

  /** (log(1+f) − f + f²/2) / f³ for 1+f between √½ and √2; error relative to log(1+f) below 2⁻³⁰. */
  private static final float[] LOG = {
    0x1.555548p-2f,
    -0x1.000006p-2f,
    0x1.99a478p-3f,
    -0x1.555c4ep-3f,
    0x1.233b78p-3f,
    -0x1.fc26acp-4f,
    0x1.e6c04p-4f,
    -0x1.de1008p-4f,
    0x1.1484e6p-4f
  };

  /** Bits of √½, the smallest mantissa that {@link #LOG} is fitted for. */
  private static final int SQRT_HALF_BITS = 0x3f3504f3;

  /** Where the two ways to tanh meet. */
  private static final float TANH_SPLIT = 0.55f;

  /** From here on tanh rounds to 1. */
  private static final float TANH_SATURATES = 10;

  /** (tanh(x)/x − 1) / x² in x², below the split; error relative to tanh(x) below 2⁻²⁹. */
  private static final float[] TANH = {
    -0x1.55554ap-2f, 0x1.110ceep-3f, -0x1.b91e7ep-5f, 0x1.58e518p-6f, -0x1.9921ap-8f
  };

  /** Where the two ways to erf meet. */
  private static final float ERF_SPLIT = 0.84375f;

  /** From here on erf rounds to 1. */
  private static final float ERF_SATURATES = 4;

  /** erf(x)/x − 1 in x², below the split; relative error below 2⁻²⁷. */
  private static final float[] ERF_SMALL = {
    0x1.06eba8p-3f, -0x1.812728p-2f, 0x1.ce25e8p-4f, -0x1.b73f58p-6f, 0x1.4bbc48p-8f, -0x1.4e3b52p-11f
  };

  /** −log(1 − erf(x)) from the split to saturation; error of erf below 2⁻²⁸. */
  private static final float[] ERF_LARGE = {
    0x1.9a48ap-14f, 0x1.20ca84p0f, 0x1.45df1p-1f, 0x1.ac54f8p-4f, -0x1.71579cp-6f, 0x1.997aa8p-9f, -0x1.ac8666p-13f
  };

  final CodeBuilder code;

  Transcendentals(CodeBuilder code) {
    this.code = code;
  }

  /** Overflows to infinity, underflows through the subnormal numbers to 0. */
  int exp(int x) {
    Reduced reduced = reduce(atMost(atLeast(x, EXP_UNDERFLOW), EXP_OVERFLOW));
    // The exponent goes from −150 to 128; its halves are those of normal numbers, and only the second product rounds.
    int n = code.op(Opcode.INT_SUB, reduced.bits, code.constant(Float.floatToIntBits(ROUNDER)));
    int half = code.shift(Opcode.SHIFT_RIGHT, n, 1);
    int rest = code.op(Opcode.INT_SUB, n, half);
    return code.mul(code.mul(expOfRemainder(reduced.r), powerOfTwo(half, 0)), powerOfTwo(rest, 0));
  }

  /** e to x where that is a normal number. */
  int expWithin(int x) {
    Reduced reduced = reduce(x);
    return code.mul(expOfRemainder(reduced.r), powerOfTwo(reduced.bits, 0));
  }

  /** e to x for x ≤ 0: half the scaling work. Right down to the smallest subnormal. */
  private int expOfNegative(int x) {
    Reduced reduced = reduce(atLeast(x, EXP_UNDERFLOW));
    int raised = powerOfTwo(reduced.bits, 24);
    return code.mul(code.mul(expOfRemainder(reduced.r), raised), code.constant(0x1p-24f));
  }

  int expm1(int x) {
    // Scaled by half of 2ⁿ, which is finite for n = 128 too, and doubled at the end.
    Reduced reduced = reduce(atMost(atLeast(x, -64), EXP_OVERFLOW));
    int scale = powerOfTwo(reduced.bits, -1);
    int half = code.fma(expm1OfRemainder(reduced.r), scale, code.sub(scale, code.constant(0.5f)));
    return keepTiny(x, code.mul(half, code.constant(2f)));
  }

  int log(int x) {
    int small = code.op(Opcode.LT, x, code.constant(Float.MIN_NORMAL));
    int normal = code.select(small, code.mul(x, code.constant(0x1p23f)), x);
    Logarithm split = split(normal);
    int lowered = code.select(small, code.constant(-23f), code.constant(0f));
    int result = logOf(split.f, code.add(split.exponent, lowered));
    return logEdges(x, x, result);
  }

  int log1p(int x) {
    int one = code.constant(1f);
    int u = code.add(one, x);
    // u + lost = 1 + x exactly (Knuth, TAOCP 2, 4.2.2, theorem B).
    int fromX = code.sub(u, one);
    int lost = code.add(code.sub(one, code.sub(u, fromX)), code.sub(x, fromX));
    // Halved, because the scale of what was lost would overflow for x above 2¹²⁷·√2.
    return keepTiny(x, logEdges(x, u, logOfSum(u, code.mul(lost, code.constant(0.5f)), 1)));
  }

  /** A polynomial near 0, where the quotient would cancel, else 1 − 2e/(1+e) with e = e^−2|x|. */
  int tanh(int x) {
    int one = code.constant(1f);
    int magnitude = code.op(Opcode.ABS, x);
    int square = code.mul(x, x);
    int small = code.fma(code.mul(magnitude, square), code.polynomial(square, TANH), magnitude);
    int e = expWithin(code.mul(atMost(magnitude, TANH_SATURATES), code.constant(-2f)));
    int complement = code.div(code.add(e, e), code.add(one, e));
    int isSmall = code.op(Opcode.LT, magnitude, code.constant(TANH_SPLIT));
    return code.copySign(code.select(isSmall, small, code.sub(one, complement)), x);
  }

  /**
   * With e = e^−|x| and q = e/(1+e): 1 − q above 0, e − e·q below, where q's own error weighs little. Relative accuracy
   * in both tails; the plain quotients would be off by up to 2.3 units.
   */
  int sigmoid(int x) {
    int one = code.constant(1f);
    int e = expOfNegative(code.op(Opcode.NEG, code.op(Opcode.ABS, x)));
    int quotient = code.div(e, code.add(one, e));
    int limit = code.select(code.op(Opcode.GE, x, code.constant(0f)), one, e);
    return code.fma(code.op(Opcode.NEG, limit), quotient, limit);
  }

  /** max(x, 0) + log(1 + e^−|x|). */
  int softplus(int x) {
    int one = code.constant(1f);
    int zero = code.constant(0f);
    int e = expOfNegative(code.op(Opcode.NEG, code.op(Opcode.ABS, x)));
    int u = code.add(one, e);
    int lost = code.sub(e, code.sub(u, one));
    return code.add(code.select(code.op(Opcode.GT, x, zero), x, zero), logOfSum(u, lost, 0));
  }

  int erf(int x) {
    int magnitude = code.op(Opcode.ABS, x);
    int small = code.fma(code.polynomial(code.mul(x, x), ERF_SMALL), x, x);
    int negated = code.op(Opcode.NEG, code.polynomial(atMost(magnitude, ERF_SATURATES), ERF_LARGE));
    int large = code.copySign(code.sub(code.constant(1f), expWithin(negated)), x);
    return code.select(code.op(Opcode.LT, magnitude, code.constant(ERF_SPLIT)), small, large);
  }

  /** x = n·ln 2 + r. {@code bits} are those of n + {@link #ROUNDER}: n in the low bits. */
  private record Reduced(int r, int bits) {}

  private Reduced reduce(int x) {
    int rounder = code.constant(ROUNDER);
    int shifted = code.fma(x, code.constant(LOG2_E), rounder);
    int n = code.sub(shifted, rounder);
    int r = code.fma(n, code.constant(-LN2_LOW), code.fma(n, code.constant(-LN2_HIGH), x));
    return new Reduced(r, code.op(Opcode.TO_BITS, shifted));
  }

  private int expOfRemainder(int r) {
    int tail = code.fma(code.mul(r, r), code.polynomial(r, EXP), r);
    return code.add(code.constant(1f), tail);
  }

  private int expm1OfRemainder(int r) {
    return code.fma(code.mul(r, r), code.polynomial(r, EXPM1), r);
  }

  /** 2 to (n + raise), n in the low bits of {@code bits}: what lies above is shifted out. */
  private int powerOfTwo(int bits, int raise) {
    int exponent = code.shift(Opcode.SHIFT_LEFT, bits, EXPONENT_SHIFT);
    int bias = code.constant(ONE_BITS + (raise << EXPONENT_SHIFT));
    return code.op(Opcode.FROM_BITS, code.op(Opcode.INT_ADD, exponent, bias));
  }

  /**
   * x = 2^exponent·(1 + f) with 1 + f between √½ and √2; {@code shifted} is the exponent as an int, moved to its place.
   */
  private record Logarithm(int f, int exponent, int shifted) {}

  private Logarithm split(int x) {
    int bits = code.op(Opcode.TO_BITS, x);
    int above = code.op(Opcode.INT_SUB, bits, code.constant(SQRT_HALF_BITS));
    int exponent = code.shift(Opcode.SHIFT_RIGHT, above, EXPONENT_SHIFT);
    int shifted = code.shift(Opcode.SHIFT_LEFT, exponent, EXPONENT_SHIFT);
    int mantissa = code.op(Opcode.FROM_BITS, code.op(Opcode.INT_SUB, bits, shifted));
    return new Logarithm(code.sub(mantissa, code.constant(1f)), code.op(Opcode.FROM_INT, exponent), shifted);
  }

  /** log(u + 2^raise·lost), where the second part is what rounding took from u; u normal and finite. */
  private int logOfSum(int u, int lost, int raise) {
    Logarithm split = split(u);
    int scaleBits = code.op(Opcode.INT_SUB, code.constant(ONE_BITS + (raise << EXPONENT_SHIFT)), split.shifted);
    // Where u is about 1 this sum is exactly the argument − 1.
    int f = code.fma(lost, code.op(Opcode.FROM_BITS, scaleBits), split.f);
    return logOf(f, split.exponent);
  }

  private int logOf(int f, int exponent) {
    int square = code.mul(f, f);
    int tail = code.mul(code.mul(square, f), code.polynomial(f, LOG));
    tail = code.fma(exponent, code.constant(LN2_LOW), tail);
    tail = code.fma(square, code.constant(-0.5f), tail);
    return code.fma(exponent, code.constant(LN2_HIGH), code.add(f, tail));
  }

  /** The logarithm of {@code u}: −∞ at 0, NaN below, ∞ and NaN themselves (taken from x). */
  private int logEdges(int x, int u, int result) {
    int zero = code.constant(0f);
    int infinity = code.constant(Float.POSITIVE_INFINITY);
    int finite = code.select(code.op(Opcode.LT, x, infinity), result, x);
    int notNegative = code.select(code.op(Opcode.LT, u, zero), code.constant(Float.NaN), finite);
    return code.select(code.op(Opcode.EQ, u, zero), code.constant(Float.NEGATIVE_INFINITY), notNegative);
  }

  /** Functions that are x + O(x²) near 0: x itself, sign of zero included, where the rest is below half a unit. */
  private int keepTiny(int x, int result) {
    int tiny = code.op(Opcode.LT, code.op(Opcode.ABS, x), code.constant(0x1p-25f));
    return code.select(tiny, x, result);
  }

  private int atLeast(int x, float low) {
    int bound = code.constant(low);
    return code.select(code.op(Opcode.LT, x, bound), bound, x);
  }

  private int atMost(int x, float high) {
    int bound = code.constant(high);
    return code.select(code.op(Opcode.GT, x, bound), bound, x);
  }
}
