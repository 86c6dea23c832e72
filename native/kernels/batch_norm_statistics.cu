// Statistics of batch normalisation of x [rows][channels], whatever the rows are made of: partial ones of each part of
// the rows, which a second kernel joins in a fixed order.

// The origin from which deviations of a channel are counted: one of its values, so that a mean far from zero costs no
// digits. (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983, section 3.)
DEVICE float origin_of(Real element) {
  float value;
  widen(value, element);
  return magnitude(value) < float_of(0x7f800000u) ? value : 0.0f;
}

// Count, sum and squared deviations from their mean of two sets of values become those of their union (ibid., (2.1)).
DEVICE void unite(float& count, float& sum, float& squares, float otherCount, float otherSum, float otherSquares) {
  if (otherCount == 0) {
    return;
  }
  if (count == 0) {
    count = otherCount;
    sum = otherSum;
    squares = otherSquares;
    return;
  }
  const float together = count + otherCount;
  const float apart = otherSum / otherCount - sum / count;
  squares += otherSquares + apart * apart * (count * (otherCount / together));
  sum += otherSum;
  count = together;
}

// Rows that a thread holds at once: enough loads under way to hide memory's latency, and their mean is a better origin
// for their deviations than any running one.
#define CHUNK 8

// partial [2][parts][channels]: sums, squared deviations.
extern "C" __global__ void lamina_batch_norm_statistics(const Real* x, float* partial, int rows, int channels,
                                                        int across, int tiles) {
  __shared__ float sums[256 * WIDTH];
  __shared__ float deviations[256 * WIDTH];
  __shared__ float counts[256];
  const Tile tile = tile_of(rows, channels, across, tiles);
  const bool inside = tile.channel < channels;
  float count = 0;
  float sum[WIDTH], squares[WIDTH], origin[WIDTH];
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    sum[j] = 0;
    squares[j] = 0;
    origin[j] = inside ? origin_of(x[tile.channel + j]) : 0;
  }
  if (inside) {
    for (int row = tile.first + tile.line; row < tile.last; row += CHUNK * tile.lines) {
      Pack<Real, WIDTH> raw[CHUNK];
      int held = 0;
#pragma unroll
      for (int k = 0; k < CHUNK; k++) {
        const int at = row + k * tile.lines;
        if (at < tile.last) {
          raw[k] = *(const Pack<Real, WIDTH>*) (x + (Index) at * channels + tile.channel);
          held = k + 1;
        }
      }
      const float size = (float) held;
      const float share = 1.0f / size;
      float united = count;
#pragma unroll
      for (int j = 0; j < WIDTH; j++) {
        float total = 0;
#pragma unroll
        for (int k = 0; k < CHUNK; k++) {
          if (k < held) {
            float value;
            widen(value, raw[k].lane[j]);
            total += value - origin[j];
          }
        }
        const float mean = total * share;
        float scatter = 0;
#pragma unroll
        for (int k = 0; k < CHUNK; k++) {
          if (k < held) {
            float value;
            widen(value, raw[k].lane[j]);
            const float deviation = value - origin[j] - mean;
            scatter += deviation * deviation;
          }
        }
        united = count;
        unite(united, sum[j], squares[j], size, total, scatter);
      }
      count = united;
    }
  }
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    sums[j * 256 + threadIdx.x] = sum[j];
    deviations[j * 256 + threadIdx.x] = squares[j];
  }
  counts[threadIdx.x] = count;
  __syncthreads();
  for (int half = tile.lines / 2; half > 0; half /= 2) {
    float united = 0;
    if (tile.line < half) {
      const int other = (int) threadIdx.x + half * across;
#pragma unroll
      for (int j = 0; j < WIDTH; j++) {
        united = counts[threadIdx.x];
        unite(united, sums[j * 256 + threadIdx.x], deviations[j * 256 + threadIdx.x], counts[other],
              sums[j * 256 + other], deviations[j * 256 + other]);
      }
      counts[threadIdx.x] = united;
    }
    __syncthreads();
  }
  if (tile.line == 0 && inside) {
    const Index parts = gridDim.x / tiles;
    const Index part = blockIdx.x / tiles;
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      partial[part * channels + tile.channel + j] = sums[j * 256 + threadIdx.x];
      partial[(parts + part) * channels + tile.channel + j] = deviations[j * 256 + threadIdx.x];
    }
  }
}

// A block joins the parts of few channels by many threads, which hold several parts at once: there is little to compute,
// and all of it waits for memory.
#define JOINED 8
#define LINES 32
#define HELD 4

extern "C" __global__ void lamina_batch_norm_join(const Real* x, const float* partial, float* mean, float* variance,
                                                  float* invStd, int rows, int channels, int parts, float epsilon) {
  __shared__ float counts[256];
  __shared__ float sums[256];
  __shared__ float deviations[256];
  const int channel = (int) blockIdx.x * JOINED + ((int) threadIdx.x & (JOINED - 1));
  const int line = (int) threadIdx.x / JOINED;
  float count = 0, sum = 0, squares = 0;
  if (channel < channels) {
    for (int first = line; first < parts; first += HELD * LINES) {
      float heldSums[HELD], heldSquares[HELD];
#pragma unroll
      for (int k = 0; k < HELD; k++) {
        const int part = first + k * LINES;
        heldSums[k] = part < parts ? partial[(Index) part * channels + channel] : 0;
        heldSquares[k] = part < parts ? partial[((Index) parts + part) * channels + channel] : 0;
      }
#pragma unroll
      for (int k = 0; k < HELD; k++) {
        const int part = first + k * LINES;
        const long long begin = (long long) rows * part / parts;
        const long long end = (long long) rows * (part + 1) / parts;
        unite(count, sum, squares, part < parts ? (float) (end - begin) : 0, heldSums[k], heldSquares[k]);
      }
    }
  }
  counts[threadIdx.x] = count;
  sums[threadIdx.x] = sum;
  deviations[threadIdx.x] = squares;
  __syncthreads();
  for (int half = LINES / 2; half > 0; half /= 2) {
    if (line < half) {
      const int other = (int) threadIdx.x + half * JOINED;
      unite(counts[threadIdx.x], sums[threadIdx.x], deviations[threadIdx.x], counts[other], sums[other],
            deviations[other]);
    }
    __syncthreads();
  }
  if (line == 0 && channel < channels) {
    const float biased = deviations[threadIdx.x] / (float) rows;
    mean[channel] = origin_of(x[channel]) + sums[threadIdx.x] / (float) rows;
    variance[channel] = biased;
    invStd[channel] = 1.0f / square_root(biased + epsilon);
  }
}

extern "C" __global__ void lamina_batch_norm_gradient_join(const float* partial, const float* invStd, float* dGamma,
                                                           float* dBeta, int channels, int parts) {
  __shared__ float sums[256];
  __shared__ float products[256];
  const int channel = (int) blockIdx.x * JOINED + ((int) threadIdx.x & (JOINED - 1));
  const int line = (int) threadIdx.x / JOINED;
  float sum = 0, product = 0;
  if (channel < channels) {
#pragma unroll 4
    for (int part = line; part < parts; part += LINES) {
      sum += partial[(Index) part * channels + channel];
      product += partial[((Index) parts + part) * channels + channel];
    }
  }
  sums[threadIdx.x] = sum;
  products[threadIdx.x] = product;
  __syncthreads();
  for (int half = LINES / 2; half > 0; half /= 2) {
    if (line < half) {
      sums[threadIdx.x] += sums[threadIdx.x + half * JOINED];
      products[threadIdx.x] += products[threadIdx.x + half * JOINED];
    }
    __syncthreads();
  }
  if (line == 0 && channel < channels) {
    dBeta[channel] = sums[threadIdx.x];
    dGamma[channel] = products[threadIdx.x] * invStd[channel];
  }
}
