package dev.lamina.study.experiments;

import dev.lamina.data.Dataset;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Statistics;
import dev.lamina.graph.Tensor;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Layer;
import dev.lamina.nn.Reshape;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.init.Orthogonal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.nn.init.Zeros;
import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.nn.recurrent.Rnn;
import dev.lamina.nn.recurrent.Rnn.Nonlinearity;
import dev.lamina.optim.Adam;
import dev.lamina.optim.GradientClip;
import dev.lamina.optim.Sgd;
import dev.lamina.study.Computation;
import dev.lamina.study.Course;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Curve;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Panel.Style;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/** What is left of a gradient on its way back through time, and what clipping does about gradients that explode. */
final class VanishingRnn {
  static final Study STUDY =
      new Study(
          "vanishing-rnn",
          "through time the gradient of a plain RNN decays or explodes geometrically, that of an LSTM holds much"
              + " better; clipping bounds the update and keeps training from diverging",
          "Pascanu et al. 2013, On the difficulty of training RNNs, sections 2 and 3.2; Hochreiter and Schmidhuber"
              + " 1997",
          "2 min",
          VanishingRnn::run);

  private static final int UNITS = 64;
  private static final int BATCH = 100;

  /** A row of an image in so many parts: more steps show more of what each does. */
  private static final int PARTS = 2;

  private static final double[] RADII = {0.8, 1, 1.25};
  private static final double TRAINING_RATE = 3e-3;

  /** Of the recurrent weight of the net that is to explode: half of the ReLUs pass on nothing, so 2 is √2 a step. */
  private static final double EXPLOSIVE = 2;

  private static final int LOOKS = 10;
  private static final double LIMIT = 1;
  private static final double[] RATES = {1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3};

  /** Of these, one at which training without clipping stays finite on MNIST, and one at which it does not. */
  private static final double[] LOOKED_AT = {1e-3, 0.1};

  /** Half of the distance of neighbouring floats, as a share of them: the rounding of a weight. */
  private static final double ROUNDING = 0x1p-24;

  private record Net(String name, Layer layer) {}

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

  private VanishingRnn() {}

  private static Findings run(Setting setting) {
    List<Table> tables = new ArrayList<>();
    List<Panel> panels = new ArrayList<>();
    List<Verdict> verdicts = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, setting.sized(20_000, 5000), 0, setting.sized(10_000, 2000));
      beforeTraining(setting, examples, tables, panels, verdicts);
      afterTraining(setting, examples, tables, panels, verdicts);
      clipping(setting, examples, tables, panels, verdicts);
    }
    return new Findings(
        tables,
        List.of(new Figure("vanishing-rnn", 2, panels)),
        verdicts,
        List.of(
            UNITS
                + " units, batches of "
                + BATCH
                + "; before training images are read in halves of rows, in training row by row; a share is that of the"
                + " gradient's norm at the first step in that at the last",
            "recurrent weights begin orthogonal times the radius: spectral radius and all singular values are that; the"
                + " LSTM's forget bias is 1, so that its memory keeps sigmoid(1) = 0.731 a step before it has learned"
                + " more; 5 keeps 0.993, near the 1 of 1997, which had no forget gate",
            "a spectral radius above 1 is necessary for a gradient to explode, not sufficient: tanh that saturates"
                + " holds it down (Pascanu et al., section 2.2)",
            "clipping by norm multiplies the whole gradient, and so that of each step, by one number: its length is"
                + " bounded, the shape of its curve through time stays; clipped-gradients has both at two of the"
                + " rates",
            "tuning budget: none; of the trainings with and without clipping all rates are shown"));
  }

  /** The norms with first weights: what theory speaks of. */
  private static void beforeTraining(
      Setting setting, Splits examples, List<Table> tables, List<Panel> panels, List<Verdict> verdicts) {
    int seeds = setting.sized(5, 2);
    List<Net> nets = new ArrayList<>();
    for (Nonlinearity nonlinearity : List.of(Nonlinearity.LINEAR, Nonlinearity.TANH)) {
      for (double radius : RADII) {
        String name = "RNN, " + nonlinearity.name().toLowerCase(Locale.ROOT) + ", radius " + Numbers.text(radius);
        nets.add(new Net(name, rnn(nonlinearity, radius)));
      }
    }
    Net lstm = new Net("LSTM, forget bias 1", new Lstm(UNITS));
    nets.add(lstm);
    nets.add(new Net("LSTM, forget bias 5", new Lstm(UNITS, false, 0, new Xavier(), new Orthogonal(), new Zeros(), 5)));
    Reshape cut = cut(examples.training());
    int steps = cut.dims().getFirst();
    Table table =
        setting.table(
            "first-weights",
            "Gradient through " + steps + " steps with first weights, " + seeds + " seeds",
            List.of("net", "factor a step", "share left (mean)", "least", "most"));
    Panel panel = Panel.of("First weights, first seed", "step", "norm, of that at the last step", Scale.LOG_Y);
    Map<String, double[]> shares = new LinkedHashMap<>();
    for (Net net : nets) {
      double[] left = new double[seeds];
      for (int seed = 0; seed < seeds; seed++) {
        setting.doing("%s, seed %d of %d", net.name, seed + 1, seeds);
        var network = new Sequential(cut, net.layer, new Dense(examples.classes()));
        try (Course course = new Course(setting, network, new Sgd(), examples.training(), BATCH, setting.seed(seed))) {
          double[] relative = relative(course);
          left[seed] = relative[0];
          if (seed == 0) {
            boolean linear = net.name.contains("linear");
            double[] at = Numbers.counting(1, steps);
            panel = panel.with(new Curve(net.name, at, relative, linear ? Style.DASHED : Style.LINE));
          }
        }
      }
      shares.put(net.name, left);
      table.row(
          net.name,
          factor(Numbers.mean(left), steps),
          Numbers.mean(left),
          Arrays.stream(left).min().orElseThrow(),
          Arrays.stream(left).max().orElseThrow());
    }
    tables.add(table);
    panels.add(panel);
    for (double radius : RADII) {
      double[] left = shares.get("RNN, linear, radius " + Numbers.text(radius));
      verdicts.add(
          Verdict.within(
              "a linear RNN of radius " + Numbers.text(radius) + " multiplies the gradient by it in each step",
              factor(Numbers.mean(left), steps),
              radius,
              0.01));
    }
    double bound = Math.pow(RADII[0], steps - 1);
    double most = most(shares.get("RNN, tanh, radius " + Numbers.text(RADII[0])));
    verdicts.add(
        Verdict.that(
            "of a tanh RNN of radius "
                + RADII[0]
                + " the first step has no more than radius^(steps - 1), for every seed",
            Numbers.text(most),
            "at most " + Numbers.text(bound),
            most <= bound));
    double[] exploding = shares.get("RNN, tanh, radius " + Numbers.text(RADII[2]));
    verdicts.add(
        Verdict.that(
            "of a tanh RNN of radius " + RADII[2] + " the gradient grows towards the first step, for every seed",
            "at least " + Numbers.text(Arrays.stream(exploding).min().orElseThrow()),
            "above 1",
            Arrays.stream(exploding).allMatch(share -> share > 1)));
    for (double radius : List.of(RADII[0], RADII[1])) {
      double[] rnn = shares.get("RNN, tanh, radius " + Numbers.text(radius));
      verdicts.add(holdsBetter("with first weights", Numbers.text(radius), shares.get(lstm.name), rnn));
    }
  }

  /**
   * Into parts of rows.
   *
   * @throws BadInputException if the data has no rows, or rows that cannot be halved
   */
  static Reshape cut(Dataset data) {
    Shape shape = data.inputType().shape();
    int steps = shape.dim(0) * PARTS;
    if (shape.rank() < 2 || shape.size() % steps != 0) {
      throw new BadInputException(
          "vanishing-rnn reads images in halves of rows; an input of "
              + data.name()
              + " is "
              + shape
              + ", which has no rows of an even number of values; choose other --data");
    }
    return new Reshape(steps, Math.toIntExact(shape.size()) / steps);
  }

  private static Verdict holdsBetter(String when, String radius, double[] lstm, double[] rnn) {
    boolean always = true;
    for (int seed = 0; seed < lstm.length; seed++) {
      always &= lstm[seed] > rnn[seed];
    }
    return Verdict.that(
        when + " an LSTM leaves more of the gradient than a tanh RNN of radius " + radius + ", for every seed",
        Numbers.text(Numbers.mean(lstm)) + " against " + Numbers.text(Numbers.mean(rnn)) + " on average",
        "more",
        always);
  }

  /** The norms once both have learned to read digits row by row. */
  private static void afterTraining(
      Setting setting, Splits examples, List<Table> tables, List<Panel> panels, List<Verdict> verdicts) {
    int updates = setting.sized(1000, 200);
    int seeds = setting.sized(3, 2);
    Table table =
        setting.table(
            "trained",
            "Row by row, before and after "
                + updates
                + " updates by Adam at "
                + TRAINING_RATE
                + ", "
                + seeds
                + " seeds",
            List.of("net", "share left before", "share left after", "test accuracy in %"));
    String title = "After training, row by row, first seed (dashed: before)";
    Panel panel = Panel.of(title, "row", "norm, of that at the last row", Scale.LOG_Y);
    List<double[]> all = new ArrayList<>();
    for (Net net :
        List.of(
            new Net("RNN, tanh, radius 1", rnn(Nonlinearity.TANH, 1)),
            new Net("LSTM, forget bias 1", new Lstm(UNITS)))) {
      double[][] figures = new double[seeds][];
      for (int seed = 0; seed < seeds; seed++) {
        setting.doing("%s learns, seed %d of %d", net.name, seed + 1, seeds);
        var network = new Sequential(net.layer, new Dense(examples.classes()));
        var clip = new GradientClip.ByNorm(LIMIT);
        try (Course course =
            new Course(
                setting,
                network,
                new Adam(),
                examples.training(),
                BATCH,
                setting.seed(seed),
                spec -> spec.clip(clip))) {
          double[] before = relative(course);
          course.train(updates, TRAINING_RATE);
          double[] after = relative(course);
          figures[seed] = new double[] {before[0], after[0], 100 * course.judge(examples.test()).accuracy()};
          if (seed == 0) {
            double[] rows = Numbers.counting(1, after.length);
            panel = panel.line(net.name, rows, after);
            panel = panel.with(new Curve(net.name + ", before", rows, before, Style.DASHED));
          }
        }
      }
      double[] means = Numbers.columnMeans(figures);
      table.row(net.name, means[0], means[1], means[2]);
      all.add(Arrays.stream(figures).mapToDouble(figure -> figure[1]).toArray());
    }
    tables.add(table);
    panels.add(panel);
    verdicts.add(holdsBetter("once trained", "1", all.get(1), all.get(0)));
  }

  /** A net whose gradients explode, at rising rates, with and without clipping. */
  private static void clipping(
      Setting setting, Splits examples, List<Table> tables, List<Panel> panels, List<Verdict> verdicts) {
    int updates = setting.sized(400, 100);
    double guessing = Math.log(examples.classes());
    double[] rates = setting.quick() ? new double[] {1e-5, 1e-3, 0.1} : RATES;
    Table table =
        setting.table(
            "clipping",
            "ReLU RNN of radius "
                + Numbers.text(EXPLOSIVE)
                + ", row by row, after "
                + updates
                + " updates by SGD; guessing has a loss of "
                + Numbers.text(guessing),
            List.of(
                "rate",
                "loss without clipping",
                "which is",
                "loss clipped by norm " + Numbers.text(LIMIT),
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
      Trained with = train(setting, examples, new GradientClip.ByNorm(LIMIT), rate, updates);
      free.add(without);
      held.add(with);
      table.row(
          rate, without.last, without.ending(guessing), with.last, with.ending(guessing), without.step, with.step);
      if (Arrays.stream(LOOKED_AT).anyMatch(looked -> looked == rate)) {
        norms.put("rate " + Numbers.text(rate), without.gradient);
        norms.put("rate " + Numbers.text(rate) + ", clipped", clipped(with.gradient));
      }
    }
    tables.add(table);
    tables.add(byRow(norms, updates));
    panels.add(
        Panel.of(
                "After " + updates + " updates (no point: not finite)",
                "learning rate",
                "training loss",
                Scale.LOG_BOTH)
            .line("without clipping", rates, losses(free))
            .line("clipped", rates, losses(held))
            .with(new Curve("before", rates, filled(rates.length, held.getLast().first), Style.DASHED))
            .with(new Curve("guessing", rates, filled(rates.length, guessing), Style.DASHED)));
    panels.add(rowPanel(norms));
    double longest = held.stream().mapToDouble(Trained::step).max().orElseThrow();
    verdicts.add(
        Verdict.that(
            "clipped, no update that was looked at is longer than rate times limit, but for the rounding of weights",
            Numbers.text(longest) + " times the rate",
            "at most " + Numbers.text(LIMIT),
            held.stream().allMatch(with -> with.step <= LIMIT + with.rounding)));
    verdicts.add(saved(free, held, guessing));
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

  private static double[] losses(List<Trained> all) {
    return all.stream().mapToDouble(Trained::last).toArray();
  }

  /** What is left of a gradient when it is clipped: of all steps the same share. */
  static Course.ThroughTime clipped(Course.ThroughTime gradient) {
    double factor = Math.min(1, LIMIT / gradient.weights());
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
    try (Course course =
        new Course(setting, explosive(examples), new Sgd(), examples.training(), BATCH, setting.seed(0))) {
      return course.gradientsThroughTime();
    }
  }

  private static Trained train(Setting setting, Splits examples, GradientClip clip, double rate, int updates) {
    try (Course course =
            new Course(
                setting,
                explosive(examples),
                new Sgd(),
                examples.training(),
                BATCH,
                setting.seed(0),
                spec -> spec.clip(clip));
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

  private static Sequential explosive(Splits examples) {
    return new Sequential(rnn(Nonlinearity.RELU, EXPLOSIVE), new Dense(examples.classes()));
  }

  private static Rnn rnn(Nonlinearity nonlinearity, double radius) {
    return new Rnn(UNITS).with(nonlinearity).init(new Xavier(), new Orthogonal(radius));
  }

  /** The norm of the gradient at each step, as a share of that at the last. */
  private static double[] relative(Course course) {
    double[] norms = course.gradientsThroughTime().steps();
    return Arrays.stream(norms).map(norm -> norm / norms[norms.length - 1]).toArray();
  }

  private static double most(double[] values) {
    return Arrays.stream(values).max().orElseThrow();
  }

  /** What each of the steps between the first and the last leaves, were it the same. */
  static double factor(double share, int steps) {
    return Math.pow(share, 1.0 / (steps - 1));
  }
}
