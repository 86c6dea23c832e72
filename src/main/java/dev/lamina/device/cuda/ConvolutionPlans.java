package dev.lamina.device.cuda;

import dev.lamina.device.cuda.library.PrivateCache;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Properties;

/**
 * Which algorithm won for a convolution, remembered from one run to the next: timing all of them takes seconds for a
 * large network. A file that cannot be read is only slow.
 */
final class ConvolutionPlans {
  private static final String FILE = "convolutions.properties";

  private final PrivateCache files;
  private final Properties known = new Properties();

  /**
   * A winner.
   *
   * @param algorithm its number in cuDNN
   * @param workspaceBytes what it needs
   */
  record Choice(int algorithm, long workspaceBytes) {}

  /** What {@code files} remember. */
  ConvolutionPlans(PrivateCache files) {
    this.files = files;
    files
        .get(FILE)
        .ifPresent(bytes -> {
          try {
            known.load(new StringReader(new String(bytes, StandardCharsets.UTF_8)));
          } catch (IOException | IllegalArgumentException _) {
            known.clear();
          }
        });
  }

  /** The winner for {@code key}, if it is known. */
  Optional<Choice> find(String key) {
    String text = known.getProperty(key, "");
    int gap = text.indexOf(' ');
    try {
      return gap < 0
          ? Optional.empty()
          : Optional.of(new Choice(Integer.parseInt(text.substring(0, gap)), Long.parseLong(text.substring(gap + 1))));
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  /** Remembers a winner. */
  void put(String key, Choice choice) {
    known.setProperty(key, choice.algorithm + " " + choice.workspaceBytes);
    StringWriter text = new StringWriter();
    try {
      known.store(text, null);
    } catch (IOException e) {
      throw new IllegalStateException("a text in memory takes everything", e);
    }
    files.put(FILE, text.toString().getBytes(StandardCharsets.UTF_8));
  }
}
