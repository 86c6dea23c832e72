package dev.lamina.train.pretrain;

import dev.lamina.data.Batch;
import dev.lamina.data.BatchLoader;
import dev.lamina.data.BatchOrder;
import dev.lamina.data.Dataset;
import dev.lamina.data.Split;
import dev.lamina.device.Device;
import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.io.BadInputException;
import dev.lamina.tensor.HostTensor;
import dev.lamina.train.DivergenceException;
import dev.lamina.train.ModelSpec;
import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;

/**
 * A stack of restricted Boltzmann machines in the shape of a network of dense layers and sigmoids, pre-trained layer by
 * layer from the input up: each machine sees what the one below it makes of the data, as probabilities (Hinton,
 * Osindero and Teh 2006; Bengio et al. 2007). What comes out are weights to begin an ordinary training with; the top
 * layer, which gives the classes, has those of its initializer.
 *
 * <p>Layers below are part of each machine's program, so nothing but batches of raw inputs goes to the device.
 */
public final class DeepBeliefNet implements AutoCloseable {
  /** Batches that are prepared ahead. */
  static final int SLOTS = 4;

  /** The largest of data that was scaled to [0, 1] in 32 bits can be a little more than 1. */
  private static final double ROUNDING = 1e-5;

  private final Arena arena = Arena.ofShared();
  private final Device device;
  private final Split split;
  private final Dataset sample;
  private final SigmoidStack stack;
  private final SequencedMap<String, HostTensor> weights;

  /**
   * A net that has learned nothing.
   *
   * @param spec the training that is going to follow: layers, preparation of inputs, batch, precision and seed
   * @param units what the inputs are taken for
   * @param split what is learned from, and what free energies are compared with; in memory that is open to every thread
   * @throws BadInputException if the layers are not dense ones with sigmoids, and a dense one at the top
   */
  public DeepBeliefNet(Device device, ModelSpec spec, VisibleUnits units, Split split) {
    this.device = device;
    this.split = split;
    stack = new SigmoidStack(spec, units);
    weights = stack.initial(arena);
    double share = (double) split.validation().size() / split.training().size();
    // As many as are held out, of all classes alike.
    sample = split.training().split(Math.min(share, 0.5), spec.seed()).validation();
  }

  /** The layers that can be pre-trained, from the input up. */
  public List<HiddenLayer> layers() {
    return stack.layers();
  }

  /** Weights and statistics of the whole model by name; they live as long as the net. */
  public SequencedMap<String, HostTensor> weights() {
    return Collections.unmodifiableSequencedMap(weights);
  }

  /**
   * Takes weights of a net that was saved, to go on with.
   *
   * @throws IllegalArgumentException if one is missing, or of another shape
   */
  public void load(Map<String, HostTensor> saved) {
    weights.forEach((name, own) -> {
      HostTensor value = saved.get(name);
      if (value == null || !value.type().equals(own.type())) {
        throw new IllegalArgumentException(
            name
                + " is "
                + own.type()
                + " in this net, and "
                + (value == null ? "not" : value.type())
                + " in the saved");
      }
    });
    weights.replaceAll((name, _) -> copy(saved.get(name)));
  }

  private HostTensor copy(HostTensor value) {
    HostTensor copy = HostTensor.allocate(arena, value.type());
    copy.segment().copyFrom(value.segment());
    return copy;
  }

  /**
   * Returns if the machines of the first {@code count} layers fit into the device's memory, one at a time.
   *
   * @throws OutOfDeviceMemoryException if not; the message says which batch would
   */
  public void requireRoom(int count, PretrainingOptions options) {
    layers().subList(0, count).forEach(layer -> RbmPlans.requireRoom(device, machine(layer, options)));
  }

  /**
   * Pre-trains {@code layer}, above which nothing should be pre-trained yet.
   *
   * @return whether it came to its end; if not, the net is as before
   * @throws BadInputException if inputs are not what the visible units take
   * @throws DivergenceException if numbers grow beyond all bounds; the net is as before
   */
  public boolean pretrain(HiddenLayer layer, PretrainingOptions options, PretrainingListener listener) {
    try (CompiledRbm rbm = new CompiledRbm(device, machine(layer, options), listener::preparing)) {
      SequencedMap<String, HostTensor> below = new LinkedHashMap<>(weights);
      below.remove(layer.path() + ".weight");
      below.remove(layer.path() + ".bias");
      rbm.load(below);
      pass(split.training(), batch -> rbm.measure(batch.inputs(), batch.weights()));
      CompiledRbm.Measures measures = rbm.takeMeasures();
      requireRange(layer, measures);
      if (layer.units() == VisibleUnits.GAUSSIAN) {
        listener.measured(layer, VisibleScale.of(measures));
      }
      rbm.begin(measures);
      if (!learn(rbm, layer, options, listener)) {
        return false;
      }
      rbm.weights(arena).forEach((name, value) -> weights.computeIfPresent(name, (_, _) -> value));
      return true;
    }
  }

  private RbmSpec machine(HiddenLayer layer, PretrainingOptions options) {
    ModelSpec spec = stack.spec();
    return new RbmSpec(
        layer.path(),
        layer.units(),
        layer.hidden(),
        spec.example(),
        (inputs, scope) -> stack.below(layer, inputs, scope),
        options.learning(),
        options.weightDecay(),
        spec.batch(),
        spec.evaluationBatch(),
        stack.precision().parameters(),
        spec.seed());
  }

  private static void requireRange(HiddenLayer layer, CompiledRbm.Measures measures) {
    if (layer.units() == VisibleUnits.BINARY && !(measures.low() >= -ROUNDING && measures.high() <= 1 + ROUNDING)) {
      throw new BadInputException(
          String.format(
              Locale.ROOT,
              "binary visible units take inputs from 0 to 1, these go from %.4g to %.4g; prepare them with min_max, or"
                  + " with z_score for Gaussian units",
              measures.low(),
              measures.high()));
    }
  }

  private boolean learn(CompiledRbm rbm, HiddenLayer layer, PretrainingOptions options, PretrainingListener listener) {
    double rate = options.rate(layer.units());
    try (BatchLoader loader =
        new BatchLoader(
            split.training(),
            new BatchOrder.Shuffled(stack.spec().seed()),
            stack.spec().batch(),
            SLOTS,
            device::allocateHost)) {
      listener.started(layer, split.training().size(), split.validation().size(), loader.batchesPerEpoch());
      for (int epoch = 1; epoch <= options.epochs(); epoch++) {
        long begun = System.nanoTime();
        rbm.pace(rate, options.momentum(epoch));
        for (int update = 1; update <= loader.batchesPerEpoch(); update++) {
          Batch batch = loader.next();
          rbm.update(batch.inputs());
          loader.release(batch);
          listener.updated(layer, epoch, update);
          if (listener.wantsStop()) {
            return false;
          }
        }
        double error = rbm.takeReconstructionError();
        double training = energy(rbm, sample);
        double validation = energy(rbm, split.validation());
        if (!Double.isFinite(error) || (sample.size() > 0 && !Double.isFinite(training))) {
          throw new DivergenceException(
              (long) epoch * loader.batchesPerEpoch(),
              String.format(
                  Locale.ROOT,
                  "pre-training of %s diverged in epoch %d with learning rate %.3g; try a lower one",
                  layer.path(),
                  epoch,
                  rate));
        }
        double seconds = (System.nanoTime() - begun) * 1e-9;
        listener.epochEnded(new PretrainingEpoch(layer, epoch, options.epochs(), error, training, validation, seconds));
      }
      return true;
    }
  }

  private double energy(CompiledRbm rbm, Dataset data) {
    if (data.size() == 0) {
      return Double.NaN;
    }
    pass(data, batch -> rbm.judge(batch.inputs(), batch.weights()));
    return rbm.takeFreeEnergy();
  }

  private void pass(Dataset data, Consumer<Batch> each) {
    try (BatchLoader loader =
        new BatchLoader(
            data, new BatchOrder.Sequential(), stack.spec().evaluationBatch(), SLOTS, device::allocateHost)) {
      for (int i = 0; i < loader.batchesPerEpoch(); i++) {
        Batch batch = loader.next();
        each.accept(batch);
        loader.release(batch);
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
