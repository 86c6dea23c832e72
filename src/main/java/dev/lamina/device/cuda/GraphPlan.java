package dev.lamina.device.cuda;

import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_EXECUTION_PLAN_HANDLE;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_VARIANT_PACK_WORKSPACE;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR;

import dev.lamina.device.Step;
import java.util.ArrayList;
import java.util.List;

/** A convolution by an engine of cuDNN's graph API. */
final class GraphPlan implements ConvolutionCandidate {
  private final CudnnBackend backend;
  private final GraphEngine engine;
  private final BackendDescriptor plan;
  private final ConvolutionPlans.Graph choice;
  private final List<BackendDescriptor> packs = new ArrayList<>();
  private final long handle;
  private final String call;

  /**
   * Plans with {@code engine}, which it closes with itself once it is made.
   *
   * @param call how messages name it
   * @throws CudaException if the engine cannot run it after all
   */
  GraphPlan(CudnnBackend backend, Cudnn cudnn, GraphEngine engine, String call) {
    this.backend = backend;
    this.engine = engine;
    this.call = call;
    handle = cudnn.address();
    plan = new BackendDescriptor(backend, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    boolean complete = false;
    try {
      plan.handle(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle)
          .descriptors(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engine.configuration())
          .finish();
      choice = engine.choice(plan.number(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
      complete = true;
    } finally {
      if (!complete) {
        plan.close();
      }
    }
  }

  @Override
  public ConvolutionPlans.Choice choice() {
    return choice;
  }

  @Override
  public Step bind(Operands operands) {
    var pack = new BackendDescriptor(backend, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    packs.add(pack);
    pack.longs(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ConvolutionGraph.IDENTITIES)
        .pointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, operands.first(), operands.second(), operands.result())
        .pointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, operands.workspace())
        .finish();
    long address = pack.address();
    long executed = plan.address();
    return () -> backend.execute(handle, executed, address, call);
  }

  @Override
  public void close() {
    packs.forEach(BackendDescriptor::close);
    plan.close();
    engine.close();
  }
}
