// The index of the largest element of each row of [rows][length]: the first of equals, the first NaN if there is one.
// `across` threads (a power of two) share a row. In front of this text stand `Element` and `Value`, the type in which
// elements are compared.

// Whether (value, index) goes before (best, at); an index of −1 stands for no element.
DEVICE bool wins(Value value, int index, Value best, int at) {
  if (index < 0 || at < 0) {
    return index >= 0;
  }
  const bool nan = value != value;
  const bool bestNaN = best != best;
  if (nan || bestNaN) {
    return nan && (!bestNaN || index < at);
  }
  return value > best || (value == best && index < at);
}

extern "C" __global__ void lamina_argmax(const Element* in, int* out, Index rows, int length, int across) {
  __shared__ Value values[256];
  __shared__ int indices[256];
  const int lane = (int) threadIdx.x & (across - 1);
  const int lines = (int) blockDim.x / across;
  for (Index base = (Index) blockIdx.x * lines; base < rows; base += (Index) gridDim.x * lines) {
    const Index row = base + (int) threadIdx.x / across;
    Value best = 0;
    int at = -1;
    if (row < rows) {
      for (int j = lane; j < length; j += across) {
        Value value;
        widen(value, in[row * length + j]);
        if (wins(value, j, best, at)) {
          best = value;
          at = j;
        }
      }
    }
    values[threadIdx.x] = best;
    indices[threadIdx.x] = at;
    __syncthreads();
    for (int half = across / 2; half > 0; half /= 2) {
      const int other = (int) threadIdx.x + half;
      if (lane < half && wins(values[other], indices[other], values[threadIdx.x], indices[threadIdx.x])) {
        values[threadIdx.x] = values[other];
        indices[threadIdx.x] = indices[other];
      }
      __syncthreads();
    }
    if (lane == 0 && row < rows) {
      out[row] = indices[threadIdx.x];
    }
    __syncthreads();
  }
}
