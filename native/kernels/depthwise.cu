// Depthwise convolution, each channel of [n][h][w][c] by itself, and its gradients. Filters are [out][kh][kw][1] with
// out = c · multiplier; with WIDTH > 1 the multiplier is 1. A block's filters lie in shared memory as floats
// [tap][channel of the tile].

#define MOST_TAPS 8192

// parameters of every kernel, as DepthwiseLaunches passes them
#define GEOMETRY                                                                                                 \
  int height, int width, int outHeight, int outWidth, int kernelHeight, int kernelWidth, int strideHeight,       \
      int strideWidth, int top, int left, int dilationHeight, int dilationWidth, int multiplier

DEVICE void load_taps(float* taps, const Real* filter, int channels, int across, int tiles, int area) {
  const int extent = across * WIDTH;
  const int first = ((int) blockIdx.x % tiles) * extent;
  for (int i = (int) threadIdx.x; i < area * extent; i += (int) blockDim.x) {
    const int tap = i / extent;
    const int channel = first + i - tap * extent;
    taps[i] = 0;
    if (channel < channels) {
      widen(taps[i], filter[(Index) channel * area + tap]);
    }
  }
  __syncthreads();
}

// rows are output pixels, channels those of the output
extern "C" __global__ void lamina_depthwise(const Real* x, const Real* filter, Real* y, int rows, int channels,
                                            int across, int tiles, GEOMETRY) {
  __shared__ float taps[MOST_TAPS];
  const Tile tile = tile_of(rows, channels, across, tiles);
  load_taps(taps, filter, channels, across, tiles, kernelHeight * kernelWidth);
  if (tile.channel >= channels) {
    return;
  }
  const int inChannels = channels / multiplier;
  const int from = tile.channel / multiplier;
  const float* own = taps + ((int) threadIdx.x & (across - 1)) * WIDTH;
  for (int row = tile.first + tile.line; row < tile.last; row += tile.lines) {
    const int line = row / outWidth;
    const int n = line / outHeight;
    const int firstX = (row - line * outWidth) * strideWidth - left;
    const int firstY = (line - n * outHeight) * strideHeight - top;
    float sum[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] = 0;
    }
    for (int i = 0; i < kernelHeight; i++) {
      const int fromY = firstY + i * dilationHeight;
      if (fromY < 0 || fromY >= height) {
        continue;
      }
      for (int k = 0; k < kernelWidth; k++) {
        const int fromX = firstX + k * dilationWidth;
        if (fromX < 0 || fromX >= width) {
          continue;
        }
        float value[WIDTH];
        load_lanes(value, x + (((Index) n * height + fromY) * width + fromX) * inChannels + from);
        const float* tap = own + (i * kernelWidth + k) * across * WIDTH;
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          sum[j] = fused_multiply_add(value[j], tap[j], sum[j]);
        }
      }
    }
    store_lanes(y + (Index) row * channels + tile.channel, sum);
  }
}

// rows are pixels of the image, channels those of the image
extern "C" __global__ void lamina_depthwise_input_gradient(const Real* dy, const Real* filter, Real* dx, int rows,
                                                           int channels, int across, int tiles, GEOMETRY) {
  __shared__ float taps[MOST_TAPS];
  const Tile tile = tile_of(rows, channels, across, tiles);
  const int area = kernelHeight * kernelWidth;
  if (multiplier == 1) {
    load_taps(taps, filter, channels, across, tiles, area);
  }
  if (tile.channel >= channels) {
    return;
  }
  const float* own = taps + ((int) threadIdx.x & (across - 1)) * WIDTH;
  for (int row = tile.first + tile.line; row < tile.last; row += tile.lines) {
    const int line = row / width;
    const int n = line / height;
    const int inX = row - line * width;
    const int inY = line - n * height;
    float sum[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] = 0;
    }
    for (int i = 0; i < kernelHeight; i++) {
      const int stepsY = inY + top - i * dilationHeight;
      const int outY = stepsY / strideHeight;
      if (stepsY < 0 || outY * strideHeight != stepsY || outY >= outHeight) {
        continue;
      }
      for (int k = 0; k < kernelWidth; k++) {
        const int stepsX = inX + left - k * dilationWidth;
        const int outX = stepsX / strideWidth;
        if (stepsX < 0 || outX * strideWidth != stepsX || outX >= outWidth) {
          continue;
        }
        const int tap = i * kernelWidth + k;
        const Real* gradients =
            dy + ((((Index) n * outHeight + outY) * outWidth + outX) * channels + tile.channel) * multiplier;
        if (multiplier == 1) {
          float gradient[WIDTH];
          load_lanes(gradient, gradients);
          const float* weight = own + tap * across * WIDTH;
#pragma unroll
          for (int j = 0; j < WIDTH; j++) {
            sum[j] = fused_multiply_add(gradient[j], weight[j], sum[j]);
          }
        } else {
          for (int m = 0; m < multiplier; m++) {
            float gradient, weight;
            widen(gradient, gradients[m]);
            widen(weight, filter[((Index) tile.channel * multiplier + m) * area + tap]);
            sum[0] = fused_multiply_add(gradient, weight, sum[0]);
          }
        }
      }
    }
    store_lanes(dx + (Index) row * channels + tile.channel, sum);
  }
}

// rows are output pixels, channels those of the output; a block sums one tap over its part of the rows:
// blockIdx.x = (part · tiles + tile) · taps + tap; partial [parts][taps][channels].
extern "C" __global__ void lamina_depthwise_filter_gradient(const Real* x, const Real* dy, float* partial, int rows,
                                                            int channels, int across, int tiles, int parts, GEOMETRY) {
  __shared__ float sums[256 * WIDTH];
  const int area = kernelHeight * kernelWidth;
  const int tap = (int) blockIdx.x % area;
  const int block = (int) blockIdx.x / area;
  const int part = block / tiles;
  const int line = (int) threadIdx.x / across;
  const int lines = (int) blockDim.x / across;
  const int channel = ((block - part * tiles) * across + ((int) threadIdx.x & (across - 1))) * WIDTH;
  const int last = (int) ((long long) rows * (part + 1) / parts);
  const int inChannels = channels / multiplier;
  const int offsetY = tap / kernelWidth * dilationHeight - top;
  const int offsetX = tap % kernelWidth * dilationWidth - left;
  float sum[WIDTH];
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    sum[j] = 0;
  }
  if (channel < channels) {
    for (int row = (int) ((long long) rows * part / parts) + line; row < last; row += lines) {
      const int above = row / outWidth;
      const int n = above / outHeight;
      const int fromY = (above - n * outHeight) * strideHeight + offsetY;
      const int fromX = (row - above * outWidth) * strideWidth + offsetX;
      if (fromY < 0 || fromY >= height || fromX < 0 || fromX >= width) {
        continue;
      }
      float value[WIDTH], gradient[WIDTH];
      load_lanes(value, x + (((Index) n * height + fromY) * width + fromX) * inChannels + channel / multiplier);
      load_lanes(gradient, dy + (Index) row * channels + channel);
#pragma unroll
      for (int j = 0; j < WIDTH; j++) {
        sum[j] = fused_multiply_add(value[j], gradient[j], sum[j]);
      }
    }
  }
#pragma unroll
  for (int j = 0; j < WIDTH; j++) {
    sums[j * 256 + threadIdx.x] = sum[j];
  }
  __syncthreads();
  for (int half = lines / 2; half > 0; half /= 2) {
    if (line < half) {
#pragma unroll
      for (int j = 0; j < WIDTH; j++) {
        sums[j * 256 + threadIdx.x] += sums[j * 256 + threadIdx.x + half * across];
      }
    }
    __syncthreads();
  }
  if (line == 0 && channel < channels) {
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      partial[((Index) part * area + tap) * channels + channel + j] = sums[j * 256 + threadIdx.x];
    }
  }
}

// filter gradient [channels][taps] from its parts [parts][taps][channels]
extern "C" __global__ void lamina_depthwise_filter_join(const float* partial, Real* dFilter, int channels, int taps,
                                                        int parts) {
  const int size = channels * taps;
  for (int i = (int) (blockIdx.x * blockDim.x + threadIdx.x); i < size; i += (int) (gridDim.x * blockDim.x)) {
    const int tap = i / channels;
    const int channel = i - tap * channels;
    float sum = 0;
#pragma unroll 8
    for (int part = 0; part < parts; part++) {
      sum += partial[(Index) part * size + i];
    }
    narrow(dFilter[(Index) channel * taps + tap], sum);
  }
}
