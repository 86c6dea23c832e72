package dev.lamina.benchmarks;

import dev.lamina.graph.Philox;
import dev.lamina.graph.RandomStream;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/** Random words one at a time, as the host draws them: the score is nanoseconds a word. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class PhiloxBenchmark {
  private static final int WORDS = 4096;

  @Benchmark
  @OperationsPerInvocation(WORDS)
  public long words() {
    var stream = new RandomStream(42, 7, 0);
    long sum = 0;
    for (int element = 0; element < WORDS; element++) {
      sum += Philox.word(stream, 1, element);
    }
    return sum;
  }
}
