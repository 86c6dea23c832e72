package dev.lamina.study;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.study.Panel.Scale;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FindingsTest {
  @TempDir Path folder;

  @Test
  void columnsAreAlignedAndWhatIsUnknownIsADash() {
    Table table = new Table("t", "title", List.of("name", "value")).row("a", 0.123456).row("long name", Double.NaN);
    assertEquals(List.of("name        value", "a          0.1235", "long name       -"), table.lines());
  }

  @Test
  void csvHasAllDigitsAndQuotesWhatNeedsIt() {
    Table table = new Table("t", "title", List.of("a, b", "c")).row("say \"x\"", 1.0 / 3);
    assertEquals("\"a, b\",c\n\"say \"\"x\"\"\",0.3333333333333333\n", table.csv());
  }

  @Test
  void aRowThatDoesNotFitIsRefused() {
    Table table = new Table("t", "title", List.of("a", "b"));
    assertThrows(IllegalArgumentException.class, () -> table.row(1));
  }

  @Test
  void columnsThatDifferInBlanksAloneAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Table("t", "title", List.of("with", "rate", "with ")));
  }

  @Test
  void numbersKeepFourDigits() {
    assertEquals("2.980e-07", Numbers.text(2.98e-7));
    assertEquals("0.5839", Numbers.text(0.58394));
    assertEquals("10", Numbers.text(10));
    assertEquals("0.1", Numbers.text(0.1));
    assertEquals("49.6 %", Numbers.percent(0.4961));
  }

  @Test
  void quantilesLieBetweenNeighbours() {
    assertEquals(2.5, Numbers.quantile(0.5, 4, 1, 3, 2));
    assertEquals(1, Numbers.quantile(0, 4, 1, 3, 2));
    assertEquals(4, Numbers.quantile(1, 4, 1, 3, 2));
  }

  @Test
  void aToleranceIsAShareOfWhatWasClaimed() {
    assertTrue(Verdict.within("x", 1.049, 1, 0.05).reproduced());
    assertFalse(Verdict.within("x", 1.051, 1, 0.05).reproduced());
    assertFalse(Verdict.within("x", Double.NaN, 1, 0.05).reproduced());
  }

  @Test
  void oneCriterionThatIsMissedMakesTheWholeClaimMissed() {
    Verdict met = Verdict.that("x", "1", "1", true);
    Verdict missed = Verdict.that("y", "1", "2", false);
    assertTrue(new Findings(List.of(), List.of(), List.of(met), List.of()).reproduced());
    assertFalse(new Findings(List.of(), List.of(), List.of(met, missed), List.of()).reproduced());
    assertTrue(missed.line().startsWith("NOT reproduced"));
  }

  /** What has no logarithm is left out; the library refuses it. */
  @Test
  void figuresAreDrawnPanelByPanel() throws IOException {
    Panel lines =
        Panel.of("lines", "x", "y", Scale.LOG_BOTH)
            .line("a", new double[] {1, 2, 3}, new double[] {1, 0, Double.NaN})
            .line("nothing to see", new double[] {1}, new double[] {-1});
    Path file = folder.resolve("lines.png");
    Drawing.write(new Figure("lines", 2, List.of(lines, lines)), file);
    BufferedImage picture = ImageIO.read(file.toFile());
    assertEquals(2 * Drawing.chart(lines).getWidth(), picture.getWidth());
  }

  @Test
  void panelsFillTheirRows() {
    Panel panel = Panel.of("p", "x", "y", Scale.LINEAR);
    assertThrows(IllegalArgumentException.class, () -> new Figure("f", 2, List.of(panel, panel, panel)));
  }

  @Test
  void picturesAreGreyAroundZeroAndEachToItsOwnScale() {
    Pictures pictures = new Pictures("p", "Two", 2, 2, List.of(new double[] {-2, 0, 1, 2}, new double[] {0, 0, 0, 0}));
    BufferedImage image = PictureDrawing.image(pictures);
    int top = image.getHeight() - 4 - 4 - 6; // gaps below, two rows of three pixels
    int[] corners = new int[4];
    for (int i = 0; i < 4; i++) {
      corners[i] = image.getRGB(4 + i % 2 * 3, top + i / 2 * 3) & 0xff;
    }
    assertArrayEquals(new int[] {0, 128, 191, 255}, corners);
    assertEquals(128, image.getRGB(4 + 6 + 4, top) & 0xff, "nothing is grey");
    assertThrows(IllegalArgumentException.class, () -> new Pictures("p", "", 1, 3, List.of(new double[] {1, 2, 3, 4})));
  }
}
