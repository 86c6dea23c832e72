package dev.lamina.device.cuda;

/** What products of floats are computed in. */
enum MathMode {
  /** Floats throughout. */
  FP32,
  /** Factors rounded to 10 bits of mantissa, sums in float: tensor cores from compute capability 8.0 on. */
  TF32
}
