package dev.lamina.device.cuda;

import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_ENGINEHEUR_MODE;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_ENGINEHEUR_RESULTS;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR;

import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.tensor.DType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import jcuda.jcudnn.cudnnBackendAttributeType;
import jcuda.jcudnn.cudnnBackendNumericalNote;

/**
 * What cuDNN's graph API has for a convolution: engines that its heuristics propose, with their settings. What it
 * refuses is no way to compute it, and no more than that.
 */
final class GraphConvolutions implements ConvolutionSource {
  /** CUDNN_HEUR_MODE_A of 8.9 and 9, which JCudnn is too old to know: by a model of the GPU. */
  static final int BY_MODEL = 3;

  /** CUDNN_HEUR_MODE_FALLBACK: whatever runs, for when the model knows nothing. */
  static final int FALLBACK = 2;

  /** Proposals that are looked at: more than cuDNN makes, which are some forty. */
  private static final int MOST_PROPOSALS = 128;

  /** Plans that are tried. Making one takes some milliseconds, running it some more. */
  private static final int MOST_PLANS = 12;

  private final Cudnn cudnn;
  private final CudnnBackend backend;

  GraphConvolutions(Cudnn cudnn, CudnnBackend backend) {
    this.cudnn = cudnn;
    this.backend = backend;
  }

  @Override
  public List<ConvolutionCandidate> candidates(ConvolutionRequest request, Consumer<String> refusals) {
    List<ConvolutionCandidate> plans = new ArrayList<>();
    try (var graph = new ConvolutionGraph(backend, request.shape());
        var operations = graph.with(cudnn.address())) {
      // Where the same bits must come out each time, it is the first that runs.
      int most = request.deterministic() ? 1 : MOST_PLANS;
      plan(proposed(operations, BY_MODEL, request, refusals), most, request, refusals, plans);
      if (plans.isEmpty()) {
        plan(proposed(operations, FALLBACK, request, refusals), most, request, refusals, plans);
      }
    } catch (CudaException e) {
      refusals.accept(e.refusal());
    }
    if (plans.isEmpty()) {
      refusals.accept("the graph API has no engine");
    }
    return plans;
  }

  /** Engines that may compute it: of each its best setting first, for the others differ little, then the others. */
  private Deque<GraphEngine> proposed(
      BackendDescriptor operations, int mode, ConvolutionRequest request, Consumer<String> refusals) {
    Deque<GraphEngine> first = new ArrayDeque<>();
    Deque<GraphEngine> others = new ArrayDeque<>();
    Set<Long> seen = new HashSet<>();
    try (var heuristics = new BackendDescriptor(backend, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)) {
      heuristics
          .descriptors(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, operations)
          .number(CUDNN_ATTR_ENGINEHEUR_MODE, cudnnBackendAttributeType.CUDNN_TYPE_HEUR_MODE, mode)
          .finish();
      for (BackendDescriptor proposal :
          heuristics.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, MOST_PROPOSALS)) {
        permitted(proposal, request, refusals)
            .ifPresent(engine -> (seen.add(engine.index()) ? first : others).add(engine));
      }
    } catch (CudaException e) {
      refusals.accept(e.refusal());
    }
    first.addAll(others);
    return first;
  }

  /** Takes the proposal over. One that cuDNN cannot even tell of leaves the others as they are. */
  private static Optional<GraphEngine> permitted(
      BackendDescriptor proposal, ConvolutionRequest request, Consumer<String> refusals) {
    try {
      var engine = new GraphEngine(proposal);
      boolean permitted = false;
      try {
        permitted = permits(request, engine.notes());
      } finally {
        if (!permitted) {
          engine.close();
        }
      }
      return permitted ? Optional.of(engine) : Optional.empty();
    } catch (CudaException e) {
      refusals.accept(e.refusal());
      return Optional.empty();
    }
  }

  /** Adds plans of {@code engines}, which are closed or taken over, until there are {@code most}. */
  private void plan(
      Deque<GraphEngine> engines,
      int most,
      ConvolutionRequest request,
      Consumer<String> refusals,
      List<ConvolutionCandidate> plans) {
    try {
      while (!engines.isEmpty() && plans.size() < most) {
        plan(engines.remove(), request, refusals).ifPresent(plans::add);
      }
    } finally {
      engines.forEach(GraphEngine::close);
    }
  }

  @Override
  public Optional<ConvolutionCandidate> remembered(ConvolutionRequest request, ConvolutionPlans.Choice choice) {
    if (!(choice instanceof ConvolutionPlans.Graph remembered)) {
      return Optional.empty();
    }
    try (var graph = new ConvolutionGraph(backend, request.shape());
        var operations = graph.with(cudnn.address())) {
      return plan(new GraphEngine(backend, operations, remembered), request, _ -> {});
    } catch (CudaException e) {
      e.refusal();
      return Optional.empty();
    }
  }

  /** A plan takes the engine over, or closes it. */
  private Optional<ConvolutionCandidate> plan(
      GraphEngine engine, ConvolutionRequest request, Consumer<String> refusals) {
    GraphPlan plan;
    try {
      plan = new GraphPlan(backend, cudnn, engine, "cuDNN's graph of " + request.shape());
    } catch (CudaException e) {
      engine.close();
      refusals.accept(e.refusal());
      return Optional.empty();
    } catch (OutOfDeviceMemoryException e) {
      // Another may need less.
      engine.close();
      refusals.accept(e.getMessage());
      return Optional.empty();
    }
    if (plan.choice().workspaceBytes() > request.budget()) {
      plan.close();
      return Optional.empty();
    }
    return Optional.of(plan);
  }

  /**
   * Whether an engine computes what was asked for. Sums are kept in float throughout, and factors are never rounded to
   * 16 bits behind our back; for floats, tensor cores mean TF32.
   */
  static boolean permits(ConvolutionRequest request, List<Integer> notes) {
    boolean exact = request.shape().dtype() == DType.F32 && request.math() == MathMode.FP32;
    return !notes.contains(cudnnBackendNumericalNote.CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)
        && !notes.contains(cudnnBackendNumericalNote.CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)
        && !(exact && notes.contains(cudnnBackendNumericalNote.CUDNN_NUMERICAL_NOTE_TENSOR_CORE))
        && !(request.deterministic()
            && notes.contains(cudnnBackendNumericalNote.CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC));
  }
}
