package dev.lamina.train.recipe;

import dev.lamina.data.BatchSize;
import dev.lamina.data.Dataset;
import dev.lamina.data.Preprocessing;
import dev.lamina.loss.Loss;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.models.Architectures;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Optimizer;
import dev.lamina.optim.Regularisation;
import dev.lamina.optim.WeightAveraging;
import dev.lamina.optim.schedule.Schedule;
import dev.lamina.tensor.Shape;
import dev.lamina.train.EarlyStopping;
import dev.lamina.train.Precision;
import dev.lamina.train.TrainingOptions;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;

/**
 * All that decides a training: the same recipe on the same device gives the same weights.
 *
 * @param data {@code mnist}, or a folder
 * @param model a known architecture, or layers
 * @param init replaces the initial values of all dense and convolution layers, or null
 * @param loss what is made small
 * @param optimizer how weights follow gradients
 * @param lr the learning rate, which the schedule varies: its highest; null takes the usual one of the optimizer
 * @param schedule how the rate changes
 * @param clip bounds gradients, or null
 * @param regularisation holds weights down beside the optimizer's own decay, or null
 * @param ema decay of an exponential moving average of the weights, which is judged and saved instead of them, or null
 * @param swa the same with the mean of the last epochs' weights, or null
 * @param epochs passes over the data
 * @param batch examples of one pass
 * @param accumulate passes of one update
 * @param seed of initial weights, data order, dropout and the validation split
 * @param threads of the CPU device; 0 for all
 * @param device {@code auto} or a name
 * @param validation share of the training data that is held out
 * @param earlyStopping when to give up, or null
 * @param preprocessing what is done to inputs before the first layer; null for what is usual for them
 * @param precision of parameters and activations
 * @param deterministic whether the same GPU with the same libraries gives the same bits each time
 * @param statisticsEvery so many updates the model is looked into; 0 for never
 * @param keepEvery after so many epochs each a model stays, for an ensemble; 0 for none
 * @param from a run, or its model.safetensors, whose weights training begins with; null for initial ones
 * @param out folder of the run, or null for a new one in {@code runs}
 */
public record Recipe(
    String data,
    Model model,
    Init init,
    Loss loss,
    Optimizer optimizer,
    Double lr,
    Schedule schedule,
    GradientClip clip,
    Regularisation regularisation,
    Double ema,
    WeightAveraging.Swa swa,
    int epochs,
    BatchSize batch,
    int accumulate,
    long seed,
    int threads,
    String device,
    double validation,
    EarlyStopping earlyStopping,
    Preprocessing preprocessing,
    Precision precision,
    boolean deterministic,
    int statisticsEvery,
    int keepEvery,
    String from,
    String out) {

  /** What is trained. */
  public sealed interface Model {
    /** The word for folders and messages. */
    String name();

    /** A known architecture. */
    record Named(String name) implements Model {}

    /** Layers, one after the other. */
    record Layers(List<Layer> layers) implements Model {
      public Layers {
        layers = List.copyOf(layers);
      }

      @Override
      public String name() {
        return "custom";
      }
    }
  }

  /**
   * The layers for examples of shape {@code example} in {@code classes} classes; 1 output for data without, and for a
   * binary loss.
   */
  public Layer layers(int classes, Shape example) {
    int outputs = loss.task() == Loss.Task.CLASSES ? Math.max(1, classes) : 1;
    Layer layers =
        switch (model) {
          case Model.Named(String name) -> Architectures.create(name, outputs, example);
          case Model.Layers(List<Layer> list) -> new Sequential(list);
        };
    return init == null ? layers : init.of(layers);
  }

  /**
   * {@code data} with the targets that the loss takes: two classes become 0 and 1 for a binary one.
   *
   * @param arena holds targets where they are other ones
   * @throws dev.lamina.io.BadInputException if the loss is binary and there are not two classes
   */
  public Dataset targets(Dataset data, Arena arena) {
    return loss.task() == Loss.Task.BINARY && data.classes() > 0 ? data.withBinaryTargets(arena) : data;
  }

  /** The part that a trainer needs. */
  public TrainingOptions options() {
    return new TrainingOptions(
        loss,
        optimizer,
        lr,
        schedule,
        clip,
        epochs,
        batch,
        accumulate,
        seed,
        validation,
        earlyStopping,
        preprocessing,
        precision,
        regularisation,
        from == null ? null : Path.of(from),
        statisticsEvery,
        averaging());
  }

  private WeightAveraging averaging() {
    if (ema != null && swa != null) {
      throw new IllegalArgumentException(
          "ema and swa are two averages of the weights, and one can be judged; leave out one");
    }
    return ema == null ? swa : new WeightAveraging.Ema(ema);
  }

  /** This recipe with the rate spelled out. */
  Recipe withRate(double rate) {
    return with(rate, preprocessing, out);
  }

  /** This recipe with the folder of its run. */
  public Recipe withOut(String folder) {
    return with(lr, preprocessing, folder);
  }

  /** This recipe with another preprocessing. */
  public Recipe with(Preprocessing other) {
    return with(lr, other, out);
  }

  private Recipe with(Double rate, Preprocessing prepared, String folder) {
    return new Recipe(
        data,
        model,
        init,
        loss,
        optimizer,
        rate,
        schedule,
        clip,
        regularisation,
        ema,
        swa,
        epochs,
        batch,
        accumulate,
        seed,
        threads,
        device,
        validation,
        earlyStopping,
        prepared,
        precision,
        deterministic,
        statisticsEvery,
        keepEvery,
        from,
        folder);
  }
}
