package dev.lamina.train;

import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Node.Phase;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/** The graphs that judge and use a model: running statistics, no dropout, no new weights. */
final class EvaluationGraph {
  private EvaluationGraph() {}

  /** Adds one batch to the figures of evaluation. */
  static TrainingGraph.Built judging(ModelTrace trace) {
    ModelSpec spec = trace.spec();
    ModelTrace.Pass pass = trace.evaluation();
    Graph graph = pass.graph();
    Tensor output = pass.output();
    Tensor perExample = pass.perExample();
    Tensor weights = graph.input("weights", TensorType.f32(spec.evaluationBatch()));
    List<Variable> variables = new ArrayList<>(List.of(ModelTrace.PASSES));
    graph.within(
        "",
        Phase.UPDATE,
        () ->
            variables.addAll(
                Figures.EVALUATION.accumulateWeighted(
                    graph, spec.loss().task(), output, pass.target(), perExample, weights.cast(output.dtype()))));
    return new TrainingGraph.Built(graph, variables);
  }

  /** Output {@code prediction}: probabilities [n, classes] or [n, 1], or the values themselves. */
  static Graph predicting(ModelTrace trace) {
    ModelTrace.Pass pass = trace.evaluation();
    Tensor output = pass.output();
    pass.graph()
        .output(
            "prediction",
            switch (trace.spec().loss().task()) {
              case CLASSES -> output.softmax();
              case BINARY -> output.map(Exprs::sigmoid);
              case REGRESSION -> output;
            });
    return pass.graph();
  }
}
