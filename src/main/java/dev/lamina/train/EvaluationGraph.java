package dev.lamina.train;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/** The graphs that judge and use a model: running statistics, no dropout, no new weights. */
final class EvaluationGraph {
  private EvaluationGraph() {}

  /** Adds one batch to the figures of evaluation. */
  static TrainingGraph.Built judging(ModelTrace trace) {
    ModelSpec spec = trace.spec();
    Graph graph = new Graph();
    Tensor output = trace.forward(graph, trace.images(graph, spec.evaluationBatch()), Scope.Mode.EVALUATION);
    Tensor target = graph.input("target", spec.loss().target(output.type()));
    Tensor weights = graph.input("weights", TensorType.f32(spec.evaluationBatch()));
    Tensor perExample = spec.loss().perExample(output, target);
    List<Variable> variables = new ArrayList<>(List.of(ModelTrace.PASSES));
    graph.within(
        "",
        Phase.UPDATE,
        () ->
            variables.addAll(
                Figures.EVALUATION.accumulateWeighted(
                    graph, spec.loss().task(), output, target, perExample, weights.cast(output.dtype()))));
    return new TrainingGraph.Built(graph, variables);
  }

  /** Output {@code prediction}: probabilities [n, classes] or [n, 1], or the values themselves. */
  static Graph predicting(ModelTrace trace) {
    Graph graph = new Graph();
    Tensor output = trace.forward(graph, trace.images(graph, trace.spec().evaluationBatch()), Scope.Mode.EVALUATION);
    graph.output(
        "prediction",
        switch (trace.spec().loss().task()) {
          case CLASSES -> output.softmax();
          case BINARY -> output.map(Exprs::sigmoid);
          case REGRESSION -> output;
        });
    return graph;
  }

  /** For each layer, in order, how many values of its output are not finite: outputs named by the layers' paths. */
  static Graph probing(ModelTrace trace) {
    ModelSpec spec = trace.spec();
    Graph graph = new Graph();
    Tensor images = trace.images(graph, spec.batch());
    trace.forward(graph, images, Scope.Mode.TRAINING);
    List<LayerTrace> layers = LayerTrace.of(graph);
    for (LayerTrace layer : layers) {
      Tensor sick = layer.output().map(x -> Exprs.sub(1, Exprs.isFinite(x)));
      graph.output(layer.path(), sick.sum().reshape(Shape.scalar()));
    }
    return graph;
  }
}
