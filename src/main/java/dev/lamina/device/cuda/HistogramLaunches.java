package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.tensor.TensorType;
import java.util.List;

/** Histograms: each block counts a share of the elements, then a thread for each bin joins the blocks' counts. */
final class HistogramLaunches {
  /** Elements that a thread should count before another block is worth its table. */
  private static final long SHARE = 16;

  /** Blocks of the counting launch: four for each multiprocessor of a large GPU, but few enough to join quickly. */
  private static final long MOST_PARTS = 512;

  private HistogramLaunches() {}

  static long workspaceBytes(int bins, TensorType x) {
    return 4L * parts(x) * bins;
  }

  private static int parts(TensorType x) {
    return (int) Math.clamp(x.shape().size() / (SHARE * Launch.BLOCK), 1, MOST_PARTS);
  }

  static List<Launch> of(int bins, TensorType x, long[] inputs, long output, long workspace) {
    Sizes sizes = new Sizes(x.shape().size());
    String source = KernelText.files("typedef " + CudaSource.typeName(x.dtype()) + " Element;", "histogram.cu");
    List<String> options = sizes.options(1, List.of("-DBINS=" + bins));
    Argument partial = new Argument.Address(workspace);
    return List.of(
        new Launch(
            source,
            options,
            "lamina_histogram",
            parts(x),
            Launch.BLOCK,
            0,
            List.of(
                new Argument.Address(inputs[0]),
                new Argument.Address(inputs[1]),
                new Argument.Address(inputs[2]),
                partial,
                sizes.index(x.shape().size()))),
        new Launch(
            source,
            options,
            "lamina_histogram_join",
            Launch.blocksFor(bins),
            Launch.BLOCK,
            0,
            List.of(partial, new Argument.Address(output), new Argument.Int32(parts(x)))));
  }
}
