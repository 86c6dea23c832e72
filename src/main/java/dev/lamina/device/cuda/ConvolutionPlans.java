package dev.lamina.device.cuda;

import dev.lamina.device.cuda.library.PrivateCache;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Properties;

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
    files.put(FILE, text.toString().getBytes(StandardCharsets.UTF_8));
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

  static String text(Choice choice) {
    return switch (choice) {
      case Legacy legacy -> "legacy " + legacy.workspaceBytes + " " + legacy.algorithm;
    };
  }

  /** The choice that {@link #text} wrote; empty if it was somebody else. */
  static Optional<Choice> parse(String text) {
    String[] words = text.split(" ", -1);
    try {
      return words.length == 3 && words[0].equals("legacy")
          ? Optional.of(new Legacy(Integer.parseInt(words[2]), Long.parseLong(words[1])))
          : Optional.empty();
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }
}
