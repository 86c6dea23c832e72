package dev.lamina.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.train.recipe.YamlNode;
import java.util.HashSet;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SpaceTest {
  private static final int DRAWS = 10_000;

  private static Interval interval(Interval.Kind kind, double low, double high, int steps) {
    return new Interval(kind, low, high, steps, "test");
  }

  private static Interval logUniform(double low, double high) {
    return interval(Interval.Kind.LOG_UNIFORM, low, high, 0);
  }

  private static Choice choice(String... options) {
    return new Choice(Stream.of(options).<YamlNode>map(option -> new YamlNode.Scalar(option, "test")).toList());
  }

  private static Space.Parameter parameter(String path, Range range) {
    return new Space.Parameter(path, path, range);
  }

  private static DoubleStream numbers(Range range, long seed) {
    Space space = new Space(List.of(parameter("lr", range)));
    return IntStream.rangeClosed(1, DRAWS).mapToDouble(trial -> space.draw(seed, trial).getFirst().number());
  }

  /** Kolmogorov and Smirnov: 1.95/√n is passed by one sample in a thousand if the numbers are uniform. */
  private static void assertUniform(DoubleStream shares) {
    double[] sorted = shares.sorted().toArray();
    double distance = 0;
    for (int i = 0; i < sorted.length; i++) {
      distance = Math.max(distance, Math.max(sorted[i] - i / (double) DRAWS, (i + 1) / (double) DRAWS - sorted[i]));
    }
    assertTrue(distance < 1.95 / Math.sqrt(DRAWS), "distance " + distance);
    assertTrue(sorted[0] >= 0 && sorted[DRAWS - 1] <= 1);
  }

  @Test
  void logUniformIsUniformInPowersOfTen() {
    assertUniform(numbers(logUniform(1e-6, 1e-1), 1).map(x -> (Math.log10(x) + 6) / 5));
  }

  @Test
  void uniformIsUniform() {
    assertUniform(numbers(interval(Interval.Kind.UNIFORM, -2, 3, 0), 2).map(x -> (x + 2) / 5));
  }

  @Test
  void eachWholeNumberAndEachOptionComesAsOften() {
    for (Range range : List.of(interval(Interval.Kind.INTEGER, 3, 6, 0), choice("a", "b", "c", "d"))) {
      int first = range instanceof Choice ? 0 : 3;
      int[] counts = new int[4];
      numbers(range, 3).forEach(x -> counts[(int) x - first]++);
      for (int count : counts) { // 5 standard deviations of a count of p = 1/4
        assertEquals(DRAWS / 4.0, count, 5 * Math.sqrt(DRAWS * 3 / 16.0));
      }
    }
  }

  @Test
  void aTrialsValuesDependOnSeedNumberAndPathAlone() {
    Space one = new Space(List.of(parameter("lr", logUniform(1e-4, 1))));
    Space two = new Space(List.of(parameter("batch", choice("32", "64")), parameter("lr", logUniform(1e-4, 1))));
    assertEquals(one.draw(5, 7).getFirst(), two.draw(5, 7).getLast());
    assertNotEquals(one.draw(5, 7), one.draw(5, 8));
    assertNotEquals(one.draw(5, 7), one.draw(6, 7));
    // As computed by a program of its own in another language: a search may be continued by a later version.
    assertEquals("1.265032E-4", one.draw(5, 7).getFirst().text());
  }

  @Test
  void parametersAreDrawnIndependently() {
    Space space =
        new Space(
            List.of(
                parameter("lr", interval(Interval.Kind.UNIFORM, -1, 1, 0)),
                parameter("l2", interval(Interval.Kind.UNIFORM, -1, 1, 0))));
    double sum =
        IntStream.rangeClosed(1, DRAWS)
            .mapToObj(trial -> space.draw(1, trial))
            .mapToDouble(values -> values.get(0).number() * values.get(1).number())
            .sum();
    // Products of two such numbers have the standard deviation 1/3.
    assertEquals(0, sum / DRAWS, 5 / (3 * Math.sqrt(DRAWS)));
  }

  @Test
  void aValueIsWhatItsTextSays() {
    numbers(logUniform(1e-6, 1e-1), 4)
        .limit(100)
        .forEach(x -> {
          String digits = Double.toString(x).replaceAll("E.*", "").replaceAll("^0\\.0*|\\.", "");
          assertTrue(digits.length() <= 7, x + " has more digits than a table shows");
        });
    Value value = logUniform(1e-6, 1e-1).draw(0.3);
    assertEquals(value.number(), Double.parseDouble(value.text()));
  }

  @Test
  void aGridHasEveryCombinationOnce() {
    Space space =
        new Space(
            List.of(
                parameter("lr", interval(Interval.Kind.LOG_UNIFORM, 1e-4, 1e-1, 4)),
                parameter("units", interval(Interval.Kind.INTEGER, 1, 3, 3)),
                parameter("optimizer", choice("sgd", "adam"))));
    List<List<Value>> grid = space.grid();
    assertEquals(24, grid.size());
    assertEquals(24, new HashSet<>(grid).size());
    List<Double> rates = grid.stream().map(values -> values.getFirst().number()).distinct().toList();
    assertEquals(List.of(1e-4, 1e-3, 1e-2, 1e-1), rates);
    assertTrue(new Space(List.of(parameter("lr", logUniform(1e-4, 1)))).grid().isEmpty(), "nobody said how many steps");
  }

  @Test
  void rangesShrinkAroundTheBestAndStayWithin() {
    Interval wide = logUniform(1e-6, 1e-1);
    List<Value> best = List.of(wide.draw(0.5), wide.draw(0.6));
    Interval narrow = wide.around(best);
    assertEquals(0.4, wide.share(narrow.low()), 1e-6);
    assertEquals(0.7, wide.share(narrow.high()), 1e-6);
    Interval atTheEnd = wide.around(List.of(wide.draw(0.02)));
    assertEquals(1e-6, atTheEnd.low());
    assertEquals(0.12, wide.share(atTheEnd.high()), 1e-6);

    Interval whole =
        interval(Interval.Kind.INTEGER, 1, 4, 3).around(List.of(interval(Interval.Kind.INTEGER, 1, 4, 0).draw(0.3)));
    assertTrue(whole.low() <= 2 && whole.high() >= 2 && whole.low() < whole.high(), whole.toString());

    Choice some = choice("a", "b", "c");
    Choice two = some.around(List.of(some.draw(0.9), some.draw(0.1)));
    assertEquals(List.of("a", "c"), two.options().stream().map(YamlNode::line).toList());
    assertEquals(2, two.draw(0.9).number(), "an option keeps its place through the stages");
  }

  @Test
  void rangesThatAreNoneAreRefused() {
    assertTrue(refused(Interval.Kind.UNIFORM, 2, 1, 0).contains("the lower first"));
    assertTrue(refused(Interval.Kind.LOG_UNIFORM, 0, 1, 0).contains("above 0"));
    assertTrue(refused(Interval.Kind.INTEGER, 0, 1.5, 0).contains("whole numbers"));
    assertTrue(refused(Interval.Kind.INTEGER, 0, 2e9, 0).contains("0 and 2000000000 are too far apart"));
    assertTrue(refused(Interval.Kind.UNIFORM, 0, 1, 1).contains("a grid has 2 to 1000000 steps, got 1"));
    assertTrue(refused(Interval.Kind.LOG_UNIFORM, 1e-4, 1, 1_000_000_000).contains("2 to 1000000 steps"));
    assertTrue(refused(Interval.Kind.INTEGER, 0, 2, 4).contains("no more steps than there are"));
  }

  @Test
  void aGridOfTooManyPointsIsRefusedBeforeItIsMade() {
    Interval fine = interval(Interval.Kind.UNIFORM, 0, 1, 1_000_000);
    Space space = new Space(List.of(parameter("lr", fine), parameter("momentum", fine), parameter("l2", fine)));
    String complaint = assertThrows(IllegalArgumentException.class, space::grid).getMessage();
    assertTrue(complaint.contains("more than a million points"), complaint);
    assertEquals(0, new Space(List.of(parameter("lr", fine), parameter("l2", logUniform(1e-4, 1)))).points());
  }

  private static String refused(Interval.Kind kind, double low, double high, int steps) {
    return assertThrows(IllegalArgumentException.class, () -> interval(kind, low, high, steps)).getMessage();
  }
}
