package dev.lamina.study.experiments;

import dev.lamina.nn.activation.Activation;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.nn.activation.Sigmoid;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Setting;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Sigmoid and ReLU through five layers of 100 units, for four scales of the weights. */
final class SigmoidHistograms {
  static final Study STUDY =
      new Study(
              "sigmoid-histograms",
              "sigmoid units saturate with weights of std 1, all say the same with 0.01, and spread with 1/sqrt(n);"
                  + " ReLU needs sqrt(2/n)",
              "the course notes' own experiment on initialisation: 1000 x 100 inputs, five layers of 100",
              "5 s",
              SigmoidHistograms::run)
          .withoutData();

  private static final int EXAMPLES = 1000;
  private static final int WIDTH = 100;
  private static final int LAYERS = 5;
  private static final int BINS = 30;

  /**
   * A scale of the weights with the published deviation at layer 5.
   *
   * @param sigmoid published for sigmoid
   * @param relu published for ReLU; NaN if it was not
   */
  private record Start(String name, double std, double sigmoid, double relu) {}

  private static final List<Start> STARTS =
      List.of(
          new Start("std 1", 1, .44, Double.NaN),
          new Start("std 0.01", 0.01, .013, 1.5e-6),
          new Start("std 1/sqrt(n)", 1 / Math.sqrt(WIDTH), .125, .15),
          new Start("std sqrt(2/n)", Math.sqrt(2.0 / WIDTH), .17, .87));

  private SigmoidHistograms() {}

  private static Findings run(Setting setting) {
    int seeds = setting.sized(8, 2);
    List<String> columns = new ArrayList<>(List.of("activation", "weights"));
    IntStream.rangeClosed(1, LAYERS).forEach(layer -> columns.add("layer " + layer));
    columns.add("published (layer 5)");
    Table table =
        setting.table("deviations", "Standard deviation after each layer, mean of " + seeds + " seeds", columns);
    List<Verdict> verdicts = new ArrayList<>();
    List<Panel> panels = new ArrayList<>();
    for (Activation activation : List.of(new Sigmoid(), new ReLU())) {
      boolean sigmoid = activation instanceof Sigmoid;
      String word = sigmoid ? "sigmoid" : "ReLU";
      setting.doing("%s", word);
      try (SignalStack stack = new SignalStack(setting, EXAMPLES, WIDTH, LAYERS, activation, BINS)) {
        double[][][] deviations = new double[STARTS.size()][seeds][];
        for (int seed = 0; seed < seeds; seed++) {
          stack.draw(setting.seed(seed));
          for (int i = 0; i < STARTS.size(); i++) {
            SignalStack.Signals signals = stack.at(STARTS.get(i).std);
            deviations[i][seed] = signals.deviation();
            if (seed == 0) {
              panels.addAll(ActivationStatistics.histograms(word + ", " + STARTS.get(i).name, signals));
            }
          }
        }
        for (int i = 0; i < STARTS.size(); i++) {
          Start start = STARTS.get(i);
          double published = sigmoid ? start.sigmoid : start.relu;
          double[] means = Numbers.columnMeans(deviations[i]);
          List<Object> cells = new ArrayList<>(List.of(word, start.name));
          for (double mean : means) {
            cells.add(mean);
          }
          cells.add(published);
          table.row(cells);
          if (!Double.isNaN(published)) {
            verdicts.add(
                Verdict.within(
                    word + ", " + start.name + ": standard deviation at layer 5",
                    means[LAYERS - 1],
                    published,
                    sigmoid ? 0.15 : 0.30));
          }
        }
      }
    }
    return new Findings(
        List.of(table),
        List.of(new Figure("histograms", LAYERS, panels)),
        verdicts,
        List.of(
            EXAMPLES + " x " + WIDTH + " unit Gaussian inputs, " + LAYERS + " layers, no bias; nothing is tuned",
            "for ReLU with std 1 nothing was published"));
  }
}
