package dev.lamina.device.cuda;

import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_ENGINECFG_ENGINE;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_ENGINECFG_KNOB_CHOICES;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_ENGINE_GLOBAL_INDEX;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_ENGINE_NUMERICAL_NOTE;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_ENGINE_OPERATION_GRAPH;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE;
import static jcuda.jcudnn.cudnnBackendAttributeName.CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_ENGINE_DESCRIPTOR;
import static jcuda.jcudnn.cudnnBackendDescriptorType.CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR;

import java.util.ArrayList;
import java.util.List;
import jcuda.jcudnn.cudnnBackendAttributeType;

/** An engine of cuDNN for one graph, with the settings of its knobs. */
final class GraphEngine implements AutoCloseable {
  /** More than there are kinds of knobs, and of notes, in any version. */
  private static final int MOST_KNOBS = 64;

  private final List<BackendDescriptor> descriptors = new ArrayList<>();
  private final BackendDescriptor configuration;
  private final BackendDescriptor engine;

  /**
   * The engine of a configuration that heuristics propose; closes that with itself, or if there is none.
   *
   * @throws CudaException if cuDNN does not tell which it is
   */
  GraphEngine(BackendDescriptor proposal) {
    configuration = kept(proposal);
    boolean complete = false;
    try {
      engine = kept(proposal.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1).getFirst());
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  /**
   * An engine that was chosen before.
   *
   * @throws CudaException if it is there no more
   */
  GraphEngine(CudnnBackend backend, BackendDescriptor operations, ConvolutionPlans.Graph remembered) {
    boolean complete = false;
    try {
      engine =
          kept(new BackendDescriptor(backend, CUDNN_BACKEND_ENGINE_DESCRIPTOR))
              .descriptors(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, operations)
              .longs(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, remembered.engine())
              .finish();
      configuration =
          kept(new BackendDescriptor(backend, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR))
              .descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
      BackendDescriptor[] settings =
          remembered.knobs().stream().map(knob -> setting(backend, knob)).toArray(BackendDescriptor[]::new);
      if (settings.length > 0) {
        configuration.descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, settings);
      }
      configuration.finish();
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  private BackendDescriptor setting(CudnnBackend backend, ConvolutionPlans.Knob knob) {
    return kept(new BackendDescriptor(backend, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR))
        .number(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, cudnnBackendAttributeType.CUDNN_TYPE_KNOB_TYPE, knob.type())
        .longs(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, knob.value())
        .finish();
  }

  private BackendDescriptor kept(BackendDescriptor descriptor) {
    descriptors.add(descriptor);
    return descriptor;
  }

  /** What plans are made of. */
  BackendDescriptor configuration() {
    return configuration;
  }

  /** Its number in cuDNN. */
  long index() {
    return engine.number(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  }

  /** How it computes, as numbers of {@code cudnnBackendNumericalNote}. */
  List<Integer> notes() {
    return engine.numbers(
        CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, cudnnBackendAttributeType.CUDNN_TYPE_NUMERICAL_NOTE, MOST_KNOBS);
  }

  /** What finds it again, with the workspace that its plan needs. */
  ConvolutionPlans.Graph choice(long workspaceBytes) {
    List<BackendDescriptor> settings =
        configuration.descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, MOST_KNOBS);
    settings.forEach(this::kept);
    return new ConvolutionPlans.Graph(index(), settings.stream().map(GraphEngine::knob).toList(), workspaceBytes);
  }

  private static ConvolutionPlans.Knob knob(BackendDescriptor setting) {
    return new ConvolutionPlans.Knob(
        setting.numbers(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, cudnnBackendAttributeType.CUDNN_TYPE_KNOB_TYPE, 1).getFirst(),
        setting.number(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
  }

  @Override
  public void close() {
    descriptors.reversed().forEach(BackendDescriptor::close);
  }
}
