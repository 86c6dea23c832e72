// How threads are laid over a matrix [rows][channels]: a block takes a tile of channels. `across` neighbouring threads (a
// power of two) take WIDTH channels each, the others other rows, so that what belongs to a channel stays in registers
// and no thread divides. Rows are cut into parts, one for each block of a tile.

struct Tile {
  int line;   // which row of those that are taken together
  int lines;  // rows taken together
  int first;  // first row of this part
  int last;   // behind the last
  int channel;
};

// The first row of a part, and the last one's end: the first parts have one row more than the others where rows do not divide.
DEVICE int begin_of(int part, int rows, int parts) {
  const int size = rows / parts;
  const int longer = rows - size * parts;
  return part * size + (part < longer ? part : longer);
}

// blockIdx.x = part · tiles + tile
DEVICE Tile tile_of(int rows, int channels, int across, int tiles) {
  Tile tile;
  const int parts = (int) gridDim.x / tiles;
  const int part = (int) blockIdx.x / tiles;
  tile.line = (int) threadIdx.x / across;
  tile.lines = (int) blockDim.x / across;
  tile.first = begin_of(part, rows, parts);
  tile.last = begin_of(part + 1, rows, parts);
  tile.channel = (((int) blockIdx.x % tiles) * across + ((int) threadIdx.x & (across - 1))) * WIDTH;
  return tile;
}

// Adds up what the block's threads wrote to sums[lane * 256 + thread], those of one column each: the first of them finds
// the sum in its own place, everybody in that of the thread that is as far from the first as he is from the first of his
// line. The order is fixed.
template <int LANES>
DEVICE void add_lines(float* sums, const Tile& tile, int across) {
  __syncthreads();
  for (int half = tile.lines / 2; half > 0; half /= 2) {
    if (tile.line < half) {
      const int other = (int) threadIdx.x + half * across;
#pragma unroll
      for (int lane = 0; lane < LANES; lane++) {
        sums[lane * 256 + threadIdx.x] += sums[lane * 256 + other];
      }
    }
    __syncthreads();
  }
}
