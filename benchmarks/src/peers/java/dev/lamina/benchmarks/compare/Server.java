package dev.lamina.benchmarks.compare;

import dev.lamina.benchmarks.WarmUp;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One contender in a process of its own, which does what its standard input says, a line at a time, and answers each
 * with a line. While it waits it takes nothing from the others.
 */
final class Server implements AutoCloseable {
  private final Contender contender;
  private Trial trial;

  private Server(Contender contender) {
    this.contender = contender;
  }

  /**
   * Arguments: {@code lamina}, {@code pytorch}, {@code openblas}, {@code dl4j} or {@code copy}, and the number of
   * threads.
   */
  public static void main(String[] arguments) throws IOException {
    // Whatever a library prints is for people.
    PrintStream answers = System.out;
    System.setOut(System.err);
    int threads = Integer.parseInt(arguments[1]);
    Contender contender =
        switch (arguments[0]) {
          case "lamina" -> new LaminaContender(threads);
          case "pytorch" -> new TorchContender(threads);
          case "openblas" -> new OpenBlasContender(threads);
          case "copy" -> new CopyContender(threads);
          case "dl4j" -> new Dl4jContender(); // takes its threads from OMP_NUM_THREADS
          default -> throw new IllegalArgumentException("there is no contender '" + arguments[0] + "'");
        };
    try (contender;
        Server server = new Server(contender);
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = requests.readLine(); line != null; line = requests.readLine()) {
        answers.println(server.answer(line));
        answers.flush();
      }
    }
  }

  private String answer(String request) throws IOException {
    int gap = request.indexOf(' ');
    String verb = gap < 0 ? request : request.substring(0, gap);
    String rest = request.substring(gap + 1);
    return switch (verb) {
      case "name" -> contender.name();
      case "prepare" -> {
        close();
        trial = contender.prepare(Tasks.all().get(Integer.parseInt(rest)));
        yield "ready";
      }
      case "results" -> {
        Floats.write(Path.of(rest), trial.results());
        yield "written";
      }
      case "warm" -> {
        WarmUp.of(trial::run);
        yield "warm";
      }
      case "time" -> Double.toString(time(TimeUnit.MILLISECONDS.toNanos(Long.parseLong(rest))));
      case "close" -> {
        close();
        yield "closed";
      }
      default -> throw new IllegalArgumentException("a server does not know '" + request + "'");
    };
  }

  /** The mean time of a run, in nanoseconds, over runs that take {@code budget} together. */
  private double time(long budget) {
    // Not timed: threads wake up, caches fill.
    trial.run();
    long begin = System.nanoTime();
    long runs = 0;
    long elapsed;
    do {
      trial.run();
      runs++;
      elapsed = System.nanoTime() - begin;
    } while (elapsed < budget);
    return (double) elapsed / runs;
  }

  @Override
  public void close() {
    for (Trial last : trial == null ? List.<Trial>of() : List.of(trial)) {
      last.close();
    }
    trial = null;
  }
}
