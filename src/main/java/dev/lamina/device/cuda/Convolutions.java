package dev.lamina.device.cuda;

import dev.lamina.device.Step;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.device.cuda.library.PrivateCache;
import dev.lamina.graph.Op;
import dev.lamina.tensor.TensorType;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import jcuda.jcudnn.JCudnn;

/** Prepares convolutions that cuDNN computes. */
final class Convolutions {
  /**
   * Workspace that one may ask for: where an engine wants another layout it holds a copy of image and output. All share
   * one, so it is little beside a network's values where those are large.
   */
  private static final long MOST_BUDGET = 4L << 30;

  /** Of all memory, so that small GPUs keep it for the rest. */
  private static final int SHARE = 16;

  /** The property that leaves one part of cuDNN only, {@code graph} or {@code legacy}: for tests and measurements. */
  private static final String ONLY = "lamina.cuda.convolutions";

  private final Cudnn cudnn;
  private final MathMode math;
  private final boolean deterministic;
  private final long budget;
  private final ConvolutionChoice choice;

  /**
   * Convolutions of {@code cudnn}, whose choice is remembered in {@code cache}.
   *
   * @param library cuDNN's file
   * @param deterministic whether the same inputs must give the same bits each time
   * @param memory bytes that the GPU has for this process, who else uses it or not
   * @param available tells how many bytes may be allocated now
   */
  Convolutions(
      CudaContext context,
      Cudnn cudnn,
      Path library,
      MathMode math,
      boolean deterministic,
      PrivateCache cache,
      long memory,
      LongSupplier available) {
    this.cudnn = cudnn;
    this.math = math;
    this.deterministic = deterministic;
    budget = Math.min(MOST_BUDGET, memory / SHARE);
    String only = System.getProperty(ONLY, "");
    String machine = String.join("/", context.gpu(), Long.toString(JCudnn.cudnnGetVersion()));
    choice =
        new ConvolutionChoice(
            context,
            sources(only, context, cudnn, library),
            new ConvolutionPlans(cache),
            only.isEmpty() ? machine : machine + "/" + only,
            available);
  }

  private static List<ConvolutionSource> sources(String only, CudaContext context, Cudnn cudnn, Path library) {
    ConvolutionSource legacy = new LegacyConvolutions(cudnn);
    ConvolutionSource graph = new GraphConvolutions(cudnn, new CudnnBackend(library, context::libraryFailure));
    return switch (only) {
      case "" -> List.of(graph, legacy);
      case "graph" -> List.of(graph);
      case "legacy" -> List.of(legacy);
      default -> throw new IllegalArgumentException(ONLY + ": expected graph or legacy, got " + only);
    };
  }

  /**
   * A convolution, or one of its gradients.
   *
   * @param parts prepares padding, where cuDNN cannot pad opposite sides differently
   * @throws UnsupportedOnDeviceException if cuDNN has no way to compute it
   */
  CudaKernel prepare(Op op, List<TensorType> in, PaddedConvolution.Preparation parts) {
    ConvolutionShape shape = ConvolutionShape.of(op, in);
    Set<String> refusals = new LinkedHashSet<>();
    Optional<ConvolutionCandidate> candidate;
    try (var _ = Recordings.none()) {
      candidate = choice.of(request(shape), refusals::add);
    }
    if (candidate.isPresent()) {
      cudnn.onClose(candidate.get()::close);
      return new CudnnConvolution(candidate.get());
    }
    if (shape.isSymmetric()) {
      throw new UnsupportedOnDeviceException(
          "cuDNN has no algorithm for " + shape + " within its rules and budget: " + String.join("; ", refusals));
    }
    return PaddedConvolution.of(shape, parts);
  }

  /** What {@link #prepare} is going to need, with {@code parts} that are forecast too; it cannot be bound. */
  CudaKernel forecast(Op op, List<TensorType> in, PaddedConvolution.Preparation parts) {
    ConvolutionShape shape = ConvolutionShape.of(op, in);
    OptionalLong workspace = choice.expectedWorkspace(request(shape));
    if (workspace.isEmpty() && !shape.isSymmetric()) {
      return PaddedConvolution.of(shape, parts);
    }
    return new Forecast(workspace.orElse(0));
  }

  private ConvolutionRequest request(ConvolutionShape shape) {
    return new ConvolutionRequest(shape, math, budget, deterministic);
  }

  /** A kernel of which only the need is known. */
  private record Forecast(long workspaceBytes) implements CudaKernel {
    @Override
    public Step bind(long[] inputs, long[] outputs, long workspace) {
      throw new IllegalStateException("a forecast cannot be run");
    }
  }
}
