package dev.lamina.benchmarks.compare;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A {@link Server} seen from the process that compares. */
final class Side implements AutoCloseable {
  private final String contender;
  private final Process process;
  private final BufferedWriter requests;
  private final BufferedReader answers;

  /** Starts it. */
  Side(String contender, int threads) throws IOException {
    this.contender = contender;
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Those of this process, and memory for tasks of 16 M values.
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-Xmx3g");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Server.class.getName()));
    command.addAll(List.of(contender, Integer.toString(threads)));
    var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    // Otherwise PyTorch's library would start with a thread for each core and stay with it.
    builder.environment().put("OMP_NUM_THREADS", Integer.toString(threads));
    process = builder.start();
    requests = process.outputWriter(StandardCharsets.UTF_8);
    answers = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Sends a line and waits for the answer. */
  String ask(String request) throws IOException {
    send(request);
    return answer(request);
  }

  private void send(String request) throws IOException {
    requests.write(request);
    requests.newLine();
    requests.flush();
  }

  private String answer(String request) throws IOException {
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException(contender + " ended while it should '" + request + "'; its message stands above");
    }
    return answer;
  }

  /** The mean time of a run in nanoseconds. */
  double time(long milliseconds) throws IOException {
    return Double.parseDouble(ask("time " + milliseconds));
  }

  /** As {@link #time}, while the other side does the same: nanoseconds for one run of either. */
  double timeBeside(Side other, long milliseconds) throws IOException {
    String request = "time " + milliseconds;
    send(request);
    other.send(request);
    double own = Double.parseDouble(answer(request));
    double others = Double.parseDouble(other.answer(request));
    return 1 / (1 / own + 1 / others);
  }

  @Override
  public void close() throws IOException {
    requests.close();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
    }
  }
}
