// Pooling of images [n][h][w][c] and its gradient. A thread takes WIDTH channels of one pixel; gradients are gathered by
// the pixel that gets them, so that nothing is added by two threads.

// parameters of every kernel, as PoolLaunches passes them
#define GEOMETRY                                                                                              \
  int height, int width, int channels, int outHeight, int outWidth, int windowHeight, int windowWidth,        \
      int strideHeight, int strideWidth, int top, int left

struct Pixel {
  int n, y, x, channel;
};

DEVICE Pixel pixel_of(Index i, int groups, int height, int width) {
  Pixel pixel;
  Index rest = i / groups;
  pixel.channel = (int) (i - rest * groups) * WIDTH;
  pixel.x = (int) (rest % width);
  rest /= width;
  pixel.y = (int) (rest % height);
  pixel.n = (int) (rest / height);
  return pixel;
}

// The first of the largest in row-major order, or the first NaN; positions in the padding do not take part.
extern "C" __global__ void lamina_max_pool(const Real* x, Real* y, unsigned char* winners, Index size, GEOMETRY) {
  const int groups = channels / WIDTH;
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Pixel out = pixel_of(i, groups, outHeight, outWidth);
    float best[WIDTH];
    int winner[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      best[j] = float_of(0xff800000u);
      winner[j] = -1;
    }
    for (int row = 0; row < windowHeight; row++) {
      const int fromY = out.y * strideHeight - top + row;
      if (fromY < 0 || fromY >= height) {
        continue;
      }
      for (int column = 0; column < windowWidth; column++) {
        const int fromX = out.x * strideWidth - left + column;
        if (fromX < 0 || fromX >= width) {
          continue;
        }
        float value[WIDTH];
        load_lanes(value, x + (((Index) out.n * height + fromY) * width + fromX) * channels + out.channel);
        const int position = row * windowWidth + column;
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          const bool firstNaN = value[j] != value[j] && best[j] == best[j];
          if (winner[j] < 0 || value[j] > best[j] || firstNaN) {
            best[j] = value[j];
            winner[j] = position;
          }
        }
      }
    }
    store_lanes(y + i * WIDTH, best);
    Pack<unsigned char, WIDTH> bytes;
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      bytes.lane[j] = (unsigned char) winner[j];
    }
    *(Pack<unsigned char, WIDTH>*) (winners + i * WIDTH) = bytes;
  }
}

// Positions in the padding count as zeros: the sum is divided by the whole window.
extern "C" __global__ void lamina_average_pool(const Real* x, Real* y, Index size, GEOMETRY) {
  const int groups = channels / WIDTH;
  const float area = (float) (windowHeight * windowWidth);
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Pixel out = pixel_of(i, groups, outHeight, outWidth);
    float sum[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] = 0;
    }
    for (int row = 0; row < windowHeight; row++) {
      const int fromY = out.y * strideHeight - top + row;
      if (fromY < 0 || fromY >= height) {
        continue;
      }
      for (int column = 0; column < windowWidth; column++) {
        const int fromX = out.x * strideWidth - left + column;
        if (fromX < 0 || fromX >= width) {
          continue;
        }
        float value[WIDTH];
        load_lanes(value, x + (((Index) out.n * height + fromY) * width + fromX) * channels + out.channel);
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          sum[j] += value[j];
        }
      }
    }
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] /= area;
    }
    store_lanes(y + i * WIDTH, sum);
  }
}

// The first window along one axis that holds coordinate `at`; the last is (at + before) / stride.
DEVICE int first_window(int at, int before, int window, int stride) {
  const int room = at + before - window + 1;
  return room <= 0 ? 0 : (room + stride - 1) / stride;
}

DEVICE int last_window(int at, int before, int stride, int windows) {
  const int last = (at + before) / stride;
  return last < windows ? last : windows - 1;
}

extern "C" __global__ void lamina_max_pool_gradient(const Real* dy, const unsigned char* winners, Real* dx, Index size,
                                                    GEOMETRY) {
  const int groups = channels / WIDTH;
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Pixel in = pixel_of(i, groups, height, width);
    float sum[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] = 0;
    }
    const int lastY = last_window(in.y, top, strideHeight, outHeight);
    const int lastX = last_window(in.x, left, strideWidth, outWidth);
    for (int y = first_window(in.y, top, windowHeight, strideHeight); y <= lastY; y++) {
      for (int x = first_window(in.x, left, windowWidth, strideWidth); x <= lastX; x++) {
        const int position =
            (in.y + top - y * strideHeight) * windowWidth + in.x + left - x * strideWidth;
        const Index at = (((Index) in.n * outHeight + y) * outWidth + x) * channels + in.channel;
        float gradient[WIDTH];
        load_lanes(gradient, dy + at);
        const Pack<unsigned char, WIDTH> bytes = *(const Pack<unsigned char, WIDTH>*) (winners + at);
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          if (bytes.lane[j] == position) {
            sum[j] += gradient[j];
          }
        }
      }
    }
    store_lanes(dx + i * WIDTH, sum);
  }
}

extern "C" __global__ void lamina_average_pool_gradient(const Real* dy, Real* dx, Index size, GEOMETRY) {
  const int groups = channels / WIDTH;
  const float area = (float) (windowHeight * windowWidth);
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Pixel in = pixel_of(i, groups, height, width);
    float sum[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] = 0;
    }
    const int lastY = last_window(in.y, top, strideHeight, outHeight);
    const int lastX = last_window(in.x, left, strideWidth, outWidth);
    for (int y = first_window(in.y, top, windowHeight, strideHeight); y <= lastY; y++) {
      for (int x = first_window(in.x, left, windowWidth, strideWidth); x <= lastX; x++) {
        float gradient[WIDTH];
        load_lanes(gradient, dy + (((Index) in.n * outHeight + y) * outWidth + x) * channels + in.channel);
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
          sum[j] += gradient[j] / area;
        }
      }
    }
    store_lanes(dx + i * WIDTH, sum);
  }
}
