// The gradient of batch normalisation of x [rows][channels]. In front of this text stands lamina_ride, which takes the
// gradient of y on its way from memory (the derivative of an activation).

// The rows that a thread holds at once, so that enough loads are under way.
#define ROWS 2

// Adds COUNT rows of a thread, from `row` on.
template <int COUNT>
DEVICE void add_rows(float (&sum)[WIDTH], float (&product)[WIDTH], const float (&middle)[WIDTH], const Real* x,
                     const Real* dy, const Tile& tile, int row, int channels RIDE_PARAMETERS) {
  float value[COUNT][WIDTH], gradient[COUNT][WIDTH];
#pragma unroll
  for (int r = 0; r < COUNT; r++) {
    const Index at = (Index) (row + r * tile.lines) * channels + tile.channel;
    load_lanes(value[r], x + at);
    load_lanes(gradient[r], dy + at);
  }
#pragma unroll
  for (int r = 0; r < COUNT; r++) {
    lamina_ride(gradient[r], (Index) (row + r * tile.lines) * channels + tile.channel, tile.channel RIDE_ARGUMENTS);
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] += gradient[r][j];
      product[j] = fused_multiply_add(gradient[r][j], value[r][j] - middle[j], product[j]);
    }
  }
}

// partial [2][parts][channels]: sums of the gradient of y, and of it times the deviation of x.
extern "C" __global__ void lamina_batch_norm_gradient_sums(const Real* x, const float* mean, const Real* dy,
                                                           float* partial, int rows, int channels, int across,
                                                           int tiles RIDE_PARAMETERS) {
  __shared__ float sums[2 * WIDTH * 256];
  const Tile tile = tile_of(rows, channels, across, tiles);
  const bool inside = tile.channel < channels;
  float sum[WIDTH], product[WIDTH], middle[WIDTH];
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    sum[j] = 0;
    product[j] = 0;
    middle[j] = 0;
  }
  if (inside) {
    load_lanes(middle, mean + tile.channel);
    int row = tile.first + tile.line;
    for (; row + (ROWS - 1) * tile.lines < tile.last; row += ROWS * tile.lines) {
      add_rows<ROWS>(sum, product, middle, x, dy, tile, row, channels RIDE_ARGUMENTS);
    }
    for (; row < tile.last; row += tile.lines) {
      add_rows<1>(sum, product, middle, x, dy, tile, row, channels RIDE_ARGUMENTS);
    }
  }
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    sums[j * 256 + threadIdx.x] = sum[j];
    sums[(WIDTH + j) * 256 + threadIdx.x] = product[j];
  }
  add_lines<2 * WIDTH>(sums, tile, across);
  if (tile.line == 0 && inside) {
    const Index parts = gridDim.x / tiles;
    const Index part = blockIdx.x / tiles;
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      partial[part * channels + tile.channel + j] = sums[j * 256 + threadIdx.x];
      partial[(parts + part) * channels + tile.channel + j] = sums[(WIDTH + j) * 256 + threadIdx.x];
    }
  }
}

// What a channel's gradients have in common: dx = scale·(dy − level − (x − middle)·slope).
struct Line {
  float middle[WIDTH], scale[WIDTH], level[WIDTH], slope[WIDTH];
};

// From γ, mean, invStd in the line's scale, middle and `inverse`, and dβ, dγ in its level and slope.
DEVICE void complete(Line& line, const float (&inverse)[WIDTH], int rows) {
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    line.scale[j] *= inverse[j];
    line.level[j] /= (float) rows;
    line.slope[j] = line.slope[j] / (float) rows * inverse[j];
  }
}

// dx = γ·invStd·(dy − dβ/rows − x̂·dγ/rows), COUNT rows of a thread, from `row` on; all are read before the first is written.
template <int COUNT>
DEVICE void follow(const Line& line, const Real* x, const Real* dy, Real* dx, const Tile& tile, int row,
                   int channels RIDE_PARAMETERS) {
  float value[COUNT][WIDTH], gradient[COUNT][WIDTH];
#pragma unroll
  for (int r = 0; r < COUNT; r++) {
    const Index at = (Index) (row + r * tile.lines) * channels + tile.channel;
    load_lanes(value[r], x + at);
    load_lanes(gradient[r], dy + at);
  }
#pragma unroll
  for (int r = 0; r < COUNT; r++) {
    lamina_ride(gradient[r], (Index) (row + r * tile.lines) * channels + tile.channel, tile.channel RIDE_ARGUMENTS);
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      const float level = gradient[r][j] - line.level[j];
      gradient[r][j] = line.scale[j] * (level - (value[r][j] - line.middle[j]) * line.slope[j]);
    }
  }
#pragma unroll
  for (int r = 0; r < COUNT; r++) {
    store_lanes(dx + (Index) (row + r * tile.lines) * channels + tile.channel, gradient[r]);
  }
}

DEVICE void follow_all(const Line& line, const Real* x, const Real* dy, Real* dx, const Tile& tile,
                       int channels RIDE_PARAMETERS) {
  int row = tile.first + tile.line;
  for (; row + (ROWS - 1) * tile.lines < tile.last; row += ROWS * tile.lines) {
    follow<ROWS>(line, x, dy, dx, tile, row, channels RIDE_ARGUMENTS);
  }
  for (; row < tile.last; row += tile.lines) {
    follow<1>(line, x, dy, dx, tile, row, channels RIDE_ARGUMENTS);
  }
}

extern "C" __global__ void lamina_batch_norm_gradient(const Real* x, const float* gamma, const float* mean,
                                                      const float* invStd, const Real* dy, const float* dGamma,
                                                      const float* dBeta, Real* dx, int rows, int channels, int across,
                                                      int tiles RIDE_PARAMETERS) {
  const Tile tile = tile_of(rows, channels, across, tiles);
  if (tile.channel >= channels) {
    return;
  }
  Line line;
  float inverse[WIDTH];
  load_lanes(line.middle, mean + tile.channel);
  load_lanes(line.scale, gamma + tile.channel);
  load_lanes(line.level, dBeta + tile.channel);
  load_lanes(line.slope, dGamma + tile.channel);
  load_lanes(inverse, invStd + tile.channel);
  complete(line, inverse, rows);
  follow_all(line, x, dy, dx, tile, channels RIDE_ARGUMENTS);
}

// The same, with dγ and dβ joined by each block for its channels, and written by the first of a tile.
extern "C" __global__ void lamina_batch_norm_join_and_follow(
    const Real* x, const float* gamma, const float* mean, const float* invStd, const Real* dy, const float* partial,
    float* dGamma, float* dBeta, Real* dx, int parts, int rows, int channels, int across, int tiles RIDE_PARAMETERS) {
  __shared__ float scratch[256];
  __shared__ float levels[256];
  __shared__ float slopes[256];
  const Tile tile = tile_of(rows, channels, across, tiles);
  const int together = across * WIDTH;
  const int channel = (int) blockIdx.x % tiles * together + ((int) threadIdx.x & (together - 1));
  const float sum = add_parts(partial, channels, parts, channel, together, scratch);
  const float product = add_parts(partial + (Index) parts * channels, channels, parts, channel, together, scratch);
  if ((int) threadIdx.x < together && channel < channels) {
    levels[threadIdx.x] = sum;
    slopes[threadIdx.x] = product * invStd[channel];
    if ((int) blockIdx.x < tiles) {
      dBeta[channel] = sum;
      dGamma[channel] = slopes[threadIdx.x];
    }
  }
  __syncthreads();
  if (tile.channel >= channels) {
    return;
  }
  Line line;
  float inverse[WIDTH];
  load_lanes(line.middle, mean + tile.channel);
  load_lanes(line.scale, gamma + tile.channel);
  load_lanes(inverse, invStd + tile.channel);
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    const int own = ((int) threadIdx.x & (across - 1)) * WIDTH + j;
    line.level[j] = levels[own];
    line.slope[j] = slopes[own];
  }
  complete(line, inverse, rows);
  follow_all(line, x, dy, dx, tile, channels RIDE_ARGUMENTS);
}
