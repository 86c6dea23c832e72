package dev.lamina.study.experiments;

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
import dev.lamina.study.ConfidenceInterval;
import dev.lamina.study.Course;
import dev.lamina.study.Edges;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.Networks;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Pictures;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
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

/**
 * A deep sigmoid net that begins with what restricted Boltzmann machines learned, beside those that begin with noise.
 */
final class RbmPretraining {
  static final Study STUDY =
      new Study(
          "rbm-pretraining",
          "a deep sigmoid net that was pre-trained layer by layer with restricted Boltzmann machines gets better than"
              + " the same net from small normal, Xavier's or He's numbers, with the same fine-tuning",
          "Hinton, Osindero and Teh 2006, A fast learning algorithm for deep belief nets; Erhan et al. 2010, Why does"
              + " unsupervised pre-training help deep learning?; beside Glorot and Bengio 2010",
          "3 min",
          RbmPretraining::run);

  private static final int BATCH = 100;
  private static final int VALIDATION = 2000;
  private static final int FILTERS = 64;
  private static final double[] RATES = {0.01, 0.03, 0.1, 0.3};

  /** Hinton's guide, untuned. */
  private static final PretrainingOptions GUIDE = PretrainingOptions.DEFAULTS;

  /**
   * How much is tried.
   *
   * @param depth hidden layers
   * @param width of each
   * @param seeds that are measured
   * @param epochs of fine-tuning
   * @param pretraining epochs of each machine
   * @param images to learn from
   */
  record Extent(int depth, int width, int seeds, int epochs, int pretraining, int images) {}

  /**
   * A start.
   *
   * @param weight draws weights; of a pre-trained net those of the top layer
   * @param pretrained whether machines learn the others
   * @param claimed whether the claim is about it
   */
  record Start(String name, Initializer weight, boolean pretrained, boolean claimed) {}

  static final List<Start> STARTS =
      List.of(
          new Start("pre-trained", new Xavier(), true, false),
          new Start("0.01 N", new Normal(0.01), false, true),
          new Start("Xavier", new Xavier(), false, true),
          new Start("He", new He(), false, true),
          new Start("Xavier times 4", new Xavier(Distribution.UNIFORM, 4), false, false));

  /** What pixels become in front of the first layer. */
  private record Inputs(String name, Preprocessing preprocessing) {}

  /** Probabilities, as binary visible units take them. */
  private static final Inputs UNIT = new Inputs("0 to 1", new Preprocessing.MinMax());

  /** Centred ones are better for a net that begins with noise, so that may have them. */
  private static final Inputs CENTRED = new Inputs("z-score", new Preprocessing.ZScore());

  /**
   * A fine-tuning.
   *
   * @param losses of training, by epoch
   * @param validation accuracy in %, by epoch; only the last where nobody wants to see the others
   * @param test accuracy in %
   */
  private record Outcome(double[] losses, double[] validation, double test) {
    double loss() {
      return losses[losses.length - 1];
    }

    double last() {
      return validation[validation.length - 1];
    }
  }

  /** The trainings from one start at what was best for it, by seed, and what that was in validation. */
  private record Tuned(Start start, Inputs inputs, double rate, double validation, List<Outcome> outcomes) {
    double[] test() {
      return Numbers.each(outcomes, Outcome::test);
    }

    String label() {
      return start.name + ", " + inputs.name + ", rate " + Numbers.text(rate);
    }
  }

  /** What is the same for all trainings; nets are by seed. */
  private record Bench(Setting setting, Splits examples, Extent extent, Map<Long, DeepBeliefNet> nets)
      implements AutoCloseable {

    Course course(Start start, Inputs inputs, long seed) {
      FittedPreprocessing fitted = inputs.preprocessing.fit(examples.training());
      var network = Networks.dense(extent.depth, extent.width, examples.classes(), new Sigmoid(), start.weight);
      return new Course(setting, network, new Momentum(), examples.training(), BATCH, seed, fitted);
    }

    Outcome train(Start start, Inputs inputs, double rate, long seed, boolean drawn) {
      int epochs = extent.epochs;
      try (Course course = course(start, inputs, seed)) {
        if (start.pretrained) {
          course.load(nets.get(seed).weights());
        }
        double[] losses = new double[epochs];
        double[] validation = new double[drawn ? epochs : 1];
        for (int epoch = 0; epoch < epochs; epoch++) {
          losses[epoch] = course.train(course.stepsPerEpoch(), rate).loss();
          if (drawn || epoch == epochs - 1) {
            validation[drawn ? epoch : 0] = 100 * course.judge(examples.validation()).accuracy();
          }
        }
        if (course.diverged()) {
          return new Outcome(new double[] {Double.NaN}, new double[] {0}, 0);
        }
        return new Outcome(losses, validation, 100 * course.judge(examples.test()).accuracy());
      }
    }

    @Override
    public void close() {
      nets.values().forEach(DeepBeliefNet::close);
    }
  }

  private RbmPretraining() {}

  private static Findings run(Setting setting) {
    double[] rates = setting.quick() ? new double[] {0.1} : RATES;
    Extent extent = setting.quick() ? new Extent(5, 200, 2, 5, 4, 3000) : new Extent(5, 200, 3, 15, 10, 10_000);
    return run(setting, STARTS, rates, extent);
  }

  /**
   * The study in another size.
   *
   * @param starts the pre-trained one first
   */
  static Findings run(Setting setting, List<Start> starts, double[] rates, Extent extent) {
    var options =
        new PretrainingOptions(
            extent.pretraining,
            new ContrastiveDivergence(1),
            GUIDE.rate(),
            GUIDE.gaussianRate(),
            GUIDE.momentum(),
            GUIDE.firstMomentum(),
            GUIDE.firstEpochs(),
            GUIDE.weightDecay());
    Table machines =
        setting.table(
            "pretraining",
            "Machines after "
                + extent.pretraining
                + " epochs, first seed; the gap is that of free energies, validation less training",
            List.of("layer", "visible", "hidden", "reconstruction error", "gap"));
    Table grid =
        setting
            .table(
                "rates",
                "Validation accuracy in %, a seed that is not used again",
                List.of("start", "inputs", "rate", "training loss", "accuracy"))
            .detail();
    Table results =
        setting.table(
            "rbm-pretraining",
            "After " + extent.epochs + " epochs of fine-tuning at the best rate, " + extent.seeds + " seeds",
            List.of(
                "start",
                "inputs",
                "rate",
                "training loss",
                "test accuracy in %",
                "least",
                "most",
                "validation of the tuning seed in %"));
    try (Arena arena = Arena.ofShared()) {
      Splits examples = Splits.open(setting, arena, extent.images, VALIDATION, setting.sized(10_000, 2000));
      try (Bench bench = new Bench(setting, examples, extent, new HashMap<>())) {
        for (int seed = 0; seed <= extent.seeds; seed++) {
          pretrain(bench, setting.seed(seed), options, seed == 1 ? machines : null);
        }
        List<Tuned> all = new ArrayList<>();
        Edges edges = new Edges();
        for (Start start : starts) {
          Tuned tuned = tuned(bench, start, rates, grid);
          all.add(tuned);
          double[] test = tuned.test();
          results.row(
              start.name,
              tuned.inputs.name,
              tuned.rate,
              Numbers.mean(tuned.outcomes, Outcome::loss),
              Numbers.mean(test),
              Numbers.least(test),
              Numbers.most(test),
              tuned.validation);
          edges.look(start.name, tuned.rate, rates);
        }
        return findings(bench, all, rates, edges, List.of(results, machines, grid), options);
      }
    }
  }

  private static void pretrain(Bench bench, long seed, PretrainingOptions options, Table machines) {
    Setting setting = bench.setting;
    Splits examples = bench.examples;
    try (Course course = bench.course(STARTS.getFirst(), UNIT, seed)) {
      var split = new Split(examples.training(), examples.validation());
      var net = new DeepBeliefNet(setting.device(), course.spec(), VisibleUnits.BINARY, split);
      bench.nets.put(seed, net);
      for (HiddenLayer layer : net.layers()) {
        setting.doing("seed %d, machine %d of %d", seed, layer.number(), net.layers().size());
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

              @Override
              public boolean wantsStop() {
                return setting.watcher().wantsStop();
              }
            });
        setting.goOn();
      }
    }
  }

  private static Tuned tuned(Bench bench, Start start, double[] rates, Table grid) {
    int seeds = bench.extent.seeds;
    Inputs inputs = UNIT;
    double rate = rates[0];
    double best = -1;
    for (Inputs tried : start.pretrained ? List.of(UNIT) : List.of(UNIT, CENTRED)) {
      for (double triedRate : rates) {
        bench.setting.doing("%s, %s, rate %s", start.name, tried.name, Numbers.text(triedRate));
        Outcome outcome = bench.train(start, tried, triedRate, bench.setting.seed(0), false);
        grid.row(start.name, tried.name, triedRate, outcome.loss(), outcome.last());
        if (outcome.last() > best) {
          best = outcome.last();
          inputs = tried;
          rate = triedRate;
        }
      }
    }
    List<Outcome> outcomes = new ArrayList<>();
    for (int seed = 1; seed <= seeds; seed++) {
      bench.setting.doing("%s, seed %d of %d", start.name, seed, seeds);
      outcomes.add(bench.train(start, inputs, rate, bench.setting.seed(seed), seed == 1));
    }
    return new Tuned(start, inputs, rate, best, outcomes);
  }

  private static Findings findings(
      Bench bench, List<Tuned> all, double[] rates, Edges edges, List<Table> tables, PretrainingOptions options) {
    Panel losses = Panel.of("Training loss, first seed", "epochs", "loss", Scale.LOG_Y);
    Panel accuracies = Panel.of("Validation, first seed", "epochs", "accuracy in %", Scale.LINEAR);
    for (Tuned tuned : all) {
      Outcome first = tuned.outcomes.getFirst();
      losses = losses.line(tuned.label(), Numbers.counting(1, first.losses.length), first.losses);
      accuracies = accuracies.line(tuned.label(), Numbers.counting(1, first.validation.length), first.validation);
    }
    return new Findings(
        tables,
        List.of(new Figure("rbm-pretraining", 2, List.of(losses, accuracies))),
        filters(bench),
        all.stream()
            .filter(tuned -> tuned.start.claimed)
            .map(tuned -> better(tuned.start.name, all.getFirst().test(), tuned.test()))
            .toList(),
        List.of(
            ("%s hidden layers of %s sigmoids, %s training images, momentum 0.9, batches of %s; Hinton's nets"
                    + " were wider and saw 60,000 images for longer")
                .formatted(bench.extent.depth, bench.extent.width, bench.examples.training().size(), BATCH),
            ("tuning budget: the rates %s for each start, with inputs from 0 to 1, and again with z-scores but"
                    + " for the pre-trained one, of which validation takes the best; pre-training is not tuned: %s"
                    + " epochs of CD-1 a layer with the numbers of Hinton's guide (2010), which is time that the others"
                    + " do not have")
                .formatted(Arrays.toString(rates), options.epochs()),
            edges.note(),
            "where the tuning seed and the others lie far apart, a start leaves the plateau late, and in these epochs"
                + " only by chance",
            "Xavier times 4 is what Glorot and Bengio's reasoning gives for sigmoids, whose slope at 0 is 1/4; the"
                + " claim is older than that, so it is only reported"));
  }

  /** Compares test accuracies in %, seed by seed. */
  static Verdict better(String other, double[] with, double[] without) {
    ConfidenceInterval gain = ConfidenceInterval.ofDifference(with, without);
    return Verdict.that(
        "pre-trained is better on the test set than " + other,
        "%s %% against %s %%, a gain of %s points"
            .formatted(Numbers.text(Numbers.mean(with)), Numbers.text(Numbers.mean(without)), gain.text()),
        "better, and the interval excludes 0",
        gain.low() > 0);
  }

  /** The first machine's weights as pictures, where inputs are grey ones. */
  private static List<Pictures> filters(Bench bench) {
    Shape image = bench.examples.training().inputType().shape();
    if (image.rank() != 3 || image.last() != 1) {
      return List.of();
    }
    HostTensor weight = bench.nets.get(bench.setting.seed(1)).weights().get("dense1.weight");
    int pixels = Math.toIntExact(image.size());
    List<double[]> units = new ArrayList<>();
    for (int unit = 0; unit < Math.min(FILTERS, bench.extent.width); unit++) {
      double[] values = new double[pixels];
      for (int i = 0; i < pixels; i++) {
        values[i] = weight.get((long) unit * pixels + i);
      }
      units.add(values);
    }
    return List.of(
        new Pictures(
            "filters",
            "Weights of the first " + units.size() + " hidden units, before fine-tuning",
            8,
            image.dim(1),
            units));
  }
}
