// From sums of parts of the rows to sums of all of them, for `together` neighbouring channels (a power of two up to 256) that
// a block takes: its threads take a channel and some of the parts each. The order follows from `together`.

// The sum of what all threads of a column hold, in a fixed order; every one of them gets it.
DEVICE float add_columns(float value, int together, float* scratch) {
  scratch[threadIdx.x] = value;
  __syncthreads();
  for (int half = 128; half >= together; half /= 2) {
    if ((int) threadIdx.x < half) {
      scratch[threadIdx.x] += scratch[threadIdx.x + half];
    }
    __syncthreads();
  }
  const float sum = scratch[threadIdx.x & (together - 1)];
  __syncthreads();
  return sum;
}

// The sum over all parts of a channel; behind the last channel, 0.
DEVICE float add_parts(const float* partial, int channels, int parts, int channel, int together, float* scratch) {
  const int lines = 256 / together;
  float sum = 0;
  if (channel < channels) {
#pragma unroll 4
    for (int part = (int) threadIdx.x / together; part < parts; part += lines) {
      sum += partial[(Index) part * channels + channel];
    }
  }
  return add_columns(sum, together, scratch);
}

// Of a channel, from what `lamina_batch_norm_statistics` leaves of all parts: the mean, and from that the squared deviations
// of all rows. (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983, (2.1), for many parts at
// once.)
DEVICE void join_statistics(const float* partial, int rows, int channels, int parts, int channel, int together,
                            float* scratch, float& mean, float& squares) {
  const float beyond = add_parts(partial, channels, parts, channel, together, scratch) / (float) rows;
  const int lines = 256 / together;
  float sum = 0;
  mean = 0;
  if (channel < channels) {
    mean = partial[(Index) 2 * parts * channels + channel] + beyond;
#pragma unroll 4
    for (int part = (int) threadIdx.x / together; part < parts; part += lines) {
      const float count = (float) (begin_of(part + 1, rows, parts) - begin_of(part, rows, parts));
      const float apart = partial[(Index) part * channels + channel] / count - beyond;
      sum += fused_multiply_add(apart * count, apart, partial[((Index) parts + part) * channels + channel]);
    }
  }
  squares = add_columns(sum, together, scratch);
}
