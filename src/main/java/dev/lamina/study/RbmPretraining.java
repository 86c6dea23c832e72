package dev.lamina.study;

import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.Preprocessing;
import dev.lamina.data.Split;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.nn.init.Distribution;
import dev.lamina.nn.init.He;
import dev.lamina.nn.init.Initializer;
import dev.lamina.nn.init.Normal;
import dev.lamina.nn.init.Xavier;
import dev.lamina.optim.Momentum;
import dev.lamina.study.Panel.Scale;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.train.Evaluation;
import dev.lamina.train.pretrain.ContrastiveDivergence;
import dev.lamina.train.pretrain.DeepBeliefNet;
import dev.lamina.train.pretrain.HiddenLayer;
import dev.lamina.train.pretrain.PretrainingEpoch;
import dev.lamina.train.pretrain.PretrainingListener;
import dev.lamina.train.pretrain.PretrainingOptions;
import dev.lamina.train.pretrain.VisibleUnits;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A deep sigmoid net that begins with what restricted Boltzmann machines learned, beside those that begin with noise.
 */
final class RbmPretraining implements Study {
  private static final int DEPTH = 5;
  private static final int WIDTH = 200;
  private static final int BATCH = 100;
  private static final int VALIDATION = 2000;
  private static final int FILTERS = 64;
  private static final double[] RATES = {0.003, 0.01, 0.03, 0.1, 0.3};

  /** Hinton's guide, untuned. */
  private static final PretrainingOptions GUIDE = PretrainingOptions.DEFAULTS;

  /**
   * A start.
   *
   * @param weight draws weights; of a pre-trained net those of the top layer
   * @param pretrained whether machines learn the others
   * @param claimed whether the claim is about it
   */
  private record Start(String name, Initializer weight, boolean pretrained, boolean claimed) {}

  private static final List<Start> STARTS =
      List.of(
          new Start("pre-trained", new Xavier(), true, false),
          new Start("0.01 N", new Normal(0.01), false, true),
          new Start("Xavier", new Xavier(), false, true),
          new Start("He", new He(), false, true),
          new Start("Xavier times 4", new Xavier(Distribution.UNIFORM, 4), false, false));

  /** A fine-tuning: training loss and validation accuracy by epoch, and what was found at its end. */
  private record Outcome(double rate, double[] losses, double[] accuracies, Evaluation test) {
    double last() {
      return accuracies[accuracies.length - 1];
    }
  }

  /** The trainings from one start at its best rate, by seed. */
  private record Tuned(Start start, List<Outcome> outcomes) {
    Outcome first() {
      return outcomes.getFirst();
    }

    double[] test() {
      return outcomes.stream().mapToDouble(outcome -> 100 * outcome.test.accuracy()).toArray();
    }

    double[] losses() {
      return outcomes.stream().mapToDouble(outcome -> outcome.losses[outcome.losses.length - 1]).toArray();
    }
  }

  @Override
  public String name() {
    return "rbm-pretraining";
  }

  @Override
  public String claim() {
    return "a deep sigmoid net that was pre-trained layer by layer with restricted Boltzmann machines gets better than"
        + " the same net from small normal, Xavier's or He's numbers, with the same fine-tuning";
  }

  @Override
  public String source() {
    return "Hinton, Osindero and Teh 2006, A fast learning algorithm for deep belief nets; Erhan et al. 2010, Why does"
        + " unsupervised pre-training help deep learning?; beside Glorot and Bengio 2010";
  }

  @Override
  public String duration() {
    return "4 min";
  }

  /** What is the same for all trainings. */
  private record Bench(
      Setting setting, Examples examples, FittedPreprocessing preprocessing, int epochs, Map<Long, DeepBeliefNet> nets)
      implements AutoCloseable {

    Course course(Start start, long seed) {
      var network = Networks.dense(DEPTH, WIDTH, examples.classes(), new Sigmoid(), start.weight);
      return new Course(setting, network, new Momentum(), null, preprocessing, examples.training(), BATCH, seed);
    }

    Outcome train(Start start, double rate, long seed) {
      try (Course course = course(start, seed)) {
        if (start.pretrained) {
          course.load(nets.get(seed).weights());
        }
        double[] losses = new double[epochs];
        double[] accuracies = new double[epochs];
        for (int epoch = 0; epoch < epochs; epoch++) {
          losses[epoch] = course.train(course.stepsPerEpoch(), rate).loss();
          accuracies[epoch] = course.judge(examples.validation()).accuracy();
        }
        if (course.diverged()) {
          Arrays.fill(losses, Double.NaN);
          Arrays.fill(accuracies, 0);
        }
        return new Outcome(rate, losses, accuracies, course.judge(examples.test()));
      }
    }

    @Override
    public void close() {
      nets.values().forEach(DeepBeliefNet::close);
    }
  }

  @Override
  public Findings run(Setting setting) {
    return run(setting, setting.sized(3, 1), setting.sized(15, 5), setting.sized(10, 4), setting.sized(10_000, 3000));
  }

  /** The study with so many seeds, epochs of both kinds, and training images. */
  Findings run(Setting setting, int seeds, int epochs, int pretraining, int images) {
    double[] rates = setting.quick() ? new double[] {0.01, 0.1} : RATES;
    var options =
        new PretrainingOptions(
            pretraining,
            new ContrastiveDivergence(1),
            GUIDE.rate(),
            GUIDE.gaussianRate(),
            GUIDE.momentum(),
            GUIDE.firstMomentum(),
            GUIDE.firstEpochs(),
            GUIDE.weightDecay());
    Table machines =
        new Table(
            "pretraining",
            "Machines after "
                + pretraining
                + " epochs, first seed; the gap is that of free energies, validation less"
                + " training",
            "layer",
            "visible",
            "hidden",
            "reconstruction error",
            "gap");
    Table grid =
        new Table("rates", "Validation accuracy in %, first seed", "start", "rate", "training loss", "accuracy")
            .detail();
    try (Arena arena = Arena.ofShared()) {
      Examples examples = Examples.open(setting, arena, images, VALIDATION, setting.sized(10_000, 2000));
      FittedPreprocessing preprocessing = new Preprocessing.MinMax().fit(examples.training());
      try (Bench bench = new Bench(setting, examples, preprocessing, epochs, new HashMap<>())) {
        for (int seed = 0; seed < seeds; seed++) {
          pretrain(bench, setting.seed() + seed, options, seed == 0 ? machines : null);
        }
        List<Tuned> all = STARTS.stream().map(start -> tuned(bench, start, rates, seeds, grid)).toList();
        return findings(bench, all, seeds, rates, List.of(machines, grid), options);
      }
    }
  }

  private static void pretrain(Bench bench, long seed, PretrainingOptions options, Table machines) {
    Setting setting = bench.setting;
    Examples examples = bench.examples;
    try (Course course = bench.course(STARTS.getFirst(), seed)) {
      var split = new Split(examples.training(), examples.validation());
      var net = new DeepBeliefNet(setting.device(), course.spec(), VisibleUnits.BINARY, split);
      bench.nets.put(seed, net);
      for (HiddenLayer layer : net.layers()) {
        setting.doing("seed %d, machine %d of %d", seed, layer.number(), DEPTH);
        net.pretrain(
            layer,
            options,
            new PretrainingListener() {
              @Override
              public void epochEnded(PretrainingEpoch epoch) {
                if (machines != null && epoch.epoch() == epoch.epochs()) {
                  machines.row(
                      layer.number(), layer.visible(), layer.hidden(), epoch.reconstructionError(), epoch.gap());
                }
              }
            });
      }
    }
  }

  private static Tuned tuned(Bench bench, Start start, double[] rates, int seeds, Table grid) {
    List<Outcome> outcomes = new ArrayList<>();
    for (double rate : rates) {
      bench.setting.doing("%s, rate %s", start.name, Numbers.text(rate));
      Outcome outcome = bench.train(start, rate, bench.setting.seed());
      grid.row(start.name, rate, outcome.losses[outcome.losses.length - 1], 100 * outcome.last());
      outcomes.add(outcome);
    }
    Outcome best = outcomes.stream().max((a, b) -> Double.compare(a.last(), b.last())).orElseThrow();
    List<Outcome> bySeed = new ArrayList<>(List.of(best));
    for (int seed = 1; seed < seeds; seed++) {
      bench.setting.doing("%s, seed %d of %d", start.name, seed + 1, seeds);
      bySeed.add(bench.train(start, best.rate, bench.setting.seed() + seed));
    }
    return new Tuned(start, bySeed);
  }

  private static Findings findings(
      Bench bench, List<Tuned> all, int seeds, double[] rates, List<Table> tables, PretrainingOptions options) {
    Table results =
        new Table(
            "rbm-pretraining",
            "After "
                + bench.epochs
                + " epochs of fine-tuning at the best rate, "
                + seeds
                + (seeds == 1 ? " seed" : " seeds"),
            "start",
            "rate",
            "training loss",
            "test accuracy in %",
            "least",
            "most");
    double[] at = Numbers.counting(1, bench.epochs);
    Panel losses = Panel.of("Training loss, each at its best rate, first seed", "epochs", "loss", Scale.LOG_Y);
    Panel accuracies = Panel.of("Validation, first seed", "epochs", "accuracy in %", Scale.LINEAR);
    for (Tuned tuned : all) {
      double[] test = tuned.test();
      results.row(
          tuned.start.name,
          tuned.first().rate,
          Numbers.mean(tuned.losses()),
          Numbers.mean(test),
          Arrays.stream(test).min().orElseThrow(),
          Arrays.stream(test).max().orElseThrow());
      String name = tuned.start.name + ", rate " + Numbers.text(tuned.first().rate);
      losses = losses.line(name, at, tuned.first().losses);
      accuracies = accuracies.line(name, at, Arrays.stream(tuned.first().accuracies).map(a -> 100 * a).toArray());
    }
    List<Table> shown = new ArrayList<>(List.of(results));
    shown.addAll(tables);
    return new Findings(
        shown,
        List.of(new Figure("rbm-pretraining", 2, List.of(losses, accuracies))),
        filters(bench),
        all.stream().filter(tuned -> tuned.start.claimed).map(tuned -> better(all.getFirst(), tuned)).toList(),
        List.of(
            DEPTH
                + " hidden layers of "
                + WIDTH
                + " sigmoids, "
                + bench.examples.training().size()
                + " training images scaled to [0, 1], momentum 0.9, batches of "
                + BATCH
                + "; Hinton's nets were wider and saw 60,000 images for longer",
            "tuning budget: the rates "
                + Arrays.toString(rates)
                + " for each start, of which validation of the first seed takes the best; pre-training is not tuned: "
                + options.epochs()
                + " epochs of CD-1 a layer with the numbers of Hinton's guide (2010), which is time that the others do"
                + " not have",
            "Xavier times 4 is what Glorot and Bengio's reasoning gives for sigmoids, whose slope at 0 is 1/4; the"
                + " claim is older than that, so it is only reported"));
  }

  private static Verdict better(Tuned pretrained, Tuned other) {
    double[] with = pretrained.test();
    double[] without = other.test();
    boolean always = IntStream.range(0, with.length).allMatch(seed -> with[seed] > without[seed]);
    return Verdict.that(
        "pre-trained is better on the test set than " + other.start.name + ", for every seed",
        Numbers.text(Numbers.mean(with)) + " % against " + Numbers.text(Numbers.mean(without)) + " % on average",
        "better",
        always);
  }

  /** The first machine's weights as pictures, where inputs are grey ones. */
  private static List<Pictures> filters(Bench bench) {
    Shape image = bench.examples.training().inputType().shape();
    if (image.rank() != 3 || image.last() != 1) {
      return List.of();
    }
    HostTensor weight = bench.nets.get(bench.setting.seed()).weights().get("dense1.weight");
    int pixels = Math.toIntExact(image.size());
    List<double[]> units = new ArrayList<>();
    for (int unit = 0; unit < FILTERS; unit++) {
      double[] values = new double[pixels];
      for (int i = 0; i < pixels; i++) {
        values[i] = weight.get((long) unit * pixels + i);
      }
      units.add(values);
    }
    return List.of(
        new Pictures(
            "filters",
            "Weights of the first " + FILTERS + " hidden units, before fine-tuning",
            8,
            image.dim(1),
            units));
  }
}
