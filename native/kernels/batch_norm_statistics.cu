// Statistics of batch normalisation of x [rows][channels], whatever the rows are made of: those of each part of the rows, and
// a kernel that joins them where that is too much for each block that needs them.

// The rows that a thread holds at once: enough loads under way to hide memory's latency.
#define HELD (32 / WIDTH < 8 ? 32 / WIDTH : 8)

// The origin from which a channel's means are counted: one of its values, so that a mean far from zero costs no digits.
// (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983, section 3.)
DEVICE float origin_of(float value) { return is_finite(value) ? value : 0.0f; }

// A thread's rows from `row` on, as many of them as there are.
DEVICE void hold_rows(Words<Real, WIDTH> (&held)[HELD], const Real* x, const Tile& tile, int row, int channels) {
#pragma unroll
  for (int k = 0; k < HELD; k++) {
    if (row + k * tile.lines < tile.last) {
      hold(held[k], x + (Index) (row + k * tile.lines) * channels + tile.channel);
    }
  }
}

// partial [2][parts][channels]: sums of what is beyond the channel's origin, squared deviations from the part's mean. Behind
// it [channels]: the origins.
//
// Deviations are counted from the mean of the part's first rows, and squares of them added: no thread divides. As those rows
// belong to the part, that mean is never so far away that rounding grows by more than the ratio of its rows to them.
extern "C" __global__ void lamina_batch_norm_statistics(const Real* x, float* partial, int rows, int channels,
                                                        int across, int tiles) {
  __shared__ float sums[2 * WIDTH * 256];
  const Tile tile = tile_of(rows, channels, across, tiles);
  const bool inside = tile.channel < channels;
  const int column = (int) threadIdx.x & (across - 1);
  Words<Real, WIDTH> base, held[HELD];
  float origin[WIDTH], sum[WIDTH], squares[WIDTH];
  if (inside) {
    hold(base, x + tile.channel);
  }
  int row = inside ? tile.first + tile.line : tile.last;
  hold_rows(held, x, tile, row, channels);
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    origin[j] = inside ? origin_of(lane_of(base, j)) : 0;
    sum[j] = 0;
    squares[j] = 0;
  }
#pragma unroll
  for (int k = 0; k < HELD; k++) {
    if (row + k * tile.lines < tile.last) {
#pragma unroll
      for (int j = 0; j < WIDTH; j++) {
        sum[j] += lane_of(held[k], j) - origin[j];
      }
    }
  }
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    sums[j * 256 + threadIdx.x] = sum[j];
  }
  add_lines<WIDTH>(sums, tile, across);
  const int most = HELD * tile.lines;
  const int size = tile.last - tile.first;
  const float seen = (float) (size < most ? size : most);
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    const float shifted = origin[j] + sums[j * 256 + column] / seen;
    origin[j] = is_finite(shifted) ? shifted : origin[j];
    sum[j] = 0;
  }
  __syncthreads();
  while (row < tile.last) {
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      if (row + k * tile.lines < tile.last) {
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          const float deviation = lane_of(held[k], j) - origin[j];
          sum[j] += deviation;
          squares[j] = fused_multiply_add(deviation, deviation, squares[j]);
        }
      }
    }
    row += most;
    hold_rows(held, x, tile, row, channels);
  }
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    sums[j * 256 + threadIdx.x] = sum[j];
    sums[(WIDTH + j) * 256 + threadIdx.x] = squares[j];
  }
  add_lines<2 * WIDTH>(sums, tile, across);
  if (tile.line == 0 && inside) {
    const Index parts = gridDim.x / tiles;
    const Index part = blockIdx.x / tiles;
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      const float total = sums[j * 256 + threadIdx.x];
      const float square = sums[(WIDTH + j) * 256 + threadIdx.x];
      const float scatter = square - total / (float) size * total;
      const float first = origin_of(lane_of(base, j));
      if (part == 0) {
        partial[2 * parts * channels + tile.channel + j] = first;
      }
      partial[part * channels + tile.channel + j] = fused_multiply_add(origin[j] - first, (float) size, total);
      // What is not finite stays so, and rounding makes no square negative.
      partial[(parts + part) * channels + tile.channel + j] = !is_finite(square) ? square : scatter < 0 ? 0 : scatter;
    }
  }
}

// A block joins the parts of few channels by many threads: there is little to compute, and all of it waits for memory.
#define JOINED 8

extern "C" __global__ void lamina_batch_norm_join(const float* partial, float* mean, float* variance, float* invStd,
                                                  int rows, int channels, int parts, float epsilon) {
  __shared__ float scratch[256];
  const int channel = (int) blockIdx.x * JOINED + ((int) threadIdx.x & (JOINED - 1));
  float middle, squares;
  join_statistics(partial, rows, channels, parts, channel, JOINED, scratch, middle, squares);
  if (threadIdx.x < JOINED && channel < channels) {
    const float biased = squares / (float) rows;
    mean[channel] = middle;
    variance[channel] = biased;
    invStd[channel] = 1.0f / square_root(biased + epsilon);
  }
}

extern "C" __global__ void lamina_batch_norm_gradient_join(const float* partial, const float* invStd, float* dGamma,
                                                           float* dBeta, int rows, int channels, int parts) {
  __shared__ float scratch[256];
  const int channel = (int) blockIdx.x * JOINED + ((int) threadIdx.x & (JOINED - 1));
  const float sum = add_parts(partial, channels, parts, channel, JOINED, scratch);
  const float product = add_parts(partial + (Index) parts * channels, channels, parts, channel, JOINED, scratch);
  if (threadIdx.x < JOINED && channel < channels) {
    dBeta[channel] = sum;
    dGamma[channel] = product * invStd[channel];
  }
}
