package dev.lamina.device.cuda;

import dev.lamina.device.Step;
import dev.lamina.graph.ConvSpec;
import dev.lamina.graph.Op;
import dev.lamina.graph.Padding;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/**
 * A convolution whose padding differs between opposite sides, which cuDNN does not know: the image is padded first, or
 * its gradient cut afterwards, in the workspace.
 *
 * <p>The workspace holds the image padded along rows, the image padded both ways, and what the convolution needs.
 */
final class PaddedConvolution implements CudaKernel {
  private final CudaKernel rows;
  private final CudaKernel columns;
  private final CudaKernel convolution;
  private final boolean cuts;
  private final long halfBytes;
  private final long wholeBytes;

  /** Prepares the parts. */
  interface Preparation {
    CudaKernel prepare(Op op, List<TensorType> inputs);
  }

  private PaddedConvolution(
      CudaKernel rows, CudaKernel columns, CudaKernel convolution, boolean cuts, long halfBytes, long wholeBytes) {
    this.rows = rows;
    this.columns = columns;
    this.convolution = convolution;
    this.cuts = cuts;
    this.halfBytes = halfBytes;
    this.wholeBytes = wholeBytes;
  }

  /** The convolution of {@code shape}, of parts that {@code parts} prepares. */
  static PaddedConvolution of(ConvolutionShape shape, Preparation parts) {
    ConvSpec spec = shape.spec();
    Padding padding = spec.padding();
    Shape image = shape.image();
    Shape half = image.with(1, image.dim(1) + padding.top() + padding.bottom());
    Shape whole = half.with(2, image.dim(2) + padding.left() + padding.right());
    ConvSpec bare = new ConvSpec(spec.stride(), Padding.NONE, spec.dilation(), spec.groups());
    TensorType inner = new TensorType(image, shape.dtype());
    TensorType halfType = new TensorType(half, shape.dtype());
    TensorType outer = new TensorType(whole, shape.dtype());
    TensorType filter = new TensorType(shape.filter(), shape.dtype());
    TensorType output = new TensorType(shape.output(), shape.dtype());
    boolean cuts = shape.direction() == ConvolutionShape.Direction.INPUT_GRADIENT;
    CudaKernel convolution =
        switch (shape.direction()) {
          case FORWARD -> parts.prepare(new Op.Conv2d(bare), List.of(outer, filter));
          case INPUT_GRADIENT -> parts.prepare(new Op.Conv2dInputGradient(bare, whole), List.of(output, filter));
          case FILTER_GRADIENT ->
              parts.prepare(new Op.Conv2dFilterGradient(bare, shape.filter()), List.of(outer, output));
        };
    return new PaddedConvolution(
        cuts
            ? parts.prepare(new Op.Slice(1, padding.top(), padding.top() + image.dim(1)), List.of(halfType))
            : parts.prepare(new Op.Pad(1, padding.top(), padding.bottom()), List.of(inner)),
        cuts
            ? parts.prepare(new Op.Slice(2, padding.left(), padding.left() + image.dim(2)), List.of(outer))
            : parts.prepare(new Op.Pad(2, padding.left(), padding.right()), List.of(halfType)),
        convolution,
        cuts,
        aligned(halfType.bytes()),
        aligned(outer.bytes()));
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, 256L) * 256;
  }

  @Override
  public long workspaceBytes() {
    long parts = Math.max(convolution.workspaceBytes(), Math.max(rows.workspaceBytes(), columns.workspaceBytes()));
    return halfBytes + wholeBytes + parts;
  }

  @Override
  public Step bind(long[] inputs, long[] outputs, long workspace) {
    long half = workspace;
    long whole = half + halfBytes;
    long rest = whole + wholeBytes;
    List<Step> steps = new ArrayList<>();
    if (cuts) {
      steps.add(convolution.bind(inputs, new long[] {whole}, rest));
      steps.add(columns.bind(new long[] {whole}, new long[] {half}, rest));
      steps.add(rows.bind(new long[] {half}, outputs, rest));
    } else {
      steps.add(rows.bind(new long[] {inputs[0]}, new long[] {half}, rest));
      steps.add(columns.bind(new long[] {half}, new long[] {whole}, rest));
      steps.add(convolution.bind(new long[] {whole, inputs[1]}, outputs, rest));
    }
    return () -> steps.forEach(Step::run);
  }
}
