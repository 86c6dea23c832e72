package dev.lamina.device.cuda;

import dev.lamina.device.cuda.library.PrivateCache;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;

/**
 * Which way to compute a convolution won, remembered from one run to the next: timing all of them takes seconds for a
 * large network. A file that cannot be read is only slow.
 */
final class ConvolutionPlans {
  private static final String FILE = "convolutions.properties";

  private final PrivateCache files;

  /** A winner. */
  sealed interface Choice {
    /** Scratch memory that it needs. */
    long workspaceBytes();
  }

  /**
   * An algorithm of the legacy calls.
   *
   * @param algorithm its number in cuDNN
   */
  record Legacy(int algorithm, long workspaceBytes) implements Choice {}

  /**
   * An engine of the graph API.
   *
   * @param engine its number among those for the operation
   * @param knobs how it is set
   */
  record Graph(long engine, List<Knob> knobs, long workspaceBytes) implements Choice {
    Graph {
      knobs = List.copyOf(knobs);
    }
  }

  /**
   * A setting of an engine.
   *
   * @param type a number of cuDNN's, which differs from version to version
   */
  record Knob(int type, long value) {}

  /** What {@code files} remember. */
  ConvolutionPlans(PrivateCache files) {
    this.files = files;
  }

  /** The winner for {@code key}, if it is known. */
  Optional<Choice> find(String key) {
    return parse(read().getProperty(key, ""));
  }

  /** Remembers a winner, beside those that other processes found meanwhile. */
  void put(String key, Choice choice) {
    Properties known = read();
    known.setProperty(key, text(choice));
    StringWriter text = new StringWriter();
    try {
      known.store(text, null);
    } catch (IOException e) {
      throw new IllegalStateException("a text in memory takes everything", e);
    }
    files.keep(FILE, text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private Properties read() {
    Properties known = new Properties();
    files
        .get(FILE)
        .ifPresent(bytes -> {
          try {
            known.load(new StringReader(new String(bytes, StandardCharsets.UTF_8)));
          } catch (IOException | IllegalArgumentException _) {
            known.clear();
          }
        });
    return known;
  }

  /** One line: the source, the workspace, then what the source needs. */
  static String text(Choice choice) {
    return switch (choice) {
      case Legacy(int algorithm, long workspaceBytes) -> "legacy " + workspaceBytes + " " + algorithm;
      case Graph(long engine, List<Knob> knobs, long workspaceBytes) ->
          "graph "
              + workspaceBytes
              + " "
              + engine
              + knobs.stream().map(knob -> " " + knob.type + "=" + knob.value).collect(Collectors.joining());
    };
  }

  /** The choice that {@link #text} wrote; empty if somebody else did. */
  static Optional<Choice> parse(String text) {
    String[] words = text.split(" ", -1);
    try {
      if (words.length == 3 && words[0].equals("legacy")) {
        return Optional.of(new Legacy(Integer.parseInt(words[2]), Long.parseLong(words[1])));
      }
      if (words.length >= 3 && words[0].equals("graph")) {
        List<Knob> knobs = Arrays.stream(words).skip(3).map(ConvolutionPlans::knob).toList();
        return Optional.of(new Graph(Long.parseLong(words[2]), knobs, Long.parseLong(words[1])));
      }
      return Optional.empty();
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  private static Knob knob(String text) {
    int middle = Math.max(0, text.indexOf('='));
    return new Knob(Integer.parseInt(text, 0, middle, 10), Long.parseLong(text.substring(middle + 1)));
  }
}
