package dev.lamina.study.experiments;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.recurrent.Rnn.Nonlinearity;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Computation;
import dev.lamina.study.Course;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Curve;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Panel.Style;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import dev.lamina.study.experiments.VanishingRnn.Part;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** A recurrent net whose gradients explode, at rising rates, with and without clipping. */
final class RnnClipping {
  /** Of the recurrent weight of the net that is to explode: half of the ReLUs pass on nothing, so 2 is √2 a step. */
  private static final double EXPLOSIVE = 2;

  private static final int LOOKS = 10;
  private static final double[] RATES = {1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3};

  /** Of these, one at which training without clipping stays finite on MNIST, and one at which it does not. */
  private static final double[] LOOKED_AT = {1e-3, 0.1};

  /** Half of the distance of neighbouring floats, as a share of them: the rounding of a weight. */
  private static final double ROUNDING = 0x1p-24;

  /**
   * A training of the net that explodes.
   *
   * @param first loss
   * @param last loss, the mean of the last tenth; NaN if one was not finite
   * @param bad the first update whose loss or gradient was not finite, which ended the training; 0 if there was none
   * @param step the longest update that was looked at, divided by the rate
   * @param rounding how much of that may come from rounding weights
   * @param gradient at the end, before clipping; NaN if there was a bad update
   */
  record Trained(double first, double last, long bad, double step, double rounding, Course.ThroughTime gradient) {
    String ending(double guessing) {
      return bad > 0 ? "not finite from update " + bad : last < guessing ? "below guessing" : "above guessing";
    }
  }

  private RnnClipping() {}

  static Part part(Setting setting, Splits examples) {
    int updates = setting.sized(400, 100);
    double guessing = Math.log(examples.classes());
    double[] rates = setting.quick() ? new double[] {1e-5, 1e-3, 0.1} : RATES;
    Table table =
        setting.table(
            "clipping",
            "ReLU RNN of radius %s, row by row, after %s updates by SGD; guessing has a loss of %s"
                .formatted(Numbers.text(EXPLOSIVE), updates, Numbers.text(guessing)),
            List.of(
                "rate",
                "loss without clipping",
                "which is",
                "loss clipped by norm " + Numbers.text(VanishingRnn.LIMIT),
                "that is",
                "largest gradient applied, without",
                "largest, clipped"));
    List<Trained> free = new ArrayList<>();
    List<Trained> held = new ArrayList<>();
    SequencedMap<String, Course.ThroughTime> norms = new LinkedHashMap<>();
    Course.ThroughTime first = firstGradient(setting, examples);
    norms.put("first weights", first);
    norms.put("first weights, clipped", clipped(first));
    for (double rate : rates) {
      setting.doing("clipping, rate %s", Numbers.text(rate));
      Trained without = train(setting, examples, null, rate, updates);
      Trained with = train(setting, examples, new GradientClip.ByNorm(VanishingRnn.LIMIT), rate, updates);
      free.add(without);
      held.add(with);
      table.row(
          rate, without.last, without.ending(guessing), with.last, with.ending(guessing), without.step, with.step);
      if (Arrays.stream(LOOKED_AT).anyMatch(looked -> looked == rate)) {
        norms.put("rate " + Numbers.text(rate), without.gradient);
        norms.put("rate " + Numbers.text(rate) + ", clipped", clipped(with.gradient));
      }
    }
    Panel losses =
        Panel.of(
                "After " + updates + " updates (no point: not finite)",
                "learning rate",
                "training loss",
                Scale.LOG_BOTH)
            .line("without clipping", rates, Numbers.each(free, Trained::last))
            .line("clipped", rates, Numbers.each(held, Trained::last))
            .with(new Curve("before", rates, filled(rates.length, held.getLast().first), Style.DASHED))
            .with(new Curve("guessing", rates, filled(rates.length, guessing), Style.DASHED));
    double longest = Numbers.most(Numbers.each(held, Trained::step));
    Verdict bounded =
        Verdict.that(
            "clipped, no update that was looked at is longer than rate times limit, but for the rounding of weights",
            Numbers.text(longest) + " times the rate",
            "at most " + Numbers.text(VanishingRnn.LIMIT),
            held.stream().allMatch(with -> with.step <= VanishingRnn.LIMIT + with.rounding));
    return new Part(
        List.of(table, byRow(norms, updates)),
        List.of(losses, rowPanel(norms)),
        List.of(bounded, saved(free, held, guessing)));
  }

  /** Whether clipped trainings learn at rates at which those without clipping end in what is not finite. */
  static Verdict saved(List<Trained> free, List<Trained> held, double guessing) {
    int lost = 0;
    int finite = 0;
    int learned = 0;
    for (int i = 0; i < free.size(); i++) {
      if (!Double.isFinite(free.get(i).last)) {
        lost++;
        finite += Double.isFinite(held.get(i).last) ? 1 : 0;
        learned += held.get(i).last < guessing ? 1 : 0;
      }
    }
    return Verdict.that(
        "at each rate at which training without clipping does not stay finite, clipped it ends below the loss of"
            + " guessing, "
            + Numbers.text(guessing),
        "at " + learned + " of " + lost + " rates; it stays finite at " + finite,
        "at all, and one at least",
        lost > 0 && learned == lost);
  }

  /** What is left of a gradient when it is clipped: of all steps the same share. */
  static Course.ThroughTime clipped(Course.ThroughTime gradient) {
    double factor = Math.min(1, VanishingRnn.LIMIT / gradient.weights());
    return new Course.ThroughTime(
        Arrays.stream(gradient.steps()).map(norm -> factor * norm).toArray(), factor * gradient.weights());
  }

  private static Table byRow(SequencedMap<String, Course.ThroughTime> norms, int updates) {
    List<String> columns = new ArrayList<>(List.of("by"));
    columns.addAll(norms.keySet());
    String title =
        "Norm of the exploding net's gradient, of first weights and after "
            + updates
            + " updates, as an update gets it; -: not finite";
    Table table = new Table("clipped-gradients", title, columns);
    table.numbers("all weights", norms.values().stream().mapToDouble(Course.ThroughTime::weights).toArray());
    int rows = norms.firstEntry().getValue().steps().length;
    for (int row = 0; row < rows; row++) {
      int at = row;
      table.numbers("row " + (row + 1), norms.values().stream().mapToDouble(norm -> norm.steps()[at]).toArray());
    }
    return table;
  }

  private static Panel rowPanel(SequencedMap<String, Course.ThroughTime> norms) {
    Panel panel =
        Panel.of(
            "ReLU RNN of radius " + Numbers.text(EXPLOSIVE) + " (dashed: clipped)",
            "row",
            "norm of the gradient",
            Scale.LOG_Y);
    for (var entry : norms.entrySet()) {
      double[] steps = entry.getValue().steps();
      Style style = entry.getKey().endsWith("clipped") ? Style.DASHED : Style.LINE;
      panel = panel.with(new Curve(entry.getKey(), Numbers.counting(1, steps.length), steps, style));
    }
    return panel;
  }

  private static double[] filled(int count, double value) {
    double[] values = new double[count];
    Arrays.fill(values, value);
    return values;
  }

  /** Before it has learned anything. */
  private static Course.ThroughTime firstGradient(Setting setting, Splits examples) {
    try (Course course = exploding(setting, examples, null)) {
      return course.gradientsThroughTime();
    }
  }

  private static Trained train(Setting setting, Splits examples, GradientClip clip, double rate, int updates) {
    try (Course course = exploding(setting, examples, clip);
        Arena arena = Arena.ofShared()) {
      double first = Double.NaN;
      double last = Double.NaN;
      double longest = 0;
      double size = 0;
      for (int look = 0; look < LOOKS; look++) {
        Map<String, HostTensor> before = course.weights(arena);
        double loss = course.train(1, rate).loss();
        double[] lengths = lengths(setting, before, course.weights(arena));
        longest = Math.max(longest, lengths[0] / rate);
        size = Math.max(size, lengths[1]);
        first = look == 0 ? loss : first;
        last = course.train(updates / LOOKS - 1, rate).loss();
      }
      long bad = course.badUpdate();
      int rows = examples.training().inputType().shape().dim(0);
      Course.ThroughTime gradient =
          bad > 0 ? new Course.ThroughTime(filled(rows, Double.NaN), Double.NaN) : course.gradientsThroughTime();
      return new Trained(first, bad > 0 ? Double.NaN : last, bad, longest, ROUNDING * size / rate, gradient);
    }
  }

  /** How far weights have gone, and how far they are from 0. */
  private static double[] lengths(Setting setting, Map<String, HostTensor> before, Map<String, HostTensor> after) {
    Graph graph = new Graph();
    before.forEach((name, value) -> {
      Tensor from = graph.input("before " + name, value.type());
      Tensor to = graph.input("after " + name, value.type());
      graph.output("moved " + name, Statistics.norm(to.minus(from), DType.F64));
      graph.output("size " + name, Statistics.norm(to, DType.F64));
    });
    try (Computation computation = new Computation(setting.device(), graph)) {
      before.forEach((name, value) -> computation.stage("before " + name, value));
      after.forEach((name, value) -> computation.stage("after " + name, value));
      computation.run();
      double moved = before.keySet().stream().mapToDouble(n -> Math.pow(computation.read("moved " + n)[0], 2)).sum();
      double size = before.keySet().stream().mapToDouble(n -> Math.pow(computation.read("size " + n)[0], 2)).sum();
      return new double[] {Math.sqrt(moved), Math.sqrt(size)};
    }
  }

  private static Course exploding(Setting setting, Splits examples, GradientClip clip) {
    return VanishingRnn.course(
        setting, examples, List.of(VanishingRnn.rnn(Nonlinearity.RELU, EXPLOSIVE)), new Sgd(), clip, 0);
  }
}
