package dev.lamina.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Lamina and its peers, each in a process of its own with as many threads, in turns: the machine's bad seconds hit
 * both. Prints a line for each task and writes them as JSON.
 */
final class Compare {
  private static final int THREADS = 2;

  /**
   * Between two turns. The threads of OpenBLAS go on for tens of milliseconds after its last product, looking for more
   * work: what was measured at once after it took up to 1.4 times as long.
   */
  private static final long REST_MILLISECONDS = 100;

  private static final String RESULTS = "results";
  private static final String DL4J = ", DL4J";

  /** How much is measured. */
  private record Effort(int rounds, long milliseconds) {
    static final Effort FULL = new Effort(7, 500);
    static final Effort QUICK = new Effort(3, 150);
  }

  /** A line of the table; times are medians over the rounds, in milliseconds. */
  private record Line(String name, double lamina, double peer, String peer_name, double ratio, String unit) {}

  private final Effort effort;
  private final Path scratch;
  private final List<Line> lines = new ArrayList<>();

  private Compare(Effort effort, Path scratch) {
    this.effort = effort;
    this.scratch = scratch;
  }

  /** Arguments: the file to write, then {@code --quick} and a regular expression that names must contain. */
  public static void main(String[] arguments) throws IOException {
    List<String> rest = new ArrayList<>(List.of(arguments));
    Path file = Path.of(rest.removeFirst());
    boolean quick = rest.remove("--quick");
    if (rest.size() > 1 || rest.stream().anyMatch(argument -> argument.startsWith("-"))) {
      refuse("usage: benchmarks/compare [--quick] [REGEX], where REGEX selects tasks by group and name");
    }
    Pattern wanted = pattern(rest.isEmpty() ? "" : rest.getFirst());
    Path scratch = Files.createTempDirectory("compare");
    var compare = new Compare(quick ? Effort.QUICK : Effort.FULL, scratch);
    try {
      compare.run(wanted);
    } finally {
      Files.deleteIfExists(scratch.resolve(RESULTS));
      Files.delete(scratch);
    }
    compare.means();
    JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValue(file, compare.lines);
    System.out.println("\nwritten: " + file);
  }

  private static Pattern pattern(String text) {
    try {
      return Pattern.compile(text);
    } catch (PatternSyntaxException e) {
      refuse("'" + text + "' is no regular expression: " + e.getDescription());
      throw e;
    }
  }

  private static void refuse(String message) {
    System.err.println("benchmarks/compare: " + message);
    System.exit(2);
  }

  private void run(Pattern wanted) throws IOException {
    List<Task> all = Tasks.all();
    Map<String, List<Integer>> groups = new LinkedHashMap<>();
    for (int i = 0; i < all.size(); i++) {
      if (wanted.matcher(title(all.get(i))).find()) {
        groups.computeIfAbsent(all.get(i).group(), _ -> new ArrayList<>()).add(i);
      }
    }
    boolean withDl4j = wanted.matcher(title(all.getFirst()) + DL4J).find();
    if (groups.isEmpty() && !withDl4j) {
      refuse("no task's group and name contain '" + wanted + "'; one is '" + title(all.getFirst()) + "'");
    }
    System.out.printf(
        Locale.ROOT, "%-58s %12s %12s %8s%n", "task (2 threads unless said)", "Lamina ms", "peer ms", "ratio");
    for (Map.Entry<String, List<Integer>> group : groups.entrySet()) {
      String peer =
          switch (group.getKey()) {
            case "matmul" -> "openblas";
            case Tasks.BANDWIDTH -> "copy";
            default -> "pytorch";
          };
      // Fresh processes: what one group taught the compiler is not what the next one needs.
      try (Side lamina = new Side("lamina", THREADS);
          Side other = new Side(peer, THREADS)) {
        for (int task : group.getValue()) {
          // A copy has no results.
          int results = peer.equals("copy") ? 0 : Integer.MAX_VALUE;
          compare(task, title(all.get(task)), all.get(task), lamina, other, results);
        }
      }
      if (group.getKey().equals("step")) {
        singleThread(group.getValue().getFirst(), all, peer);
      }
    }
    if (withDl4j) {
      try (Side lamina = new Side("lamina", THREADS);
          Side dl4j = new Side("dl4j", THREADS)) {
        // Of its results it tells the first loss alone.
        compare(0, title(all.getFirst()) + DL4J, all.getFirst(), lamina, dl4j, 1);
      }
    }
  }

  private static String title(Task task) {
    return task.group() + ": " + task.name();
  }

  /** Compares the times, and at most so many of the results. */
  private void compare(int index, String title, Task task, Side lamina, Side peer, int results) throws IOException {
    List<Side> sides = List.of(lamina, peer);
    prepare(index, task, sides, results);
    double[] times = medians(List.of(lamina::time, peer::time));
    add(new Line(title, times[0], times[1], peer.ask("name"), times[1] / times[0], "ms"));
    lamina.ask("close");
    peer.ask("close");
  }

  /**
   * The first training step with one thread, against the peer, against two threads, and against two processes of one
   * thread each at the same time: these have nothing in common but the machine, and so show what two threads can reach.
   */
  private void singleThread(int index, List<Task> all, String peerKind) throws IOException {
    try (Side one = new Side("lamina", 1);
        Side another = new Side("lamina", 1);
        Side two = new Side("lamina", THREADS);
        Side peer = new Side(peerKind, 1)) {
      Task task = all.get(index);
      prepare(index, task, List.of(one, another, two, peer), Integer.MAX_VALUE);
      Timing atOnce = milliseconds -> one.timeBeside(another, milliseconds);
      double[] times = medians(List.of(one::time, two::time, atOnce, peer::time));
      String title = title(task);
      add(new Line(title + ", 1 thread", times[0], times[3], peer.ask("name"), times[3] / times[0], "ms"));
      String lamina = "Lamina, 1 thread";
      add(new Line(title + ", 2 threads over 1", times[1], times[0], lamina, times[0] / times[1], "ms"));
      add(new Line(title + ", 2 processes over 1", times[2], times[0], lamina, times[0] / times[2], "ms"));
    }
  }

  /** A way to find the nanoseconds of a run, in about so many milliseconds. */
  @FunctionalInterface
  private interface Timing {
    double time(long milliseconds) throws IOException;
  }

  private void prepare(int index, Task task, List<Side> sides, int most) throws IOException {
    for (Side side : sides) {
      side.ask("prepare " + index);
    }
    if (most > 0) {
      check(task, sides, most);
    }
    for (Side side : sides) {
      side.ask("warm");
    }
  }

  /** The first results of all sides are the same, within the task's tolerance. */
  private void check(Task task, List<Side> sides, int most) throws IOException {
    float[] first = null;
    for (Side side : sides) {
      Path file = scratch.resolve(RESULTS);
      side.ask("results " + file);
      float[] results = Floats.read(file);
      results = Arrays.copyOf(results, Math.min(most, results.length));
      Files.delete(file);
      if (first == null) {
        first = results;
      } else {
        double distance = Floats.distance(first, results);
        if (!(distance <= task.tolerance())) {
          throw new IllegalStateException(
              title(task) + ": the results lie " + distance + " apart, where " + task.tolerance() + " is allowed");
        }
      }
    }
  }

  /** The median of each over the rounds, in milliseconds. */
  private double[] medians(List<Timing> timings) throws IOException {
    double[][] times = new double[timings.size()][effort.rounds];
    for (int round = 0; round < effort.rounds; round++) {
      for (int i = 0; i < times.length; i++) {
        rest();
        times[i][round] = timings.get(i).time(effort.milliseconds) / 1e6;
      }
    }
    return Arrays.stream(times)
        .mapToDouble(each -> Arrays.stream(each).sorted().toArray()[effort.rounds / 2])
        .toArray();
  }

  /** Lets threads go to sleep that would take a core from who comes next. */
  private static void rest() {
    try {
      Thread.sleep(REST_MILLISECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException("the comparison was interrupted", e);
    }
  }

  private void add(Line line) {
    lines.add(line);
    System.out.printf(Locale.ROOT, "%-58s %12.3f %12.3f %8.2f%n", line.name, line.lamina, line.peer, line.ratio);
  }

  /** The geometric mean of the ratios of each group. */
  private void means() {
    Map<String, List<Double>> ratios = new LinkedHashMap<>();
    for (Line line : lines) {
      ratios.computeIfAbsent(line.name.substring(0, line.name.indexOf(':')), _ -> new ArrayList<>()).add(line.ratio);
    }
    System.out.println();
    ratios.forEach((group, all) -> {
      double mean = Math.exp(all.stream().mapToDouble(Math::log).average().orElseThrow());
      System.out.printf(Locale.ROOT, "%-58s %34.2f%n", group + ", geometric mean of " + all.size(), mean);
    });
  }
}
