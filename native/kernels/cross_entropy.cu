// Cross-entropy between softmax(logits) [rows][classes] and a target, and its gradient. `across` threads (a power of two)
// share a row, which they read thrice: it stays in the first-level cache.
//
// In front of this text stand lamina_exp and lamina_log (the same polynomials as on the CPU), `Target` (Int32: one class
// index a row; else a distribution) and `Gradient`, the type of the loss's gradient. With label smoothing s the target t
// becomes keep·t + spread, keep = 1 − s, spread = s / classes.

// One value a thread becomes their sum, or largest, in every thread of the row.
DEVICE float sum_of_row(float value, float* held, int lane, int across) {
  held[threadIdx.x] = value;
  __syncthreads();
  for (int half = across / 2; half > 0; half /= 2) {
    if (lane < half) {
      held[threadIdx.x] += held[threadIdx.x + half];
    }
    __syncthreads();
  }
  const float sum = held[(int) threadIdx.x - lane];
  __syncthreads();
  return sum;
}

DEVICE float largest_of_row(float value, float* held, int lane, int across) {
  held[threadIdx.x] = value;
  __syncthreads();
  for (int half = across / 2; half > 0; half /= 2) {
    if (lane < half) {
      held[threadIdx.x] = larger(held[threadIdx.x], held[threadIdx.x + half]);
    }
    __syncthreads();
  }
  const float largest = held[(int) threadIdx.x - lane];
  __syncthreads();
  return largest;
}

// A class index out of range gives NaN, which the finite guard of a step finds.
DEVICE float target_of(const Int32* target, Index row, int column, int classes, float keep, float spread) {
  const int label = target[row];
  const float hard = label < 0 || label >= classes ? float_of(0x7fc00000u) : label == column ? 1.0f : 0.0f;
  return keep * hard + spread;
}

template <class T>
DEVICE float target_of(const T* target, Index row, int column, int classes, float keep, float spread) {
  float share;
  widen(share, target[row * classes + column]);
  return keep * share + spread;
}

DEVICE float logit(const Real* logits, Index row, int column, int classes) {
  float value;
  widen(value, logits[row * classes + column]);
  return value;
}

struct Softmax {
  float largest;
  float sum; // of exp(logit − largest)
};

DEVICE Softmax softmax_of(const Real* logits, Index row, bool inside, int classes, float* held, int lane,
                          int across) {
  float largest = float_of(0xff800000u);
  if (inside) {
    for (int j = lane; j < classes; j += across) {
      largest = larger(largest, logit(logits, row, j, classes));
    }
  }
  Softmax softmax;
  softmax.largest = largest_of_row(largest, held, lane, across);
  float sum = 0;
  if (inside) {
    for (int j = lane; j < classes; j += across) {
      sum += lamina_exp(logit(logits, row, j, classes) - softmax.largest);
    }
  }
  softmax.sum = sum_of_row(sum, held, lane, across);
  return softmax;
}

extern "C" __global__ void lamina_cross_entropy(const Real* logits, const Target* target, Real* loss, Index rows,
                                                int classes, int across, float keep, float spread) {
  __shared__ float held[256];
  const int lane = (int) threadIdx.x & (across - 1);
  const int lines = (int) blockDim.x / across;
  for (Index base = (Index) blockIdx.x * lines; base < rows; base += (Index) gridDim.x * lines) {
    const Index row = base + (int) threadIdx.x / across;
    const bool inside = row < rows;
    const Softmax softmax = softmax_of(logits, row, inside, classes, held, lane, across);
    const float logSum = lamina_log(softmax.sum);
    float share = 0;
    if (inside) {
      for (int j = lane; j < classes; j += across) {
        const float t = target_of(target, row, j, classes, keep, spread);
        // A class without a part in the target stays out even when its probability is 0 and its logarithm infinite.
        share += t == 0 ? 0 : t * (logSum - (logit(logits, row, j, classes) - softmax.largest));
      }
    }
    const float sum = sum_of_row(share, held, lane, across);
    if (lane == 0 && inside) {
      narrow(loss[row], sum);
    }
  }
}

// dz = g·(p·Σt − t)
extern "C" __global__ void lamina_cross_entropy_gradient(const Real* logits, const Target* target,
                                                         const Gradient* dLoss, Real* dLogits, Index rows, int classes,
                                                         int across, float keep, float spread) {
  __shared__ float held[256];
  const int lane = (int) threadIdx.x & (across - 1);
  const int lines = (int) blockDim.x / across;
  for (Index base = (Index) blockIdx.x * lines; base < rows; base += (Index) gridDim.x * lines) {
    const Index row = base + (int) threadIdx.x / across;
    const bool inside = row < rows;
    const Softmax softmax = softmax_of(logits, row, inside, classes, held, lane, across);
    float part = 0;
    if (inside) {
      for (int j = lane; j < classes; j += across) {
        part += target_of(target, row, j, classes, keep, spread);
      }
    }
    const float mass = sum_of_row(part, held, lane, across);
    if (inside) {
      float gradient;
      widen(gradient, dLoss[row]);
      for (int j = lane; j < classes; j += across) {
        const float probability = lamina_exp(logit(logits, row, j, classes) - softmax.largest) / softmax.sum;
        const float t = target_of(target, row, j, classes, keep, spread);
        narrow(dLogits[row * classes + j], gradient * (probability * mass - t));
      }
    }
  }
}
