package dev.lamina.benchmarks;

import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.Collection;
import java.util.Locale;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.format.OutputFormat;

/** A line for each benchmark, instead of JMH's dozens; and how many began, to be held against how many ended. */
final class Progress implements OutputFormat {
  private final PrintStream out;
  private int started;

  Progress(PrintStream out) {
    this.out = out;
  }

  /** Benchmarks that began. */
  int started() {
    return started;
  }

  @Override
  public void startBenchmark(BenchmarkParams params) {
    started++;
    var name = new StringBuilder(params.getBenchmark().replaceAll(".*\\.(\\w+?)(Benchmark)?\\.\\w+$", "$1"));
    params.getParamsKeys().forEach(key -> name.append(' ').append(params.getParam(key)));
    out.print(name.toString().toLowerCase(Locale.ROOT) + " ... ");
    out.flush();
  }

  @Override
  public void endBenchmark(BenchmarkResult result) {
    if (result != null) {
      var time = result.getPrimaryResult();
      out.println(TextTable.number(time.getScore()) + " " + time.getScoreUnit());
    }
  }

  /** JMH tells its settings in lines that begin with #; what else it says is that something went wrong. */
  @Override
  public void println(String line) {
    if (!line.isBlank() && !line.startsWith("# ")) {
      out.println(line);
    }
  }

  @Override
  public void print(String text) {
    out.print(text);
  }

  @Override
  public void write(int b) {
    out.write(b);
  }

  /** What a forked JVM says, but for the line in which each announces the incubator module. */
  @Override
  public void write(byte[] bytes) {
    String text = new String(bytes, Charset.defaultCharset());
    out.print(text.replaceFirst("WARNING: Using incubator modules: .*\\R", ""));
  }

  @Override
  public void flush() {
    out.flush();
  }

  @Override
  public void close() {
    out.flush();
  }

  @Override
  public void startRun() {}

  @Override
  public void endRun(Collection<RunResult> results) {}

  @Override
  public void iteration(BenchmarkParams benchmark, IterationParams params, int iteration) {}

  @Override
  public void iterationResult(BenchmarkParams benchmark, IterationParams params, int iteration, IterationResult data) {}

  @Override
  public void verbosePrintln(String line) {}
}
