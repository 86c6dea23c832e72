// Kernels that move elements and do not look at them. UNIT bytes move at once: an element, or as many of its neighbours
// as lengths and addresses allow.

#if UNIT == 1
typedef unsigned char Unit;
#elif UNIT == 2
typedef unsigned short Unit;
#elif UNIT == 4
typedef unsigned Unit;
#elif UNIT == 8
typedef unsigned long long Unit;
#else
struct alignas(16) Unit {
  unsigned long long half[2];
};
#endif

// `runs` rows of `length` units, one row `fromStride` behind the other, to rows `toStride` apart.
extern "C" __global__ void lamina_copy_runs(const Unit* from, Unit* to, Index runs, Index length, Index fromStride,
                                            Index toStride) {
  const Index size = runs * length;
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Index run = i / length;
    const Index at = i - run * length;
    to[run * toStride + at] = from[run * fromStride + at];
  }
}

// `bytes` bytes in whole units, then what is left of them.
DEVICE void copy_bytes(const Unit* from, Unit* to, long long bytes) {
  const long long threads = (long long) gridDim.x * blockDim.x;
  const long long thread = (long long) blockIdx.x * blockDim.x + threadIdx.x;
  for (long long i = thread; i < bytes / UNIT; i += threads) {
    to[i] = from[i];
  }
  const long long rest = bytes % UNIT;
  if (thread < rest) {
    const long long at = bytes - rest + thread;
    ((unsigned char*) to)[at] = ((const unsigned char*) from)[at];
  }
}

// Four tensors; of those that are not needed no bytes.
extern "C" __global__ void lamina_copy_several(const Unit* from0, Unit* to0, long long bytes0, const Unit* from1,
                                               Unit* to1, long long bytes1, const Unit* from2, Unit* to2,
                                               long long bytes2, const Unit* from3, Unit* to3, long long bytes3) {
  copy_bytes(from0, to0, bytes0);
  copy_bytes(from1, to1, bytes1);
  copy_bytes(from2, to2, bytes2);
  copy_bytes(from3, to3, bytes3);
}

extern "C" __global__ void lamina_clear_runs(Unit* to, Index runs, Index length, Index toStride) {
  const Index size = runs * length;
  const Unit zeros = Unit();
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    const Index run = i / length;
    to[run * toStride + i - run * length] = zeros;
  }
}

// Up to five dimensions of the output, outermost first, and what a step along each is in the input; behind them runs of
// `length` units that stay together.
extern "C" __global__ void lamina_permute_runs(const Unit* from, Unit* to, Index size, Index length, int dim1, int dim2,
                                               int dim3, int dim4, Index stride0, Index stride1, Index stride2,
                                               Index stride3, Index stride4) {
  for (Index i = (Index) blockIdx.x * blockDim.x + threadIdx.x; i < size; i += (Index) gridDim.x * blockDim.x) {
    Index rest = i / length;
    Index at = i - rest * length;
    Index outer = rest / dim4;
    at += (rest - outer * dim4) * stride4;
    rest = outer / dim3;
    at += (outer - rest * dim3) * stride3;
    outer = rest / dim2;
    at += (rest - outer * dim2) * stride2;
    rest = outer / dim1;
    at += (outer - rest * dim1) * stride1;
    to[i] = from[at + rest * stride0];
  }
}

// Matrices [rows][columns] whose columns are neighbours in the input become [columns][rows] whose rows are neighbours in
// the output: squares of 32 pass through shared memory, so that both sides are read and written in lines. Up to four
// dimensions lie around the matrices. Blocks have 256 threads; a row of a square has one element more, or a column would
// lie in one bank.
extern "C" __global__ void lamina_transpose(const Unit* from, Unit* to, int rows, int columns, Index fromRow,
                                            Index toRow, int matrices, int dim1, int dim2, int dim3, Index from0,
                                            Index from1, Index from2, Index from3, Index to0, Index to1, Index to2,
                                            Index to3) {
  __shared__ Unit square[32][33];
  const int x = (int) threadIdx.x & 31;
  const int y = (int) threadIdx.x / 32;
  const int across = (columns + 31) / 32;
  const int down = (rows + 31) / 32;
  const Index squares = (Index) across * down * matrices;
  for (Index i = (Index) blockIdx.x; i < squares; i += (Index) gridDim.x) {
    Index rest = i / across;
    const int left = (int) (i - rest * across) * 32;
    Index outer = rest / down;
    const int top = (int) (rest - outer * down) * 32;
    rest = outer / dim3;
    const Index c3 = outer - rest * dim3;
    outer = rest / dim2;
    const Index c2 = rest - outer * dim2;
    const Index c0 = outer / dim1;
    const Index c1 = outer - c0 * dim1;
    const Unit* source = from + c0 * from0 + c1 * from1 + c2 * from2 + c3 * from3;
    Unit* target = to + c0 * to0 + c1 * to1 + c2 * to2 + c3 * to3;
    for (int k = y; k < 32; k += 8) {
      if (top + k < rows && left + x < columns) {
        square[k][x] = source[(Index) (top + k) * fromRow + left + x];
      }
    }
    __syncthreads();
    for (int k = y; k < 32; k += 8) {
      if (left + k < columns && top + x < rows) {
        target[(Index) (left + k) * toRow + top + x] = square[x][k];
      }
    }
    __syncthreads();
  }
}
