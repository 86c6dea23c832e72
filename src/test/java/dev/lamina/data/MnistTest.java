package dev.lamina.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The real images that lie in the jar. */
class MnistTest {
  private static final Arena ARENA = Arena.ofShared();
  private static Dataset train;
  private static Dataset test;

  @BeforeAll
  static void load() {
    DataSource mnist = DataSource.open("mnist");
    train = mnist.train(ARENA);
    test = mnist.test(ARENA);
  }

  @AfterAll
  static void close() {
    ARENA.close();
  }

  @Test
  void thereAreSixtyAndTenThousandGreyImages() {
    assertEquals(60_000, train.size());
    assertEquals(10_000, test.size());
    assertEquals(TensorType.of(DType.U8, 28, 28, 1), train.inputType());
    assertEquals(train.inputType(), test.inputType());
    assertEquals(10, train.classes());
    assertEquals("9", train.classNames().get(9));
  }

  @Test
  void labelsAreDistributedAsPublished() {
    assertArrayEquals(new int[] {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}, train.classCounts());
    assertArrayEquals(new int[] {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, test.classCounts());
  }

  @Test
  void theFirstExamplesAreTheKnownOnes() {
    int[] firstTrain = {5, 0, 4, 1, 9, 2, 1, 3, 1, 4};
    int[] firstTest = {7, 2, 1, 0, 4, 1, 4, 9, 5, 9};
    for (int i = 0; i < 10; i++) {
      assertEquals(firstTrain[i], train.label(i));
      assertEquals(firstTest[i], test.label(i));
    }
    HostTensor five = train.input(0);
    assertEquals(0, five.get(0), "the corner is background, which is dark");
    assertEquals(3, five.get(5 * 28 + 12), "the first ink, in row 5");
    assertEquals(253, five.get(6 * 28 + 11 + 2));
  }

  @Test
  void theTrainingImagesHaveTheMeanAndDeviationThatEverybodyQuotes() {
    FittedPreprocessing fitted = new Preprocessing.ZScore().fit(train);
    assertEquals(0.1307, fitted.offset().get(0), 0.00005);
    assertEquals(0.3081, 1 / fitted.scale().get(0), 0.00005);
  }

  @Test
  void aTwelfthHeldOutIsAFairSampleOfEveryDigit() {
    Split split = train.split(1 / 12.0, 7);
    assertEquals(5_000, split.validation().size());
    assertEquals(55_000, split.training().size());
    int[] whole = train.classCounts();
    int[] held = split.validation().classCounts();
    for (int digit = 0; digit < 10; digit++) {
      assertTrue(Math.abs(held[digit] - whole[digit] / 12.0) < 1, "digit " + digit + " has " + held[digit]);
    }
  }
}
