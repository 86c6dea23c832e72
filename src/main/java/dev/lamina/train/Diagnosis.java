package dev.lamina.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Says in words when a net is sick: judges each epoch by what was seen inside the model, and tells each finding once.
 * For trainings with {@link TrainingOptions#statisticsEvery}.
 *
 * <p>Looks see few examples. Where too many ReLUs were zero in those of an epoch they are only suspected to be dead; it
 * is told when a pass over all of its examples has shown it. A layer that was cleared is not suspected again before
 * twice as many epochs are over: units that few examples need would cost such a pass in each.
 */
public final class Diagnosis implements TrainingListener {
  /**
   * Something that is wrong.
   *
   * @param about layer or weight, and its sickness
   * @param words a sentence: what was seen, what it is called, what to do
   * @param epoch after which it was found, counted from 1
   * @param step updates done by then
   */
  public record Finding(String about, String words, int epoch, long step) {}

  /** 10 to 20 % of a net's ReLUs are dead in a usual training (CS231n, "Training neural networks I"). */
  private static final double MANY_DEAD = 0.3;

  private static final double MANY_SATURATED = 0.5;

  /** About 1e-3 is usual (CS231n, "Babysitting the learning process"). */
  private static final double FAST = 0.1;

  private static final double SLOW = 1e-6;

  /** Where a schedule has brought the rate below this share of its highest, updates are meant to be small. */
  private static final double ANNEALED = 0.1;

  /**
   * Of the gradient of the first weight to that of the last, each as a share of the weight's own size. At a rate that
   * changes the last by the usual 1e-3 of its size, plain SGD changes the first by 1e-8, which a float's rounding
   * (2⁻²⁴) swallows.
   */
  private static final double VANISHED = 1e-5;

  /** The same in the other direction: at that rate the first changes by all of its size. */
  private static final double EXPLODED = 1e3;

  private final double highestRate;
  private final Consumer<Finding> listener;
  private final Set<String> told = new HashSet<>();
  private final List<ModelStatistics> epoch = new ArrayList<>();
  private final List<DeadUnits> surveyed = new ArrayList<>();

  /** The epoch in which a layer that was cleared may be suspected again. */
  private final Map<String, Integer> clearedUntil = new HashMap<>();

  /**
   * A diagnosis that goes to {@code listener}.
   *
   * @param highestRate the learning rate that the schedule varies
   */
  public Diagnosis(double highestRate, Consumer<Finding> listener) {
    this.highestRate = highestRate;
    this.listener = listener;
  }

  @Override
  public void observed(ModelStatistics statistics) {
    epoch.add(statistics);
  }

  @Override
  public Set<String> suspects() {
    Set<String> suspects = new LinkedHashSet<>();
    for (List<LayerStatistics> seen : seen(ModelStatistics::layers)) {
      String layer = seen.getFirst().path();
      boolean cleared = epoch.getLast().epoch() < clearedUntil.getOrDefault(layer, 0);
      if (zeroUnits(seen) > MANY_DEAD * seen.getFirst().unitPeaks().size() && !told.contains(dead(layer)) && !cleared) {
        suspects.add(layer);
      }
    }
    return suspects;
  }

  @Override
  public void surveyed(DeadUnits layer) {
    surveyed.add(layer);
  }

  @Override
  public void epochEnded(EpochReport report) {
    for (DeadUnits layer : surveyed) {
      if (layer.dead() > MANY_DEAD * layer.units()) {
        dead(layer, report);
      } else {
        clearedUntil.put(layer.layer(), 2 * report.epoch());
      }
    }
    seen(ModelStatistics::layers).forEach(seen -> saturated(seen, report));
    epoch.forEach(look -> exploding(look, report));
    weights(report);
    surveyed.clear();
    epoch.clear();
  }

  private void tell(EpochReport report, String about, String words) {
    if (told.add(about)) {
      listener.accept(new Finding(about, words, report.epoch(), report.step()));
    }
  }

  /**
   * What the looks of the epoch's second half saw of each layer or weight: what happened in the first half may be over,
   * above all in the first epoch.
   */
  private <T> List<List<T>> seen(Function<ModelStatistics, List<T>> parts) {
    List<ModelStatistics> late = epoch.subList(epoch.size() / 2, epoch.size());
    int count = late.isEmpty() ? 0 : parts.apply(late.getFirst()).size();
    return IntStream.range(0, count)
        .mapToObj(i -> late.stream().map(look -> parts.apply(look).get(i)).toList())
        .toList();
  }

  /** Units that were 0 in all looks. */
  private static long zeroUnits(List<LayerStatistics> seen) {
    return IntStream.range(0, seen.getFirst().unitPeaks().size())
        .filter(unit -> seen.stream().allMatch(look -> look.unitPeaks().get(unit) <= 0))
        .count();
  }

  private static String dead(String layer) {
    return layer + " dead";
  }

  private void dead(DeadUnits layer, EpochReport report) {
    boolean isRecurrent =
        epoch.stream()
            .flatMap(look -> look.layers().stream())
            .anyMatch(seen -> seen.path().equals(layer.layer()) && seen.kind().equals("rnn"));
    tell(
        report,
        dead(layer.layer()),
        String.format(
            Locale.ROOT,
            "%s: %.0f %% of its %,d units were zero for every one of the %,d examples of the epoch, with the weights at"
                + " its end: dead ReLU; lower the learning rate or try %s",
            layer.layer(),
            100.0 * layer.dead() / layer.units(),
            layer.units(),
            layer.examples(),
            isRecurrent ? "tanh" : "LeakyReLU"));
  }

  private void saturated(List<LayerStatistics> seen, EpochReport report) {
    double share = mean(seen, LayerStatistics::saturated);
    LayerStatistics layer = seen.getFirst();
    if (share > MANY_SATURATED) {
      boolean isActivation = !Double.isNaN(layer.zeros());
      tell(
          report,
          layer.path() + " saturated",
          String.format(
              Locale.ROOT,
              isActivation
                  ? "%s: %.0f %% of its inputs lay beyond ±5, where almost no gradient passes: saturated; use smaller"
                      + " initial weights, batch norm in front of it, or ReLU"
                  : "%s: %.0f %% of what its sigmoids and tanhs were given lay beyond ±5, where almost no gradient"
                      + " passes: saturated; use smaller initial weights or a lower learning rate",
              layer.path(),
              100 * share));
    }
  }

  private static <T> double mean(List<T> seen, ToDoubleFunction<T> figure) {
    return seen.stream().mapToDouble(figure).average().orElseThrow();
  }

  private void weights(EpochReport report) {
    List<List<WeightStatistics>> weights =
        seen(ModelStatistics::weights).stream()
            .filter(seen -> seen.getFirst().multiplies() && seen.getFirst().norm() > 0)
            .toList();
    if (weights.isEmpty()) {
      return;
    }
    double begin = mean(weights.getFirst(), WeightStatistics::relativeGradient);
    double end = mean(weights.getLast(), WeightStatistics::relativeGradient);
    boolean vanishes = begin < VANISHED * end;
    for (List<WeightStatistics> seen : weights) {
      boolean isOnTheWay = vanishes && !seen.equals(weights.getLast());
      speed(seen, isOnTheWay || mean(seen, WeightStatistics::relativeGradient) < VANISHED * end, report);
    }
    if (vanishes && !(begin == 0 && hasDeadLayer())) {
      tell(
          report,
          "vanishing",
          String.format(
              Locale.ROOT,
              "the gradient of %s is %.1g of its size, that of %s %.1g: it vanishes on the way back; use ReLU, batch"
                  + " norm, residual connections or larger initial weights",
              weights.getFirst().getFirst().name(),
              begin,
              weights.getLast().getFirst().name(),
              end));
    }
  }

  /** In the first half of an epoch too: after one such update a net may have no gradient left to explode. */
  private void exploding(ModelStatistics look, EpochReport report) {
    List<WeightStatistics> weights =
        look.weights().stream().filter(weight -> weight.multiplies() && weight.norm() > 0).toList();
    if (weights.isEmpty()) {
      return;
    }
    WeightStatistics first = weights.getFirst();
    WeightStatistics last = weights.getLast();
    // Of a first weight that is tiny the gradient is a large share without having grown.
    if (last.gradientNorm() > 0
        && first.gradientNorm() > EXPLODED * last.gradientNorm()
        && first.relativeGradient() > EXPLODED * last.relativeGradient()) {
      tell(
          report,
          "exploding",
          String.format(
              Locale.ROOT,
              "the gradient of %s is %.1g of its size, that of %s %.1g: it explodes on the way back; use smaller"
                  + " initial weights or batch norm, or clip gradients",
              first.name(),
              first.relativeGradient(),
              last.name(),
              last.relativeGradient()));
    }
  }

  /** Through which no gradient comes, however large its weights are. */
  private boolean hasDeadLayer() {
    return seen(ModelStatistics::layers).stream()
        .anyMatch(
            seen -> !seen.getFirst().unitPeaks().isEmpty() && zeroUnits(seen) == seen.getFirst().unitPeaks().size());
  }

  /** Where the gradient has vanished on its way, another rate is no help. */
  private void speed(List<WeightStatistics> seen, boolean vanished, EpochReport report) {
    double[] ratios = seen.stream().mapToDouble(WeightStatistics::updateRatio).sorted().toArray();
    double median = ratios[ratios.length / 2];
    double largest = Arrays.stream(ratios).max().orElseThrow();
    String name = seen.getFirst().name();
    if (median > FAST) {
      tell(
          report,
          name + " fast",
          String.format(
              Locale.ROOT,
              "%s: an update changes it by %.1g of its size (1e-3 is usual); lower the learning rate",
              name,
              median));
    } else if (largest < SLOW
        && seen.stream().anyMatch(weight -> weight.gradientNorm() > 0)
        && !vanished
        && report.rate() >= ANNEALED * highestRate) {
      tell(
          report,
          name + " slow",
          String.format(
              Locale.ROOT,
              "%s: no update changes it by more than %.1g of its size (1e-3 is usual); raise the learning rate",
              name,
              largest));
    }
  }
}
