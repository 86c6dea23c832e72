package dev.lamina.train.check;

import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.graph.RandomStream;
import dev.lamina.graph.Variable;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.CompiledModel;
import dev.lamina.train.LayerTrace;
import dev.lamina.train.LossProbe;
import dev.lamina.train.ModelSpec;
import dev.lamina.train.Precision;
import dev.lamina.train.check.GradientComparison.Verdict;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Holds gradients against central differences, in double on the reference device: a sample of entries of every
 * parameter, on few examples. Dropout drops the same values each time; truncated propagation goes all the way.
 *
 * <p>Weights are those that a training begins with, moved a little at random: zeros would hide what they multiply, and
 * would put units exactly at their kink.
 */
final class GradientCheck {
  private static final String NAME = "gradients";

  /**
   * What all passes together may take before there is less than {@link #MOST_ENTRIES}: some seconds of the reference.
   */
  private static final double SECONDS = 1.5e9;

  /** What they may take before parameters are left out: about a minute. */
  private static final double MINUTE = 25e9;

  /** Batch norm takes two at least; more only cost. */
  private static final int EXAMPLES = 3;

  private static final int MOST_ENTRIES = 8;

  /** Passes of one comparison that meets no kink. */
  private static final int PASSES = 2;

  /** Share of a weight's usual size by which it is moved. */
  private static final double MOVE = 0.1;

  private GradientCheck() {}

  /** One entry of a parameter. */
  private record Entry(String parameter, long index, GradientComparison comparison) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s[%d]: gradient %.6g, central difference %.6g, relative error %.1e",
          parameter,
          index,
          comparison.computed(),
          comparison.difference(),
          comparison.error());
    }
  }

  /**
   * Checks.
   *
   * @param begin weights by name, which a training with {@code spec} begins with
   */
  static Finding of(ModelSpec spec, Map<String, HostTensor> begin, Dataset training) {
    int examples = Math.min(EXAMPLES, training.size());
    ModelSpec wide =
        Variants.of(spec, Variants.withoutTruncation(spec.model()), spec.loss(), null, Precision.FP64, examples);
    try (Arena arena = Arena.ofShared();
        Device reference = new Devices().open("reference", DeviceOptions.DEFAULT);
        CompiledModel model = CompiledModel.compile(reference, wide)) {
      double flops = model.layers().stream().mapToDouble(LayerTrace::flops).sum();
      int parameters = model.parameters().weights().size();
      double comparison = PASSES * Math.max(1, flops);
      if (comparison > MINUTE) {
        return Finding.warning(
            NAME,
            String.format(
                Locale.ROOT,
                "not checked: one pass of %d examples takes %.1f GFLOP, too many for the reference device; check the"
                    + " same layers on smaller images",
                examples,
                flops / 1e9));
      }
      model.initialise();
      Map<String, HostTensor> wideBegin = model.state(arena);
      wideBegin.replaceAll((name, own) -> begin.containsKey(name) ? widened(begin.get(name), own.type(), arena) : own);
      model.load(wideBegin);
      Examples batch = Examples.of(training, examples, spec.seed(), arena);
      int perParameter = (int) Math.clamp(SECONDS / comparison / parameters, 1, MOST_ENTRIES);
      int every = (int) Math.ceil(comparison * parameters * perParameter / MINUTE);
      try (LossProbe probe = new LossProbe(model)) {
        return verdict(entries(model, probe, batch, perParameter, every, arena), model, examples);
      }
    }
  }

  private static List<Entry> entries(
      CompiledModel model, LossProbe probe, Examples batch, int perParameter, int every, Arena arena) {
    Map<String, HostTensor> weights = model.weights(arena);
    SplittableRandom random = new SplittableRandom(RandomStream.hash("check") ^ model.spec().seed());
    List<Variable> variables = model.parameters().weights();
    for (Variable variable : variables) {
      move(weights.get(variable.name()), random);
      probe.replace(variable.name(), weights.get(variable.name()));
    }
    HostTensor target = widened(batch.targets(), probe.targetType(), arena);
    Map<String, HostTensor> gradients = probe.gradients(batch.inputs(), target, arena);
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < variables.size(); i += every) {
      String name = variables.get(i).name();
      HostTensor value = weights.get(name);
      long count = Math.min(perParameter, value.size());
      for (int j = 0; j < count; j++) {
        long index = count == value.size() ? j : random.nextLong(value.size());
        double begin = value.get(index);
        GradientComparison comparison =
            GradientComparison.of(
                gradients.get(name).get(index),
                distance -> {
                  value.set(index, begin + distance);
                  probe.replace(name, value);
                  return probe.look(batch.inputs(), target).loss();
                });
        value.set(index, begin);
        probe.replace(name, value);
        entries.add(new Entry(name, index, comparison));
      }
    }
    return entries;
  }

  private static void move(HostTensor value, SplittableRandom random) {
    double fan = value.shape().rank() < 2 ? 1 : Math.max(1, value.shape().sliceSize());
    for (long i = 0; i < value.size(); i++) {
      value.set(i, value.get(i) + MOVE * random.nextGaussian() / Math.sqrt(fan));
    }
  }

  /** Weights and the targets of a data set are 32 bits wide, those of a loss in double are not. */
  private static HostTensor widened(HostTensor narrow, TensorType type, Arena arena) {
    if (type.dtype() != DType.F64) {
      return narrow;
    }
    HostTensor wide = HostTensor.allocate(arena, type);
    for (long i = 0; i < wide.size(); i++) {
      wide.set(i, narrow.get(i));
    }
    return wide;
  }

  private static Finding verdict(List<Entry> entries, CompiledModel model, int examples) {
    List<Entry> wrong = entries.stream().filter(entry -> entry.comparison.verdict() == Verdict.DIFFERS).toList();
    long kinks = entries.stream().filter(entry -> entry.comparison.verdict() == Verdict.KINK).count();
    long checked = entries.stream().map(Entry::parameter).distinct().count();
    int all = model.parameters().weights().size();
    String sample =
        entries.size()
            + " entries of "
            + (checked == all ? "all " + all : checked + " of " + all)
            + " parameters, on "
            + examples
            + " examples in double";
    if (!wrong.isEmpty()) {
      return Finding.failure(
          NAME,
          wrong.size()
              + " of "
              + sample
              + " are not what central differences say; "
              + wrong.getFirst()
              + "; a layer, activation or loss of your own has a wrong derivative, or is not a function of its input");
    }
    double largest =
        entries.stream()
            .filter(entry -> entry.comparison.verdict() == Verdict.AGREES && !entry.comparison.isLostInRounding())
            .mapToDouble(entry -> entry.comparison.error())
            .max()
            .orElse(0);
    long lost = entries.stream().filter(entry -> entry.comparison.isLostInRounding()).count();
    StringBuilder sentence = new StringBuilder(sample);
    sentence.append(String.format(Locale.ROOT, " agree with central differences, to %.1e", largest));
    if (lost > 0) {
      sentence.append("; ").append(lost).append(" are so small that only the rounding of the loss is left to compare");
    }
    if (kinks > 0) {
      sentence
          .append("; ")
          .append(kinks)
          .append(
              " lie so near a kink (of a ReLU, a maximum) that the step crossed it, and agree closer by or on one"
                  + " side");
    }
    return Finding.ok(NAME, sentence.toString());
  }
}
