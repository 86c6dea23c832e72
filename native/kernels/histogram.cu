// How many elements lie in each of BINS equal parts of [low, high]. In front of this text stands `Element`.
//
// blockIdx.x = part: each counts its share in shared memory and writes partial [gridDim.x][BINS]; then a thread for each
// bin joins them. Counters are whole numbers, which come out the same in any order. What lies where is computed in
// double, so that all devices agree.

extern "C" __global__ void lamina_histogram(const Element* x, const Element* low, const Element* high,
                                            unsigned* partial, Index size) {
  __shared__ unsigned counts[BINS];
  for (int bin = (int) threadIdx.x; bin < BINS; bin += (int) blockDim.x) {
    counts[bin] = 0;
  }
  __syncthreads();
  double least;
  double most;
  widen(least, low[0]);
  widen(most, high[0]);
  const double scale = most > least ? BINS / (most - least) : 0;
  const Index step = (Index) gridDim.x * (int) blockDim.x;
  for (Index i = (Index) blockIdx.x * (int) blockDim.x + (int) threadIdx.x; i < size; i += step) {
    double value;
    widen(value, x[i]);
    if (value >= least && value <= most) {
      const double place = (value - least) * scale;
      atomicAdd(&counts[place < BINS - 1 ? (int) place : BINS - 1], 1u);
    }
  }
  __syncthreads();
  for (int bin = (int) threadIdx.x; bin < BINS; bin += (int) blockDim.x) {
    partial[(Index) blockIdx.x * BINS + bin] = counts[bin];
  }
}

extern "C" __global__ void lamina_histogram_join(const unsigned* partial, float* out, int parts) {
  const int bin = (int) blockIdx.x * (int) blockDim.x + (int) threadIdx.x;
  if (bin < BINS) {
    long long sum = 0;
    for (int part = 0; part < parts; part++) {
      sum += partial[part * BINS + bin];
    }
    out[bin] = (float) sum;
  }
}
