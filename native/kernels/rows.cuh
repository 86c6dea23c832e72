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

// blockIdx.x = part · tiles + tile
DEVICE Tile tile_of(int rows, int channels, int across, int tiles) {
  Tile tile;
  const int parts = (int) gridDim.x / tiles;
  const int part = (int) blockIdx.x / tiles;
  tile.line = (int) threadIdx.x / across;
  tile.lines = (int) blockDim.x / across;
  tile.first = (int) ((long long) rows * part / parts);
  tile.last = (int) ((long long) rows * (part + 1) / parts);
  tile.channel = (((int) blockIdx.x % tiles) * across + ((int) threadIdx.x & (across - 1))) * WIDTH;
  return tile;
}
