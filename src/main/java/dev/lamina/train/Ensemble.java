package dev.lamina.train;

import dev.lamina.data.Batch;
import dev.lamina.data.BatchLoader;
import dev.lamina.data.BatchOrder;
import dev.lamina.data.Dataset;
import dev.lamina.data.HostAllocator;
import dev.lamina.device.RunningGraph;
import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.io.BadInputException;
import dev.lamina.loss.Loss;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * Models that judge together: what they predict is averaged, probabilities for classes, values for a regression
 * (Dietterich 2000, "Ensemble methods in machine learning"). The models stay their owner's.
 */
public final class Ensemble {
  private static final int BATCH = 64;

  /** One in use, one being filled. */
  private static final int SLOTS = 2;

  private final List<TrainedModel> members;

  /**
   * What an ensemble did.
   *
   * @param members each by itself
   * @param together their mean prediction
   */
  public record Result(List<Evaluation> members, Evaluation together) {
    public Result {
      members = List.copyOf(members);
    }
  }

  /**
   * Joins {@code members}.
   *
   * @throws BadInputException if they take other inputs than one another, tell other classes apart, or were trained for
   *     something else
   */
  public Ensemble(List<TrainedModel> members) {
    if (members.isEmpty()) {
      throw new IllegalArgumentException("an ensemble has at least one member");
    }
    TrainedModel first = members.getFirst();
    for (TrainedModel member : members) {
      boolean same =
          member.inputType().equals(first.inputType())
              && member.classNames().equals(first.classNames())
              && task(member) == task(first);
      if (!same) {
        throw new BadInputException(
            "the members of an ensemble do the same: one takes "
                + words(first)
                + ", another "
                + words(member)
                + "; leave one out");
      }
    }
    this.members = List.copyOf(members);
  }

  private static Loss.Task task(TrainedModel member) {
    return member.compiled().spec().loss().task();
  }

  private static String words(TrainedModel member) {
    return member.inputType() + " for " + task(member) + " " + member.classNames();
  }

  /** The mean of what the members predict for each input; see {@link TrainedModel#predict(List)}. */
  public double[][] predict(List<HostTensor> inputs) {
    double[][] mean = new double[inputs.size()][];
    for (TrainedModel member : members) {
      double[][] predictions = member.predict(inputs);
      for (int i = 0; i < mean.length; i++) {
        mean[i] = mean[i] == null ? new double[predictions[i].length] : mean[i];
        for (int j = 0; j < mean[i].length; j++) {
          mean[i][j] += predictions[i][j] / members.size();
        }
      }
    }
    return mean;
  }

  /**
   * The figures of the members and of all together on {@code data}.
   *
   * @throws BadInputException if the data has inputs or classes that the models were not made for
   */
  public Result evaluate(Dataset data) {
    List<Evaluation> each = members.stream().map(member -> member.evaluate(data)).toList();
    List<HostTensor> inputs = new ArrayList<>();
    for (int i = 0; i < data.size(); i++) {
      inputs.add(data.input(i));
    }
    return new Result(each, judge(predict(inputs), data));
  }

  /** Of a probability, which may have become 0 or 1 in a float: finite, so that no loss is 0·∞. */
  private static Expr logarithm(Expr p) {
    return Exprs.log(Exprs.max(p, Exprs.constant(Float.MIN_NORMAL)));
  }

  /** Figures of predictions: the loss of the logits that belong to them. */
  private Evaluation judge(double[][] predictions, Dataset data) {
    CompiledModel model = members.getFirst().compiled();
    Loss loss = model.spec().loss();
    TensorType output = TensorType.f32(BATCH, Math.toIntExact(model.predictionType().shape().sliceSize()));
    Graph graph = new Graph();
    Tensor prediction = graph.input("prediction", output);
    Tensor logits =
        switch (loss.task()) {
          case CLASSES -> prediction.map(Ensemble::logarithm);
          case BINARY -> prediction.map(p -> Exprs.sub(logarithm(p), logarithm(Exprs.sub(1, p))));
          case REGRESSION -> prediction;
        };
    Tensor target = graph.input("target", loss.target(logits.type()));
    Tensor weights = graph.input("weights", TensorType.f32(BATCH));
    Figures.EVALUATION.accumulateWeighted(graph, loss.task(), logits, target, loss.perExample(logits, target), weights);
    try (Arena arena = Arena.ofShared();
        RunningGraph figures = new RunningGraph(model.device(), graph);
        BatchLoader loader =
            new BatchLoader(data, new BatchOrder.Sequential(), BATCH, SLOTS, HostAllocator.in(arena))) {
      HostTensor some = HostTensor.allocate(arena, output);
      int width = output.shape().last();
      for (int first = 0; first < data.size(); first += BATCH) {
        Batch batch = loader.next();
        for (int i = 0; i < BATCH; i++) {
          for (int j = 0; j < width; j++) {
            // Behind the last example: anything that has a logarithm.
            some.set((long) i * width + j, first + i < data.size() ? predictions[first + i][j] : 0.5);
          }
        }
        figures.stage("prediction", some);
        figures.stage("target", batch.targets());
        figures.stage("weights", batch.weights());
        figures.run();
        loader.release(batch);
      }
      return Figures.EVALUATION.take(figures.variables());
    }
  }
}
