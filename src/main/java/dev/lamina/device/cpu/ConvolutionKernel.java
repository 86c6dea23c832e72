package dev.lamina.device.cpu;

import dev.lamina.device.Step;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Size;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Direct convolution, forward and for the gradient of its input, a band of rows at a time. A few pixels times a panel
 * of output channels make a tile; the source is read as scalars where it lies, or in a frame of zeros; only the filter
 * is packed: [group][panel][phase][tap][channel in][channels out], with zeros behind the last channel.
 */
final class ConvolutionKernel implements CpuKernel {
  /** A band of this size stays in the second-level cache beside a panel of the filter. */
  private static final long BAND_BYTES = 128 << 10;

  /** Bands that a batch has at least, if there is work for them: enough for a dozen threads when it is one image. */
  private static final int FEWEST_BANDS = 16;

  /** Pixels of a band at least: below that handing it out and framing it would cost more than it gains. */
  private static final int FEWEST_PIXELS = 32;

  private final Workers workers;
  private final ProductTile tile;
  private final boolean gradient;
  private final boolean depthwise;
  private final Shape source;
  private final Shape result;
  private final Shape filter;
  private final int groups;
  private final int depth;
  private final int width;
  private final int panels;
  private final int bandRows;
  private final int bands;
  private final int rowStep;
  private final Size resultStep;
  private final boolean framed;
  private final PaddedImage frame;
  private final Part[] parts;
  private final MapKernel epilogue;

  /**
   * A phase with its addresses.
   *
   * @param left pixels of a band and taps, in the frame
   * @param packed where in a packed panel its taps begin, in bytes
   * @param taps their positions in the filter
   */
  private record Part(ConvolutionPhase phase, ProductTile.Left left, long packed, int[] taps) {}

  private ConvolutionKernel(
      ConvSpec spec,
      boolean gradient,
      Shape source,
      Shape result,
      Shape filter,
      MapKernel epilogue,
      int vectorBits,
      Workers workers) {
    this.workers = workers;
    this.gradient = gradient;
    this.source = source;
    this.result = result;
    this.filter = filter;
    this.epilogue = epilogue;
    depthwise = isDepthwise(spec, filter);
    groups = depthwise ? 1 : spec.groups();
    depth = depthwise ? 1 : source.dim(3) / groups;
    width = result.dim(3) / groups;
    tile = depthwise ? ProductTile.depthwise(vectorBits) : ProductTile.of(vectorBits, width);
    panels = Math.ceilDiv(width, tile.columns());
    Size step = gradient ? Size.square(1) : spec.stride();
    rowStep = step.height();
    resultStep = gradient ? spec.stride() : Size.square(1);
    List<ConvolutionPhase> phases =
        gradient
            ? ConvolutionPhase.gradient(spec, filter, result)
            : List.of(ConvolutionPhase.forward(spec, filter, result.dim(1), result.dim(2)));
    Reach rows = Reach.of(phases, true, step.height());
    Reach columns = Reach.of(phases, false, step.width());
    // A vector that begins in the last panel of the last pixel reads beyond the image.
    boolean ragged = depthwise && source.dim(3) % tile.columns() != 0;
    framed = ragged || !rows.within(source.dim(1)) || !columns.within(source.dim(2));
    PaddedImage whole =
        framed
            ? new PaddedImage(rows.extent(), columns.extent(), source.dim(3), -rows.first, -columns.first)
            : new PaddedImage(source.dim(1), source.dim(2), source.dim(3), 0, 0);
    int most = phases.stream().mapToInt(ConvolutionPhase::rows).max().orElseThrow();
    bandRows = bandRows(whole, most, rows.span, phases.getFirst().columns());
    bands = Math.ceilDiv(most, bandRows);
    frame = whole.withHeight((bandRows - 1) * rowStep + rows.span + 1);
    List<Part> all = new ArrayList<>();
    long packed = 0;
    for (ConvolutionPhase phase : phases) {
      int[] taps = phase.taps().stream().mapToInt(ConvolutionPhase.Tap::index).toArray();
      all.add(new Part(phase, left(phase, step), packed, taps));
      packed += 4L * taps.length * depth * tile.columns();
    }
    // An array: nothing that runs makes an iterator.
    parts = all.toArray(Part[]::new);
  }

  /** Whether each channel is a group of its own, which a tile computes as many of at once as a vector has lanes. */
  static boolean isDepthwise(ConvSpec spec, Shape filter) {
    return spec.groups() > 1 && spec.groups() == filter.dim(0) && filter.dim(3) == 1;
  }

  /**
   * What is read of one dimension of the source.
   *
   * @param first the smallest coordinate, negative in the padding
   * @param last the largest
   * @param span between the first and the last tap of one pixel
   */
  private record Reach(int first, int last, int span) {
    static Reach of(List<ConvolutionPhase> phases, boolean rows, int step) {
      int first = Integer.MAX_VALUE;
      int last = Integer.MIN_VALUE;
      int most = Integer.MIN_VALUE;
      for (ConvolutionPhase phase : phases) {
        int end = ((rows ? phase.rows() : phase.columns()) - 1) * step;
        for (ConvolutionPhase.Tap tap : phase.taps()) {
          int at = rows ? tap.row() : tap.column();
          first = Math.min(first, at);
          most = Math.max(most, at);
          last = Math.max(last, at + end);
        }
      }
      // Where no window ever began there is nothing to read.
      return most < first ? new Reach(0, 0, 0) : new Reach(first, last, most - first);
    }

    boolean within(int size) {
      return first >= 0 && last < size;
    }

    int extent() {
      return last - first + 1;
    }
  }

  /** Rows of a band, all bands but the last alike. */
  private int bandRows(PaddedImage whole, int rows, int span, int columns) {
    long fitting = Math.max(1, (BAND_BYTES / Math.max(1, whole.row()) - span) / rowStep);
    long sharing = Math.ceilDiv((long) rows * source.dim(0), FEWEST_BANDS);
    long fewest = Math.ceilDiv(FEWEST_PIXELS, columns);
    long some = Math.clamp(Math.max(fewest, Math.min(fitting, sharing)), 1, rows);
    return Math.ceilDiv(rows, Math.ceilDiv(rows, (int) some));
  }

  private ProductTile.Left left(ConvolutionPhase phase, Size step) {
    List<ConvolutionPhase.Tap> taps = phase.taps();
    int[] inner = new int[taps.size() * depth];
    for (int i = 0; i < inner.length; i++) {
      ConvolutionPhase.Tap tap = taps.get(i / depth);
      inner[i] = frame.at(tap.row() + frame.top(), tap.column() + frame.left()) + i % depth;
    }
    return new ProductTile.Left(frame.windows(bandRows, phase.columns(), step), inner);
  }

  /**
   * The convolution of {@code image} [n,h,w,c] with a filter of shape {@code filter} [out,kh,kw,in/groups].
   *
   * @param epilogue what is made of the result; null for nothing. See {@link Epilogue}
   */
  static ConvolutionKernel forward(
      ConvSpec spec, Shape image, Shape filter, MapKernel epilogue, int vectorBits, Workers workers) {
    Shape result =
        Shape.of(
            image.dim(0),
            spec.outputHeight(image.dim(1), filter.dim(1)),
            spec.outputWidth(image.dim(2), filter.dim(2)),
            filter.dim(0));
    return new ConvolutionKernel(spec, false, image, result, filter, epilogue, vectorBits, workers);
  }

  /**
   * The gradient of an input of shape {@code image}, from that of the output; {@code epilogue} as for {@link #forward}.
   */
  static ConvolutionKernel inputGradient(
      ConvSpec spec, Shape image, Shape filter, MapKernel epilogue, int vectorBits, Workers workers) {
    Shape output =
        Shape.of(
            image.dim(0),
            spec.outputHeight(image.dim(1), filter.dim(1)),
            spec.outputWidth(image.dim(2), filter.dim(2)),
            filter.dim(0));
    return new ConvolutionKernel(spec, true, output, image, filter, epilogue, vectorBits, workers);
  }

  private int taps() {
    return filter.dim(1) * filter.dim(2);
  }

  /** All phases together have each tap once. */
  private long panelBytes() {
    return 4L * taps() * depth * tile.columns();
  }

  private long packedBytes() {
    return Memory.aligned(groups * panels * panelBytes());
  }

  private long slotBytes() {
    return (framed ? frame.bytes() : 0) + tile.scratchBytes();
  }

  @Override
  public long workspaceBytes() {
    return packedBytes() + workers.threads() * slotBytes();
  }

  @Override
  public long keptBytes() {
    return PackedFilter.isWorthKeeping(result) ? packedBytes() : 0;
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    return bind(inputs, outputs, workspace, workspace, ALWAYS);
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace, long packed, BooleanSupplier changed) {
    long x = inputs[0];
    long weights = inputs[1];
    long y = outputs[0];
    BoundMap rider = Epilogue.bind(epilogue, inputs, y);
    Workers.Task pack = panel -> pack(weights, panel / panels, panel % panels, packed + panel * panelBytes());
    Workers.SlotTask convolve =
        (band, slot) ->
            convolve(x, packed, y, band / bands, band % bands, workspace + packedBytes() + slot * slotBytes(), rider);
    int bandsOfAll = source.dim(0) * bands;
    return () -> {
      if (changed.getAsBoolean()) {
        workers.run(pack, groups * panels);
      }
      workers.run(convolve, bandsOfAll);
    };
  }

  private void pack(long weights, int group, int panel, long target) {
    int columns = tile.columns();
    int first = group * width + panel * columns;
    int valid = Math.min(columns, width - panel * columns);
    if (!gradient) {
      int inner = taps() * depth;
      Panel.ofColumns(tile, weights + 4L * first * inner, 4L * inner, inner, valid, target);
      return;
    }
    long to = target;
    for (Part part : parts) {
      for (int tap : part.taps) {
        if (depthwise) {
          Panel.ofColumns(tile, weights + 4L * (first * taps() + tap), 4L * taps(), 1, valid, to);
        } else {
          long from = weights + 4L * ((long) group * depth * taps() + tap) * width + 4L * panel * columns;
          Panel.ofRows(tile, from, 4L * taps() * width, depth, valid, to);
        }
        to += 4L * depth * columns;
      }
    }
  }

  private void convolve(long x, long packed, long y, int n, int band, long slot, BoundMap rider) {
    long image = x + n * 4L * source.sliceSize();
    int firstRow = band * bandRows;
    long from = image + firstRow * rowStep * frame.row();
    long scratch = slot;
    if (framed) {
      frame.fill(image, source.dim(1), source.dim(2), firstRow * rowStep, slot);
      from = slot;
      scratch += frame.bytes();
    }
    for (int group = 0; group < groups; group++) {
      for (int panel = 0; panel < panels; panel++) {
        long b = packed + (group * panels + panel) * panelBytes();
        int channel = group * width + panel * tile.columns();
        long a = from + 4L * (depthwise ? channel : group * depth);
        for (Part part : parts) {
          part(part, a, b, y, n, firstRow, channel, scratch, rider);
        }
      }
    }
  }

  /** One phase of a band, for the channels of one panel from {@code channel} on. */
  private void part(Part part, long a, long b, long y, int n, int firstRow, int channel, long scratch, BoundMap rider) {
    ConvolutionPhase phase = part.phase;
    int rows = Math.min(bandRows, phase.rows() - firstRow);
    int columns = phase.columns();
    int channels = result.dim(3);
    // Without gaps the pixels of all rows are one run.
    boolean dense = resultStep.height() == 1 && resultStep.width() == 1;
    int run = dense ? rows * columns : columns;
    for (int row = 0; row < rows; row += dense ? rows : 1) {
      int y0 = phase.firstRow() + (firstRow + row) * resultStep.height();
      long first = ((n * (long) result.dim(1) + y0) * result.dim(2) + phase.firstColumn()) * channels + channel;
      run(part, a, b, y, row * columns, run, first, (long) resultStep.width() * channels, channel, scratch, rider);
    }
  }

  /** Pixels at equal distances in the result. */
  private void run(
      Part part,
      long a,
      long b,
      long y,
      int firstPixel,
      int pixels,
      long first,
      long distance,
      int channel,
      long scratch,
      BoundMap rider) {
    int valid = Math.min(tile.columns(), width - channel % width);
    for (int pixel = 0; pixel < pixels; pixel += tile.rows()) {
      int some = Math.min(tile.rows(), pixels - pixel);
      long element = first + pixel * distance;
      tile.runSome(
          part.left, a, firstPixel + pixel, some, b + part.packed, y + 4 * element, 4 * distance, valid, scratch);
      if (rider != null) {
        rider.rectangle(element, some, valid, distance);
      }
    }
  }
}
