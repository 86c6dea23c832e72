// Sums, maxima and minima of an expression along some dimensions.
//
// In front of this text stand `Value` (the type that is computed in), `Result` (the type that is stored) and the
// expression as lamina_elements; KIND_SUM, KIND_MAX or KIND_MIN says how values are joined. A reduction is cut into
// `parts` along what is reduced: with more than one, out is [parts][kept] of Value, and the same kernels reduce that.
// Which values are joined in which order depends on the shape alone, so every run gives the same bits.

DEVICE Value nothing() {
#if defined(KIND_SUM)
  return 0;
#elif defined(KIND_MAX)
  return (Value) float_of(0xff800000u);
#else
  return (Value) float_of(0x7f800000u);
#endif
}

DEVICE Value join(Value a, Value b) {
#if defined(KIND_SUM)
  return a + b;
#elif defined(KIND_MAX)
  return larger(a, b);
#else
  return smaller(a, b);
#endif
}

#ifndef PLACE
#define PLACE(output, index) ((output) * length + (index))
#endif

// What is reduced is contiguous, or PLACE says where it lies. `across` threads (a power of two) share one output of
// `length` elements; blockIdx.x = group · parts + part.
extern "C" __global__ void lamina_reduce_rows(Result* out, Index kept, Index length, int across,
                                              int parts ELEMENT_PARAMETERS) {
  __shared__ Value held[256];
  const int lane = (int) threadIdx.x & (across - 1);
  const int line = (int) threadIdx.x / across;
  const int lines = (int) blockDim.x / across;
  const int part = (int) blockIdx.x % parts;
  const Index groups = (length + WIDTH - 1) / WIDTH;
  const Index first = (Index) ((long long) groups * part / parts) * WIDTH;
  const Index end = (Index) ((long long) groups * (part + 1) / parts) * WIDTH;
  const Index last = end < length ? end : length;
  const Index step = (Index) (gridDim.x / parts) * lines;
  for (Index base = (Index) (blockIdx.x / parts) * lines; base < kept; base += step) {
    const Index output = base + line;
    Value total[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      total[j] = nothing();
    }
    if (output < kept) {
      Index i = first + lane * WIDTH;
      // Several at a time, so that enough loads are under way.
#pragma unroll 4
      for (; i + WIDTH <= last; i += across * WIDTH) {
        Value value[WIDTH];
        lamina_elements(value, PLACE(output, i), WIDTH ELEMENT_ARGUMENTS);
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          total[j] = join(total[j], value[j]);
        }
      }
      if (i < last) {
        Value value[WIDTH];
        const int count = (int) (last - i);
        lamina_elements(value, PLACE(output, i), count ELEMENT_ARGUMENTS);
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          if (j < count) {
            total[j] = join(total[j], value[j]);
          }
        }
      }
    }
#pragma unroll
    for (int half = WIDTH / 2; half > 0; half /= 2) {
#pragma unroll
      for (int j = 0; j < half; j++) {
        total[j] = join(total[j], total[j + half]);
      }
    }
    held[threadIdx.x] = total[0];
    __syncthreads();
    for (int half = across / 2; half > 0; half /= 2) {
      if (lane < half) {
        held[threadIdx.x] = join(held[threadIdx.x], held[threadIdx.x + half]);
      }
      __syncthreads();
    }
    if (lane == 0 && output < kept) {
      narrow(out[(Index) part * kept + output], held[threadIdx.x]);
    }
    __syncthreads();
  }
}

// The input is [outer][length][inner], and its middle is reduced. `across` neighbouring threads (a power of two) take
// `across`·WIDTH elements of inner, the others of a block other indices of length;
// blockIdx.x = (outer · tiles + tile) · parts + part.
extern "C" __global__ void lamina_reduce_columns(Result* out, Index outer, Index length, Index inner, int across,
                                                 int tiles, int parts ELEMENT_PARAMETERS) {
  __shared__ Value held[256 * WIDTH];
  const int lane = (int) threadIdx.x & (across - 1);
  const int line = (int) threadIdx.x / across;
  const int lines = (int) blockDim.x / across;
  const int part = (int) blockIdx.x % parts;
  const Index first = (Index) ((long long) length * part / parts);
  const Index last = (Index) ((long long) length * (part + 1) / parts);
  const Index blocks = outer * tiles;
  for (Index block = (Index) (blockIdx.x / parts); block < blocks; block += (Index) (gridDim.x / parts)) {
    const Index row = block / tiles;
    const Index column = ((block - row * tiles) * across + lane) * WIDTH;
    Value total[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      total[j] = nothing();
    }
    if (column < inner) {
#pragma unroll 4
      for (Index i = first + line; i < last; i += lines) {
        Value value[WIDTH];
        lamina_elements(value, (row * length + i) * inner + column, WIDTH ELEMENT_ARGUMENTS);
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          total[j] = join(total[j], value[j]);
        }
      }
    }
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      held[j * 256 + threadIdx.x] = total[j];
    }
    __syncthreads();
    for (int half = lines / 2; half > 0; half /= 2) {
      if (line < half) {
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          const int mine = j * 256 + (int) threadIdx.x;
          held[mine] = join(held[mine], held[mine + half * across]);
        }
      }
      __syncthreads();
    }
    if (line == 0 && column < inner) {
#pragma unroll
      for (int j = 0; j < WIDTH; j++) {
        narrow(out[((Index) part * outer + row) * inner + column + j], held[j * 256 + threadIdx.x]);
      }
    }
    __syncthreads();
  }
}
