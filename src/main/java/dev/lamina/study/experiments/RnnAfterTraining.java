package dev.lamina.study.experiments;

import dev.lamina.nn.recurrent.Lstm;
import dev.lamina.nn.recurrent.Rnn.Nonlinearity;
import dev.lamina.optim.Adam;
import dev.lamina.optim.GradientClip;
import dev.lamina.study.Course;
import dev.lamina.study.Numbers;
import dev.lamina.study.Panel;
import dev.lamina.study.Panel.Curve;
import dev.lamina.study.Panel.Scale;
import dev.lamina.study.Panel.Style;
import dev.lamina.study.Setting;
import dev.lamina.study.Splits;
import dev.lamina.study.Table;
import dev.lamina.study.experiments.VanishingRnn.Net;
import dev.lamina.study.experiments.VanishingRnn.Part;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What recurrent nets leave of a gradient once they have learned to read digits row by row. */
final class RnnAfterTraining {
  private static final double RATE = 3e-3;

  private RnnAfterTraining() {}

  static Part part(Setting setting, Splits examples) {
    int updates = setting.sized(1000, 200);
    int seeds = setting.sized(3, 2);
    Table table =
        setting.table(
            "trained",
            "Row by row, before and after " + updates + " updates by Adam at " + RATE + ", " + seeds + " seeds",
            List.of("net", "share left before", "share left after", "test accuracy in %"));
    String title = "After training, row by row, first seed (dashed: before)";
    Panel panel = Panel.of(title, "row", "norm, of that at the last row", Scale.LOG_Y);
    List<double[]> all = new ArrayList<>();
    for (Net net :
        List.of(
            new Net("RNN, tanh, radius 1", VanishingRnn.rnn(Nonlinearity.TANH, 1)),
            new Net("LSTM, forget bias 1", new Lstm(VanishingRnn.UNITS)))) {
      double[][] figures = new double[seeds][];
      for (int seed = 0; seed < seeds; seed++) {
        setting.doing("%s learns, seed %d of %d", net.name(), seed + 1, seeds);
        var clip = new GradientClip.ByNorm(VanishingRnn.LIMIT);
        try (Course course = VanishingRnn.course(setting, examples, List.of(net.layer()), new Adam(), clip, seed)) {
          double[] before = VanishingRnn.relative(course);
          course.train(updates, RATE);
          double[] after = VanishingRnn.relative(course);
          figures[seed] = new double[] {before[0], after[0], 100 * course.judge(examples.test()).accuracy()};
          if (seed == 0) {
            double[] rows = Numbers.counting(1, after.length);
            panel = panel.line(net.name(), rows, after);
            panel = panel.with(new Curve(net.name() + ", before", rows, before, Style.DASHED));
          }
        }
      }
      double[] means = Numbers.columnMeans(figures);
      table.row(net.name(), means[0], means[1], means[2]);
      all.add(Arrays.stream(figures).mapToDouble(figure -> figure[1]).toArray());
    }
    return new Part(
        List.of(table), List.of(panel), List.of(VanishingRnn.holdsBetter("once trained", "1", all.get(1), all.get(0))));
  }
}
