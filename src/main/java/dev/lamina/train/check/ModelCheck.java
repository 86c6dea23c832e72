package dev.lamina.train.check;

import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.nn.Layer;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Trainer;
import dev.lamina.train.TrainingOptions;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Checks a training before it is run, as the course CS231n has it: gradients against central differences, the initial
 * loss against theory, whether a handful of examples can be learned by heart; and what speaks against inputs, initial
 * weights, activations and the way of gradients through time. Weights are those that the training begins with, of a
 * saved model if it begins with one. Nothing is kept.
 */
public final class ModelCheck {
  /** Steps in which a handful of examples is learned by heart, or never. */
  public static final int STEPS = 300;

  private final Device device;
  private final Layer layers;
  private final TrainingOptions options;
  private final int steps;

  /**
   * Checks the training that a {@link Trainer} with these would do.
   *
   * @param steps the most for learning a handful of examples by heart
   */
  public ModelCheck(Device device, Layer layers, TrainingOptions options, int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("a check takes 1 step or more, got " + steps);
    }
    this.device = device;
    this.layers = layers;
    this.options = options;
    this.steps = steps;
  }

  /** All findings on {@code data}, whose memory is open to every thread. */
  public List<Finding> run(Dataset data) {
    return run(data, _ -> {});
  }

  /**
   * The same, with somebody who watches.
   *
   * @param found is told of each finding when it is there
   * @throws dev.lamina.io.BadInputException if data, model and options do not fit together
   */
  public List<Finding> run(Dataset data, Consumer<Finding> found) {
    Dataset training = data.split(options.validationShare(), options.seed()).training();
    Trainer trainer = new Trainer(device, layers).options(options);
    ModelSpec spec = trainer.spec(training);
    List<Finding> findings = new ArrayList<>();
    Consumer<Finding> add =
        finding -> {
          findings.add(finding);
          found.accept(finding);
        };
    try (Arena arena = Arena.ofShared()) {
      Map<String, HostTensor> begin;
      try (CompiledModel model = CompiledModel.compile(device, spec)) {
        trainer.requireTarget(model, data);
        trainer.initialise(model, training);
        begin = model.state(arena);
        add.accept(Inputs.of(device, spec, training));
        add.accept(Symmetry.of(model));
        add.accept(Activations.of(model, training));
        add.accept(InitialLoss.of(model, training, options.from() != null));
        ThroughTime.of(model, training).ifPresent(add);
      }
      add.accept(GradientCheck.of(spec, begin, training));
      add.accept(Overfitting.of(device, spec, begin, options.rate(), training, steps));
    }
    return findings;
  }
}
