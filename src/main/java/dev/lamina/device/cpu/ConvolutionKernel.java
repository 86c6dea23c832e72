package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;

/**
 * Direct convolution, forward and for the gradient of its input, which is a convolution of the output's gradient,
 * spread by the stride, with the filter turned around. A few pixels times a panel of output channels make a tile; the
 * input is read as scalars where it lies, only the filter is packed: [group][panel][tap][channel in][channels out],
 * with zeros behind the last channel.
 */
final class ConvolutionKernel implements CpuKernel {
  private final Workers workers;
  private final ProductTile tile;
  private final ProductTile.Left left;
  private final PaddedImage frame;
  private final Shape image;
  private final Shape result;
  private final int groups;
  private final int depth;
  private final int width;
  private final int panels;
  private final int taps;
  private final FilterElement filter;
  private final MapKernel epilogue;

  /** Where, in elements, the filter's value for a tap, a channel in and a channel out of one group lies. */
  @FunctionalInterface
  private interface FilterElement {
    long index(int group, int tap, int in, int out);
  }

  private ConvolutionKernel(
      Workers workers,
      int vectorBits,
      PaddedImage frame,
      Shape image,
      Shape result,
      ConvSpec spec,
      Shape filterShape,
      boolean strided,
      FilterElement filter,
      MapKernel epilogue) {
    this.workers = workers;
    this.epilogue = epilogue;
    this.frame = frame;
    this.image = image;
    this.result = result;
    this.filter = filter;
    groups = spec.groups();
    depth = image.dim(3) / groups;
    width = result.dim(3) / groups;
    tile = ProductTile.of(vectorBits, width);
    panels = Math.ceilDiv(width, tile.columns());
    taps = filterShape.dim(1) * filterShape.dim(2);
    left =
        new ProductTile.Left(
            pixels(frame, result.dim(1), result.dim(2), strided ? spec.stride() : Size.square(1)),
            tapsAndChannels(frame, filterShape, spec.dilation(), depth));
  }

  /** Where the window of each output pixel begins. */
  static long[] pixels(PaddedImage frame, int height, int width, Size stride) {
    long[] offsets = new long[height * width];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        offsets[y * width + x] = (long) y * stride.height() * frame.row() + x * stride.width() * frame.pixel();
      }
    }
    return offsets;
  }

  /** Where in a window the channels, from the first, of each tap of a filter [out,kh,kw,in] lie. */
  static long[] tapsAndChannels(PaddedImage frame, Shape filter, Size dilation, int channels) {
    int taps = filter.dim(1) * filter.dim(2);
    long[] offsets = new long[taps * channels];
    for (int tap = 0; tap < taps; tap++) {
      long window =
          tap / filter.dim(2) * dilation.height() * frame.row()
              + tap % filter.dim(2) * dilation.width() * frame.pixel();
      for (int channel = 0; channel < channels; channel++) {
        offsets[tap * channels + channel] = window + 4L * channel;
      }
    }
    return offsets;
  }

  /**
   * The convolution of {@code image} [n,h,w,c] with a filter of shape {@code filter} [out,kh,kw,in/groups].
   *
   * @param epilogue what is made of the result; null for nothing. See {@link Epilogue}
   */
  static ConvolutionKernel forward(
      ConvSpec spec, Shape image, Shape filter, MapKernel epilogue, int vectorBits, Workers workers) {
    int height = spec.outputHeight(image.dim(1), filter.dim(1));
    int width = spec.outputWidth(image.dim(2), filter.dim(2));
    var padding = spec.padding();
    PaddedImage frame =
        new PaddedImage(
            image.dim(1) + padding.top() + padding.bottom(),
            image.dim(2) + padding.left() + padding.right(),
            image.dim(3),
            padding.top(),
            padding.left(),
            1,
            1);
    Shape result = Shape.of(image.dim(0), height, width, filter.dim(0));
    int perGroup = filter.dim(0) / spec.groups();
    int taps = filter.dim(1) * filter.dim(2);
    int depth = filter.dim(3);
    FilterElement element = (group, tap, in, out) -> (((long) group * perGroup + out) * taps + tap) * depth + in;
    return new ConvolutionKernel(workers, vectorBits, frame, image, result, spec, filter, true, element, epilogue);
  }

  /**
   * The gradient of an input of shape {@code image}, from that of the output; {@code epilogue} as for {@link #forward}.
   */
  static ConvolutionKernel inputGradient(
      ConvSpec spec, Shape image, Shape filter, MapKernel epilogue, int vectorBits, Workers workers) {
    int height = spec.outputHeight(image.dim(1), filter.dim(1));
    int width = spec.outputWidth(image.dim(2), filter.dim(2));
    int reachHeight = (filter.dim(1) - 1) * spec.dilation().height();
    int reachWidth = (filter.dim(2) - 1) * spec.dilation().width();
    PaddedImage frame =
        new PaddedImage(
            image.dim(1) + reachHeight,
            image.dim(2) + reachWidth,
            filter.dim(0),
            reachHeight - spec.padding().top(),
            reachWidth - spec.padding().left(),
            spec.stride().height(),
            spec.stride().width());
    int perGroup = filter.dim(0) / spec.groups();
    int taps = filter.dim(1) * filter.dim(2);
    int channels = filter.dim(3);
    FilterElement turned =
        (group, tap, in, out) -> (((long) group * perGroup + in) * taps + (taps - 1 - tap)) * channels + out;
    return new ConvolutionKernel(
        workers,
        vectorBits,
        frame,
        Shape.of(image.dim(0), height, width, filter.dim(0)),
        image,
        spec,
        filter,
        false,
        turned,
        epilogue);
  }

  private long panelBytes() {
    return 4L * taps * depth * tile.columns();
  }

  private long packedBytes() {
    return Memory.aligned(groups * panels * panelBytes());
  }

  private long slotBytes() {
    return frame.bytes() + tile.scratchBytes();
  }

  @Override
  public long workspaceBytes() {
    return packedBytes() + workers.threads() * slotBytes();
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    long x = inputs[0];
    long weights = inputs[1];
    long y = outputs[0];
    BoundMap rider = Epilogue.bind(epilogue, inputs, y);
    Workers.Task pack = panel -> pack(weights, panel / panels, panel % panels, workspace + panel * panelBytes());
    Workers.SlotTask convolve =
        (n, slot) -> convolve(x, workspace, y, n, workspace + packedBytes() + slot * slotBytes(), rider);
    return () -> {
      workers.run(pack, groups * panels);
      workers.run(convolve, image.dim(0));
    };
  }

  private void pack(long weights, int group, int panel, long target) {
    int columns = tile.columns();
    int first = panel * columns;
    long to = target;
    for (int tap = 0; tap < taps; tap++) {
      for (int in = 0; in < depth; in++) {
        for (int j = 0; j < columns; j++) {
          Memory.set(to, first + j < width ? Memory.get(weights + 4 * filter.index(group, tap, in, first + j)) : 0);
          to += 4;
        }
      }
    }
  }

  private void convolve(long x, long packed, long y, int n, long slot, BoundMap rider) {
    long source = x + n * 4L * image.sliceSize();
    boolean framed =
        frame.height() != image.dim(1)
            || frame.width() != image.dim(2)
            || frame.rowStep() != 1
            || frame.columnStep() != 1
            || frame.top() != 0
            || frame.left() != 0;
    if (framed) {
      frame.fill(source, image.dim(1), image.dim(2), slot);
      source = slot;
    }
    long scratch = slot + frame.bytes();
    int columns = tile.columns();
    long pixel = 4L * result.dim(3);
    for (int group = 0; group < groups; group++) {
      for (int panel = 0; panel < panels; panel++) {
        long b = packed + (group * panels + panel) * panelBytes();
        long channel = 4L * (group * width + panel * columns);
        int valid = Math.min(columns, width - panel * columns);
        long out = y + n * 4L * result.sliceSize() + channel;
        int pixels = left.rows().length;
        for (int first = 0; first < pixels; first += tile.rows()) {
          tile.runSome(
              left,
              source + 4L * group * depth,
              first,
              Math.min(tile.rows(), pixels - first),
              b,
              out + first * pixel,
              pixel,
              valid,
              scratch);
          if (rider != null) {
            rider.rectangle(
                n * result.sliceSize() + (long) first * result.dim(3) + channel / 4,
                Math.min(tile.rows(), pixels - first),
                valid,
                result.dim(3));
          }
        }
      }
    }
  }
}
