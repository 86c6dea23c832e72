// y = γ·(x − mean)·invStd + β of x [rows][channels]. In front of this text stands lamina_ride, which takes y on its way to
// memory (activation, residual).

// The rows that a thread holds at once, so that enough loads are under way.
#define ROWS (WIDTH == 8 ? 2 : 4)

// What a thread's channels have in common: y = (x − middle)·scale + shift.
struct Line {
  float middle[WIDTH], scale[WIDTH], shift[WIDTH];
};

// COUNT rows of a thread, from `row` on; all are read before the first is written.
template <int COUNT>
DEVICE void normalise(const Line& line, const Real* x, Real* y, const Tile& tile, int row, int channels RIDE_PARAMETERS) {
  float value[COUNT][WIDTH];
#pragma unroll
  for (int r = 0; r < COUNT; r++) {
    load_lanes(value[r], x + (Index) (row + r * tile.lines) * channels + tile.channel);
  }
#pragma unroll
  for (int r = 0; r < COUNT; r++) {
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      value[r][j] = fused_multiply_add(value[r][j] - line.middle[j], line.scale[j], line.shift[j]);
    }
    lamina_ride(value[r], (Index) (row + r * tile.lines) * channels + tile.channel, tile.channel RIDE_ARGUMENTS);
  }
#pragma unroll
  for (int r = 0; r < COUNT; r++) {
    store_lanes(y + (Index) (row + r * tile.lines) * channels + tile.channel, value[r]);
  }
}

DEVICE void normalise_all(const Line& line, const Real* x, Real* y, const Tile& tile, int channels RIDE_PARAMETERS) {
  int row = tile.first + tile.line;
  for (; row + (ROWS - 1) * tile.lines < tile.last; row += ROWS * tile.lines) {
    normalise<ROWS>(line, x, y, tile, row, channels RIDE_ARGUMENTS);
  }
  for (; row < tile.last; row += tile.lines) {
    normalise<1>(line, x, y, tile, row, channels RIDE_ARGUMENTS);
  }
}

extern "C" __global__ void lamina_batch_norm_normalise(const Real* x, const float* gamma, const float* beta,
                                                       const float* mean, const float* invStd, Real* y, int rows,
                                                       int channels, int across, int tiles RIDE_PARAMETERS) {
  const Tile tile = tile_of(rows, channels, across, tiles);
  if (tile.channel >= channels) {
    return;
  }
  Line line;
  float inverse[WIDTH];
  load_lanes(line.middle, mean + tile.channel);
  load_lanes(line.scale, gamma + tile.channel);
  load_lanes(line.shift, beta + tile.channel);
  load_lanes(inverse, invStd + tile.channel);
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    line.scale[j] *= inverse[j];
  }
  normalise_all(line, x, y, tile, channels RIDE_ARGUMENTS);
}

// The same, with the statistics joined by each block for its channels, and written by the first of a tile.
extern "C" __global__ void lamina_batch_norm_join_and_normalise(
    const Real* x, const float* gamma, const float* beta, const float* partial, float* mean, float* variance,
    float* invStd, Real* y, int parts, float epsilon, int rows, int channels, int across, int tiles RIDE_PARAMETERS) {
  __shared__ float scratch[256];
  __shared__ float middles[256];
  __shared__ float inverses[256];
  const Tile tile = tile_of(rows, channels, across, tiles);
  const int together = across * WIDTH;
  const int channel = (int) blockIdx.x % tiles * together + ((int) threadIdx.x & (together - 1));
  float middle, squares;
  join_statistics(partial, rows, channels, parts, channel, together, scratch, middle, squares);
  if ((int) threadIdx.x < together && channel < channels) {
    const float biased = squares / (float) rows;
    middles[threadIdx.x] = middle;
    inverses[threadIdx.x] = 1.0f / square_root(biased + epsilon);
    if ((int) blockIdx.x < tiles) {
      mean[channel] = middle;
      variance[channel] = biased;
      invStd[channel] = inverses[threadIdx.x];
    }
  }
  __syncthreads();
  if (tile.channel >= channels) {
    return;
  }
  Line line;
  load_lanes(line.scale, gamma + tile.channel);
  load_lanes(line.shift, beta + tile.channel);
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    const int own = ((int) threadIdx.x & (across - 1)) * WIDTH + j;
    line.middle[j] = middles[own];
    line.scale[j] *= inverses[own];
  }
  normalise_all(line, x, y, tile, channels RIDE_ARGUMENTS);
}
