package dev.lamina.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.device.cuda.library.PrivateCache;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is remembered of convolutions survives a restart, and a file that somebody spoilt. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "CUDA is supported on Linux alone")
class ConvolutionPlansTest {
  private static final ConvolutionPlans.Choice LEGACY = new ConvolutionPlans.Legacy(1, 1L << 40);
  private static final ConvolutionPlans.Choice GRAPH =
      new ConvolutionPlans.Graph(
          38, List.of(new ConvolutionPlans.Knob(2, 131), new ConvolutionPlans.Knob(27, -1)), 4096);
  private static final ConvolutionPlans.Choice PLAIN = new ConvolutionPlans.Graph(0, List.of(), 0);

  @TempDir private Path home;

  private PrivateCache cache() {
    return PrivateCache.open(Map.of("HOME", home.toString()));
  }

  @Test
  void everyChoiceComesBack() {
    var first = new ConvolutionPlans(cache());
    first.put("a GPU/90501/[1,2]=:#", LEGACY);
    first.put("b", GRAPH);
    // Another process, which read before those were written.
    new ConvolutionPlans(cache()).put("c", PLAIN);
    var later = new ConvolutionPlans(cache());
    assertEquals(Optional.of(LEGACY), later.find("a GPU/90501/[1,2]=:#"));
    assertEquals(Optional.of(GRAPH), later.find("b"));
    assertEquals(Optional.of(PLAIN), later.find("c"));
    assertEquals(Optional.empty(), later.find("d"));
  }

  @Test
  void aSpoiltFileIsLikeNone() {
    cache().keep("convolutions.properties", "a=\\u12".getBytes(StandardCharsets.UTF_8));
    var plans = new ConvolutionPlans(cache());
    assertEquals(Optional.empty(), plans.find("a"));
    plans.put("a", LEGACY);
    assertEquals(Optional.of(LEGACY), plans.find("a"));
  }

  /** The second is how they were written before there was a graph API. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1 4096",
        "legacy",
        "legacy 1",
        "legacy 1 2 3",
        "legacy x 1",
        "graph 1 2 3",
        "graph 1 2 =",
        "x 1 2"
      })
  void whatIsNoChoiceIsTimedAgain(String text) {
    assertEquals(Optional.empty(), ConvolutionPlans.parse(text));
  }
}
