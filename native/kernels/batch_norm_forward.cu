// y = γ·(x − mean)·invStd + β of x [rows][channels]. In front of this text stands lamina_ride, which takes y on its way to
// memory (activation, residual).

extern "C" __global__ void lamina_batch_norm_normalise(const Real* x, const float* gamma, const float* beta,
                                                       const float* mean, const float* invStd, Real* y, int rows,
                                                       int channels, int across, int tiles RIDE_PARAMETERS) {
  const Tile tile = tile_of(rows, channels, across, tiles);
  if (tile.channel >= channels) {
    return;
  }
  float middle[WIDTH], scale[WIDTH], shift[WIDTH], inverse[WIDTH];
  load_lanes(middle, mean + tile.channel);
  load_lanes(scale, gamma + tile.channel);
  load_lanes(shift, beta + tile.channel);
  load_lanes(inverse, invStd + tile.channel);
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    scale[j] *= inverse[j];
  }
  for (int row = tile.first + tile.line; row < tile.last; row += tile.lines) {
    const Index at = (Index) row * channels + tile.channel;
    float value[WIDTH];
    load_lanes(value, x + at);
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      value[j] = fused_multiply_add(value[j] - middle[j], scale[j], shift[j]);
    }
    lamina_ride(value, at, tile.channel RIDE_ARGUMENTS);
    store_lanes(y + at, value);
  }
}
