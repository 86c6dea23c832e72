package dev.lamina.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SearchPlotTest {
  private static String label(double figure, List<Double> all) {
    return new DecimalFormat(SearchPlot.pattern(all), DecimalFormatSymbols.getInstance(Locale.ROOT)).format(figure);
  }

  @Test
  void figuresAreRoundedToWhatTellsThemApart() {
    double thirds = 100 * 2899 / 3000.0;
    assertEquals("96.633", label(thirds, List.of(97.0, thirds, 96.5)));
    assertEquals("96.63", label(thirds, List.of(thirds)));
    assertEquals("96.6", label(thirds, List.of(thirds, 50.0)));
    assertEquals("0.05", label(0.05, List.of(0.05, 0.2)));
    assertEquals("2013", label(2013.2, List.of(2013.2, 55.0)));
    assertEquals("0", label(0, List.of(0.0)));
    assertEquals("0.5", label(0.5, List.of()));
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-9, 0.07, 1, 45, 1e6})
  void noTwoOfFiftyReadAlike(double span) {
    List<Double> figures = IntStream.range(0, 50).mapToObj(i -> 3 + span * i / 49).toList();
    assertEquals(50, figures.stream().map(figure -> label(figure, figures)).distinct().count());
  }
}
