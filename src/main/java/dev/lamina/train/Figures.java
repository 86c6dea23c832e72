package dev.lamina.train;

import dev.lamina.device.VariableStore;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import dev.lamina.loss.Loss.Task;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * Sums of loss and hits that a device keeps until somebody looks: variables in double, one set for training and one for
 * evaluation.
 *
 * @param prefix begins the names of the variables
 */
record Figures(String prefix) {
  static final Figures TRAINING = new Figures("training");
  static final Figures EVALUATION = new Figures("evaluation");

  /** A class counts as found in the top 5 when fewer than this many others have a larger score. */
  private static final int TOP = 5;

  private Variable sum(String name) {
    return new Variable(prefix + "." + name, TensorType.of(DType.F64), Variable.Kind.METRIC);
  }

  private Variable confusion(int classes) {
    return new Variable(prefix + ".confusion", TensorType.of(DType.F32, classes, classes), Variable.Kind.METRIC);
  }

  /** Adds a batch in which every example counts: loss, examples and hits. */
  List<Variable> accumulate(Graph graph, Task task, Tensor output, Tensor target, Tensor perExample) {
    List<Variable> variables = new ArrayList<>();
    add(graph, variables, "loss", perExample.reduce(Op.ReduceKind.SUM, Exprs.input(0), DType.F64, new int[0]));
    add(graph, variables, "examples", graph.constant(TensorType.of(DType.F64), perExample.shape().dim(0)));
    Tensor hits = hits(task, output, target);
    if (hits != null) {
      add(graph, variables, "hits", hits.reduce(Op.ReduceKind.SUM, Exprs.input(0), DType.F64, new int[0]));
    }
    return variables;
  }

  /**
   * Adds a batch in which each example counts by its weight, 0 for padding; for classes also the top 5 and the
   * confusion matrix.
   */
  List<Variable> accumulateWeighted(
      Graph graph, Task task, Tensor output, Tensor target, Tensor perExample, Tensor weights) {
    List<Variable> variables = new ArrayList<>();
    // A padded example may have any loss, NaN too: it is left out, not multiplied by 0.
    add(graph, variables, "loss", weighted(perExample, weights));
    add(graph, variables, "examples", weights.reduce(Op.ReduceKind.SUM, Exprs.input(0), DType.F64, new int[0]));
    Tensor hits = hits(task, output, target);
    if (hits != null) {
      add(graph, variables, "hits", weighted(hits, weights));
    }
    if (task == Task.CLASSES && target.dtype() == DType.I32) {
      add(graph, variables, "top5", weighted(inTop(output, target), weights));
      int classes = output.shape().last();
      Variable confusion = confusion(classes);
      Tensor truth = oneHot(target, classes, output.dtype()).times(weights.reshape(weights.shape().dim(0), 1));
      Tensor said = oneHot(output.argMax(), classes, output.dtype());
      graph.assign(confusion, graph.read(confusion).plus(truth.matmul(said, true, false).cast(DType.F32)));
      variables.add(confusion);
    }
    return variables;
  }

  private static Tensor weighted(Tensor value, Tensor weights) {
    Expr counted = Exprs.ifPositive(Exprs.input(1), Exprs.mul(Exprs.input(0), Exprs.input(1)), Exprs.constant(0));
    return value.reduce(Op.ReduceKind.SUM, counted, DType.F64, new int[0], weights);
  }

  private void add(Graph graph, List<Variable> variables, String name, Tensor value) {
    Variable sum = sum(name);
    graph.assign(sum, graph.read(sum).plus(value));
    variables.add(sum);
  }

  /** 1 for each example that is judged right; null where nothing is right or wrong. */
  private static Tensor hits(Task task, Tensor output, Tensor target) {
    Expr equal = Exprs.select(Relation.EQ, Exprs.input(0), Exprs.input(1), Exprs.constant(1), Exprs.constant(0));
    return switch (task) {
      case CLASSES -> {
        Tensor truth = target.dtype() == DType.I32 ? target : target.argMax();
        yield output.argMax().map(equal, output.dtype(), truth);
      }
      case BINARY -> {
        if (output.shape().sliceSize() != 1) {
          throw new IllegalArgumentException(
              "a binary loss takes one logit of each example, the model gives " + output.type() + "; end in one unit");
        }
        Expr yes = Exprs.ifPositive(Exprs.input(0), Exprs.constant(1), Exprs.constant(0));
        Expr truth =
            Exprs.select(Relation.GT, Exprs.input(1), Exprs.constant(0.5), Exprs.constant(1), Exprs.constant(0));
        Expr right = Exprs.select(Relation.EQ, yes, truth, Exprs.constant(1), Exprs.constant(0));
        yield output.map(right, output.dtype(), target.reshape(output.shape())).reshape(output.shape().dim(0));
      }
      case REGRESSION -> null;
    };
  }

  private static Tensor oneHot(Tensor labels, int classes, DType dtype) {
    Graph graph = labels.graph();
    int n = labels.shape().dim(0);
    Expr one = Exprs.select(Relation.EQ, new Expr.Index(1), Exprs.input(0), Exprs.constant(1), Exprs.constant(0));
    Op map = new Op.Map(one, dtype, dev.lamina.tensor.Shape.of(n, classes));
    return graph.add(map, List.of(labels.reshape(n, 1))).getFirst();
  }

  private static Tensor inTop(Tensor output, Tensor target) {
    int n = output.shape().dim(0);
    Tensor labels = target.reshape(n, 1);
    Expr own = Exprs.select(Relation.EQ, new Expr.Index(1), Exprs.input(1), Exprs.input(0), Exprs.constant(0));
    Tensor score = output.reduce(Op.ReduceKind.SUM, own, output.dtype(), new int[] {1}, labels).reshape(n, 1);
    Expr larger = Exprs.select(Relation.GT, Exprs.input(0), Exprs.input(1), Exprs.constant(1), Exprs.constant(0));
    Tensor rank = output.reduce(Op.ReduceKind.SUM, larger, output.dtype(), new int[] {1}, score);
    return rank.map(r -> Exprs.select(Relation.LT, r, Exprs.constant(TOP), Exprs.constant(1), Exprs.constant(0)));
  }

  /** What the sums say; they begin anew. */
  Evaluation take(VariableStore store) {
    double examples = takeSum(store, sum("examples"));
    double loss = takeSum(store, sum("loss")) / examples;
    double accuracy = takeSum(store, sum("hits")) / examples;
    double top5 = takeSum(store, sum("top5")) / examples;
    return new Evaluation(Math.round(examples), loss, accuracy, top5, takeConfusion(store));
  }

  /** The value of a sum, which is 0 from now on; NaN if this model has no such sum. */
  private static double takeSum(VariableStore store, Variable sum) {
    if (!store.layout().variables().contains(sum)) {
      return Double.NaN;
    }
    try (Arena arena = Arena.ofConfined()) {
      HostTensor value = store.read(sum, arena);
      double result = value.get(0);
      store.write(sum, value.fill(0));
      return result;
    }
  }

  private long[][] takeConfusion(VariableStore store) {
    Variable confusion =
        store.layout().variables().stream()
            .filter(v -> v.name().equals(prefix + ".confusion"))
            .findFirst()
            .orElse(null);
    if (confusion == null) {
      return new long[0][0];
    }
    int classes = confusion.type().shape().dim(0);
    try (Arena arena = Arena.ofConfined()) {
      HostTensor value = store.read(confusion, arena);
      long[][] counts = new long[classes][classes];
      for (int truth = 0; truth < classes; truth++) {
        for (int said = 0; said < classes; said++) {
          counts[truth][said] = Math.round(value.get((long) truth * classes + said));
        }
      }
      store.write(confusion, value.fill(0));
      return counts;
    }
  }
}
