package dev.lamina.train;

import dev.lamina.tensor.DType;

/**
 * What a model is computed in. Parameters, statistics, losses and the optimizer keep the wider type; activations and
 * the factors of products have the narrower one (Micikevicius et al. 2018).
 */
public enum Precision {
  /** 32-bit floats throughout. */
  FP32(DType.F32, DType.F32),
  /** 32-bit floats, whose products may be computed with 10 bits of mantissa where the device has units for that. */
  TF32(DType.F32, DType.F32),
  /** Activations in bfloat16: the range of a float, 8 bits of mantissa. */
  BF16(DType.F32, DType.BF16),
  /** Activations in 16-bit floats: 11 bits of mantissa, but a small range. */
  FP16(DType.F32, DType.F16),
  /** 64-bit floats throughout: for the reference device. */
  FP64(DType.F64, DType.F64);

  private final DType parameters;
  private final DType activations;

  Precision(DType parameters, DType activations) {
    this.parameters = parameters;
    this.activations = activations;
  }

  /** The type of parameters, gradients of parameters, losses and the optimizer's state. */
  public DType parameters() {
    return parameters;
  }

  /** The type of what flows from layer to layer. */
  public DType activations() {
    return activations;
  }
}
