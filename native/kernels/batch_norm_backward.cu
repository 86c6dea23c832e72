// The gradient of batch normalisation of x [rows][channels]. In front of this text stands lamina_ride, which takes the
// gradient of y on its way from memory (the derivative of an activation).

// partial [2][parts][channels]: sums of the gradient of y, and of it times the deviation of x.
extern "C" __global__ void lamina_batch_norm_gradient_sums(const Real* x, const float* mean, const Real* dy,
                                                           float* partial, int rows, int channels, int across,
                                                           int tiles RIDE_PARAMETERS) {
  __shared__ float sums[256 * WIDTH];
  __shared__ float products[256 * WIDTH];
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
#pragma unroll 4
    for (int row = tile.first + tile.line; row < tile.last; row += tile.lines) {
      const Index at = (Index) row * channels + tile.channel;
      float value[WIDTH], gradient[WIDTH];
      load_lanes(value, x + at);
      load_lanes(gradient, dy + at);
      lamina_ride(gradient, at, tile.channel RIDE_ARGUMENTS);
#pragma unroll
      for (int j = 0; j < WIDTH; j++) {
        sum[j] += gradient[j];
        product[j] = fused_multiply_add(gradient[j], value[j] - middle[j], product[j]);
      }
    }
  }
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    sums[j * 256 + threadIdx.x] = sum[j];
    products[j * 256 + threadIdx.x] = product[j];
  }
  __syncthreads();
  for (int half = tile.lines / 2; half > 0; half /= 2) {
    if (tile.line < half) {
      const int other = (int) threadIdx.x + half * across;
#pragma unroll
      for (int j = 0; j < WIDTH; j++) {
        sums[j * 256 + threadIdx.x] += sums[j * 256 + other];
        products[j * 256 + threadIdx.x] += products[j * 256 + other];
      }
    }
    __syncthreads();
  }
  if (tile.line == 0 && inside) {
    const Index parts = gridDim.x / tiles;
    const Index part = blockIdx.x / tiles;
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      partial[part * channels + tile.channel + j] = sums[j * 256 + threadIdx.x];
      partial[(parts + part) * channels + tile.channel + j] = products[j * 256 + threadIdx.x];
    }
  }
}

// dx = γ·invStd·(dy − dβ/rows − x̂·dγ/rows)
extern "C" __global__ void lamina_batch_norm_gradient(const Real* x, const float* gamma, const float* mean,
                                                      const float* invStd, const Real* dy, const float* dGamma,
                                                      const float* dBeta, Real* dx, int rows, int channels, int across,
                                                      int tiles RIDE_PARAMETERS) {
  const Tile tile = tile_of(rows, channels, across, tiles);
  if (tile.channel >= channels) {
    return;
  }
  float middle[WIDTH], scale[WIDTH], level[WIDTH], slope[WIDTH], inverse[WIDTH];
  load_lanes(middle, mean + tile.channel);
  load_lanes(scale, gamma + tile.channel);
  load_lanes(level, dBeta + tile.channel);
  load_lanes(slope, dGamma + tile.channel);
  load_lanes(inverse, invStd + tile.channel);
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    scale[j] *= inverse[j];
    level[j] /= (float) rows;
    slope[j] = slope[j] / (float) rows * inverse[j];
  }
  for (int row = tile.first + tile.line; row < tile.last; row += tile.lines) {
    const Index at = (Index) row * channels + tile.channel;
    float value[WIDTH], gradient[WIDTH];
    load_lanes(value, x + at);
    load_lanes(gradient, dy + at);
    lamina_ride(gradient, at, tile.channel RIDE_ARGUMENTS);
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      gradient[j] = scale[j] * (gradient[j] - level[j] - (value[j] - middle[j]) * slope[j]);
    }
    store_lanes(dx + at, gradient);
  }
}
