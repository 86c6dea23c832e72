package dev.lamina.device;

import dev.lamina.tensor.TensorType;

/**
 * A dense tensor in a device's memory: a view, which owns nothing.
 *
 * @param buffer the memory it lies in
 * @param offset where it begins, in bytes; a multiple of 64 unless it is a view into another tensor
 * @param type its shape and element type
 */
public record DeviceTensor(Buffer buffer, long offset, TensorType type) {}
