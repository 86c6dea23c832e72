package dev.lamina.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Says in words when a net is sick: judges each epoch by what was seen inside the model, and tells each finding once.
 * For trainings with {@link TrainingOptions#statisticsEvery}.
 */
public final class Diagnosis implements TrainingListener {
  /** 10 to 20 % of a net's ReLUs are dead in a usual training (CS231n, "Training neural networks I"). */
  private static final double MANY_DEAD = 0.3;

  private static final double MANY_SATURATED = 0.5;

  /** About 1e-3 is usual (CS231n, "Babysitting the learning process"). */
  private static final double FAST = 0.1;

  private static final double SLOW = 1e-6;

  /** Of the gradient of the first weight to that of the last, each as a share of the weight's own size. */
  private static final double VANISHED = 1e-5;

  private final Consumer<String> listener;
  private final Set<String> told = new HashSet<>();
  private final List<ModelStatistics> epoch = new ArrayList<>();

  /** Findings go to {@code listener}, a sentence each. */
  public Diagnosis(Consumer<String> listener) {
    this.listener = listener;
  }

  @Override
  public void observed(ModelStatistics statistics) {
    epoch.add(statistics);
  }

  @Override
  public void epochEnded(EpochReport report) {
    // What happened in the first half may be over, above all in the first epoch.
    Map<String, String> findings = findings(epoch.subList(epoch.size() / 2, epoch.size()));
    findings.forEach((key, sentence) -> {
      if (told.add(key)) {
        listener.accept(sentence);
      }
    });
    epoch.clear();
  }

  /** What is wrong, by layer and sickness. */
  private static Map<String, String> findings(List<ModelStatistics> looks) {
    Map<String, String> findings = new LinkedHashMap<>();
    if (looks.isEmpty()) {
      return findings;
    }
    for (int i = 0; i < looks.getFirst().layers().size(); i++) {
      int layer = i;
      units(looks.stream().map(look -> look.layers().get(layer)).toList(), examples(looks), findings);
    }
    List<WeightStatistics> matrices = new ArrayList<>();
    for (int i = 0; i < looks.getFirst().weights().size(); i++) {
      int weight = i;
      List<WeightStatistics> seen = looks.stream().map(look -> look.weights().get(weight)).toList();
      if (seen.getFirst().name().endsWith("weight") && seen.getFirst().norm() > 0) {
        speed(seen, findings);
        matrices.add(seen.getLast());
      }
    }
    vanishing(matrices, findings);
    return findings;
  }

  private static int examples(List<ModelStatistics> looks) {
    return looks.stream().mapToInt(ModelStatistics::examples).sum();
  }

  private static void units(List<LayerStatistics> seen, int examples, Map<String, String> findings) {
    LayerStatistics first = seen.getFirst();
    int units = first.unitPeaks().size();
    int dead = 0;
    for (int i = 0; i < units; i++) {
      int unit = i;
      dead += seen.stream().allMatch(look -> look.unitPeaks().get(unit) <= 0) ? 1 : 0;
    }
    if (units > 0 && dead > MANY_DEAD * units) {
      findings.put(
          first.path() + " dead",
          String.format(
              Locale.ROOT,
              "%s: %.0f %% of its %,d units were zero for all of the %,d examples looked at in the second half of the"
                  + " epoch: dead ReLU; lower the learning rate or try LeakyReLU",
              first.path(),
              100.0 * dead / units,
              units,
              examples));
    }
    double saturated = seen.stream().mapToDouble(LayerStatistics::saturated).average().orElseThrow();
    if (saturated > MANY_SATURATED) {
      findings.put(
          first.path() + " saturated",
          String.format(
              Locale.ROOT,
              "%s: %.0f %% of its inputs lay beyond ±5, where almost no gradient passes: saturated; use smaller initial"
                  + " weights, batch norm in front of it, or ReLU",
              first.path(),
              100 * saturated));
    }
  }

  private static void speed(List<WeightStatistics> seen, Map<String, String> findings) {
    double[] ratios = seen.stream().mapToDouble(WeightStatistics::updateRatio).sorted().toArray();
    double median = ratios[ratios.length / 2];
    double largest = Arrays.stream(ratios).max().orElseThrow();
    String name = seen.getFirst().name();
    if (median > FAST) {
      findings.put(
          name + " fast",
          String.format(
              Locale.ROOT,
              "%s: an update changes it by %.1g of its size (1e-3 is usual); lower the learning rate",
              name,
              median));
    } else if (largest < SLOW && seen.stream().anyMatch(weight -> weight.gradientNorm() > 0)) {
      findings.put(
          name + " slow",
          String.format(
              Locale.ROOT,
              "%s: no update changes it by more than %.1g of its size (1e-3 is usual); raise the learning rate",
              name,
              largest));
    }
  }

  private static void vanishing(List<WeightStatistics> weights, Map<String, String> findings) {
    if (weights.size() < 2) {
      return;
    }
    WeightStatistics first = weights.getFirst();
    WeightStatistics last = weights.getLast();
    double begin = first.gradientNorm() / first.norm();
    double end = last.gradientNorm() / last.norm();
    if (begin > 0 && begin < VANISHED * end) {
      findings.put(
          "vanishing",
          String.format(
              Locale.ROOT,
              "the gradient of %s is %.1g of its size, that of %s %.1g: it vanishes on the way back; use ReLU, batch"
                  + " norm, residual connections or larger initial weights",
              first.name(),
              begin,
              last.name(),
              end));
    }
  }
}
