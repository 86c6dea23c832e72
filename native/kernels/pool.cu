// Pooling of images [n][h][w][c] and its gradient. A thread takes WIDTH channels of one pixel; gradients are gathered by
// the pixel that gets them, so that nothing is added by two threads. In front of this text stands lamina_ride, which takes
// what is pooled on its way to memory (activation), or its gradient on its way from memory (the derivative of one).
//
// The window is known when this is compiled (WINDOW_HEIGHT, WINDOW_WIDTH, STRIDE_HEIGHT, STRIDE_WIDTH, TOP and LEFT, the
// padding, and whether there is any, PADDED): a thread then divides by no stride, and where windows do not overlap there is nothing to search.

// parameters of every kernel, as PoolLaunches passes them
#define GEOMETRY int height, int width, int channels, int outHeight, int outWidth

// Small windows are written out.
constexpr int unrolled = WINDOW_HEIGHT * WINDOW_WIDTH <= 9 ? 9 : 1;

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
extern "C" __global__ void lamina_max_pool(const Real* x, Real* y, unsigned char* winners, Index size,
                                           GEOMETRY RIDE_PARAMETERS) {
  const int groups = channels / WIDTH;
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Pixel out = pixel_of(i, groups, outHeight, outWidth);
    const int fromY = out.y * STRIDE_HEIGHT - TOP;
    const int fromX = out.x * STRIDE_WIDTH - LEFT;
    const int first = (fromY < 0 ? -fromY : 0) * WINDOW_WIDTH + (fromX < 0 ? -fromX : 0);
    float best[WIDTH];
    int winner[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      best[j] = float_of(0xff800000u);
      winner[j] = first;
    }
#pragma unroll unrolled
    for (int row = 0; row < WINDOW_HEIGHT; row++) {
#pragma unroll unrolled
      for (int column = 0; column < WINDOW_WIDTH; column++) {
        const int atY = fromY + row, atX = fromX + column;
        if (!PADDED || (atY >= 0 && atY < height && atX >= 0 && atX < width)) {
          float value[WIDTH];
          load_lanes(value, x + (((Index) out.n * height + atY) * width + atX) * channels + out.channel);
#pragma unroll
          for (int j = 0; j < WIDTH; j++) {
            if (!(value[j] <= best[j]) && best[j] == best[j]) {
              best[j] = value[j];
              winner[j] = row * WINDOW_WIDTH + column;
            }
          }
        }
      }
    }
    lamina_ride(best, i * WIDTH, out.channel RIDE_ARGUMENTS);
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
extern "C" __global__ void lamina_average_pool(const Real* x, Real* y, Index size,
                                           GEOMETRY RIDE_PARAMETERS) {
  const int groups = channels / WIDTH;
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Pixel out = pixel_of(i, groups, outHeight, outWidth);
    float sum[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] = 0;
    }
#pragma unroll unrolled
    for (int row = 0; row < WINDOW_HEIGHT; row++) {
#pragma unroll unrolled
      for (int column = 0; column < WINDOW_WIDTH; column++) {
        const int atY = out.y * STRIDE_HEIGHT - TOP + row, atX = out.x * STRIDE_WIDTH - LEFT + column;
        if (!PADDED || (atY >= 0 && atY < height && atX >= 0 && atX < width)) {
          float value[WIDTH];
          load_lanes(value, x + (((Index) out.n * height + atY) * width + atX) * channels + out.channel);
#pragma unroll
          for (int j = 0; j < WIDTH; j++) {
            sum[j] += value[j];
          }
        }
      }
    }
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] /= (float) (WINDOW_HEIGHT * WINDOW_WIDTH);
    }
    lamina_ride(sum, i * WIDTH, out.channel RIDE_ARGUMENTS);
    store_lanes(y + i * WIDTH, sum);
  }
}

// As many windows along an axis may hold a pixel.
#define WINDOWS_Y ((WINDOW_HEIGHT - 1) / STRIDE_HEIGHT + 1)
#define WINDOWS_X ((WINDOW_WIDTH - 1) / STRIDE_WIDTH + 1)

// A window that holds a pixel, if there is one.
struct Window {
  bool exists;
  int position; // of the pixel in the window
  Index at;     // of its first channel in the pooled image
};

// Of the windows that may hold the pixel the one that begins `up` and `before` strides before the last.
DEVICE Window window_of(const Pixel& in, int up, int before, int channels, int outHeight, int outWidth) {
  const int y = (int) ((unsigned) (in.y + TOP) / STRIDE_HEIGHT) - up;
  const int x = (int) ((unsigned) (in.x + LEFT) / STRIDE_WIDTH) - before;
  const int row = in.y + TOP - y * STRIDE_HEIGHT, column = in.x + LEFT - x * STRIDE_WIDTH;
  Window window;
  window.exists =
      y >= 0 && y < outHeight && row < WINDOW_HEIGHT && x >= 0 && x < outWidth && column < WINDOW_WIDTH;
  window.position = row * WINDOW_WIDTH + column;
  window.at = (((Index) in.n * outHeight + y) * outWidth + x) * channels + in.channel;
  return window;
}

extern "C" __global__ void lamina_max_pool_gradient(const Real* dy, const unsigned char* winners, Real* dx, Index size,
                                                    GEOMETRY RIDE_PARAMETERS) {
  const int groups = channels / WIDTH;
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Pixel in = pixel_of(i, groups, height, width);
    float sum[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] = 0;
    }
#pragma unroll unrolled
    for (int up = WINDOWS_Y - 1; up >= 0; up--) {
#pragma unroll unrolled
      for (int before = WINDOWS_X - 1; before >= 0; before--) {
        const Window window = window_of(in, up, before, channels, outHeight, outWidth);
        if (window.exists) {
          float gradient[WIDTH];
          load_lanes(gradient, dy + window.at);
          lamina_ride(gradient, window.at, in.channel RIDE_ARGUMENTS);
          const Pack<unsigned char, WIDTH> bytes = *(const Pack<unsigned char, WIDTH>*) (winners + window.at);
#pragma unroll
          for (int j = 0; j < WIDTH; j++) {
            sum[j] += bytes.lane[j] == window.position ? gradient[j] : 0.0f;
          }
        }
      }
    }
    store_lanes(dx + i * WIDTH, sum);
  }
}

extern "C" __global__ void lamina_average_pool_gradient(const Real* dy, Real* dx, Index size,
                                           GEOMETRY RIDE_PARAMETERS) {
  const int groups = channels / WIDTH;
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Pixel in = pixel_of(i, groups, height, width);
    float sum[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
      sum[j] = 0;
    }
#pragma unroll unrolled
    for (int up = WINDOWS_Y - 1; up >= 0; up--) {
#pragma unroll unrolled
      for (int before = WINDOWS_X - 1; before >= 0; before--) {
        const Window window = window_of(in, up, before, channels, outHeight, outWidth);
        if (window.exists) {
          float gradient[WIDTH];
          load_lanes(gradient, dy + window.at);
          lamina_ride(gradient, window.at, in.channel RIDE_ARGUMENTS);
#pragma unroll
          for (int j = 0; j < WIDTH; j++) {
            sum[j] += gradient[j] / (float) (WINDOW_HEIGHT * WINDOW_WIDTH);
          }
        }
      }
    }
    store_lanes(dx + i * WIDTH, sum);
  }
}
