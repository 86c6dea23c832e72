package dev.lamina.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DatasetTest {
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void subsetsAreViewsOfTheSameMemory() {
    Dataset data = numbered(0, 1, 0, 1, 0);
    Dataset view = data.subset(new int[] {4, 1, 1}).take(2);
    assertEquals(2, view.size());
    assertEquals(4, view.input(0).get(0));
    assertEquals(1, view.label(1));
    assertArrayEquals(new int[] {1, 1}, view.classCounts());
    data.input(4).set(0, 99);
    assertEquals(99, view.input(0).get(0), "nothing was copied");
    assertEquals(5, data.take(100).size());
    assertEquals(3, data.subset(new int[] {4, 1, 3}).subset(new int[] {2}).input(0).get(0));
  }

  @Test
  void numbersAreTargetsToo() {
    Dataset xor =
        Dataset.withTargets(
            "xor",
            HostTensor.of(arena, Shape.of(4, 2), 0, 0, 0, 1, 1, 0, 1, 1),
            HostTensor.of(arena, Shape.of(4, 1), 0, 1, 1, 0));
    assertEquals(TensorType.f32(2), xor.inputType());
    assertEquals(TensorType.f32(1), xor.targetType());
    assertEquals(0, xor.classes());
    assertEquals(1, xor.target(2).get(0));
    assertThrows(IllegalStateException.class, () -> xor.label(0));
    assertEquals(1, xor.split(0.25, 3).validation().size());
  }

  @Test
  void whatDoesNotFitIsRefusedWithTheReason() {
    HostTensor inputs = HostTensor.allocate(arena, TensorType.of(DType.U8, 3, 2));
    List<String> two = List.of("a", "b");
    assertEquals(
        "digits: labels must be I32[3], got U8[3]",
        refused(() -> Dataset.labelled("digits", inputs, HostTensor.allocate(arena, TensorType.of(DType.U8, 3)), two)));
    assertEquals(
        "digits: there must be as many targets as inputs, got I32[2] for U8[3,2]",
        refused(
            () -> Dataset.labelled("digits", inputs, HostTensor.allocate(arena, TensorType.of(DType.I32, 2)), two)));
    assertEquals(
        "digits: label 2 of example 0 is none of the 2 classes, which count from 0",
        refused(() ->
            Dataset.labelled("digits", inputs, HostTensor.allocate(arena, TensorType.of(DType.I32, 3)).fill(2), two)));
    assertTrue(
        refused(() ->
                Dataset.withTargets(
                    "digits",
                    HostTensor.allocate(arena, TensorType.of(DType.F64, 3, 2)),
                    HostTensor.allocate(arena, TensorType.f32(3))))
            .contains("got F64[3,2]"));
    assertTrue(
        refused(() -> Dataset.withTargets("digits", inputs, HostTensor.allocate(arena, TensorType.of(DType.I32, 3))))
            .contains("targets must be F32"));
  }

  @Test
  void aSplitLosesNothingSharesNothingAndKeepsTheOrder() {
    Dataset data = numbered(IntStream.range(0, 1000).map(i -> i * i % 7).toArray());
    Split split = data.split(0.13, 5);
    assertEquals(130, split.validation().size());
    int[] training = firstValues(split.training());
    int[] validation = firstValues(split.validation());
    assertArrayEquals(
        IntStream.range(0, 1000).toArray(),
        IntStream.concat(Arrays.stream(training), Arrays.stream(validation)).sorted().toArray());
    assertArrayEquals(Arrays.stream(training).sorted().toArray(), training);
    assertArrayEquals(Arrays.stream(validation).sorted().toArray(), validation);
  }

  @Test
  void everyClassGivesTheSameShare() {
    Dataset data = numbered(IntStream.range(0, 1000).map(i -> i < 900 ? 0 : i < 990 ? 1 : 2).toArray());
    assertArrayEquals(new int[] {180, 18, 2}, data.split(0.2, 1).validation().classCounts());
    assertArrayEquals(new int[] {0, 0, 0}, data.split(0, 1).validation().classCounts());
  }

  @Test
  void theLastExampleOfAClassIsNeverHeldOut() {
    Dataset data = numbered(0, 0, 0, 0, 0, 0, 0, 1);
    for (int seed = 0; seed < 20; seed++) {
      assertArrayEquals(new int[] {6, 0}, data.split(0.8, seed).validation().classCounts());
    }
  }

  @Test
  void theSeedAloneDecidesWhoIsHeldOut() {
    Dataset data = numbered(new int[200]);
    int[] first = firstValues(data.split(0.1, 1).validation());
    assertArrayEquals(first, firstValues(data.split(0.1, 1).validation()));
    assertFalse(Arrays.equals(first, firstValues(data.split(0.1, 2).validation())));
    // As computed by a program of its own in another language: a split must not change from version to version.
    assertArrayEquals(
        new int[] {1, 6, 22, 31, 35, 37, 41, 50, 61, 94, 96, 103, 109, 116, 117, 134, 150, 152, 188, 189}, first);
  }

  @Test
  void foldsHoldEachExampleOutOnce() {
    Dataset data = numbered(IntStream.range(0, 103).map(i -> i % 10 == 0 ? 1 : 0).toArray());
    List<Split> folds = data.folds(5, 7);
    assertEquals(5, folds.size());
    int[] all = IntStream.range(0, 103).toArray();
    for (Split fold : folds) {
      IntStream both =
          IntStream.concat(Arrays.stream(firstValues(fold.training())), Arrays.stream(firstValues(fold.validation())));
      assertArrayEquals(all, both.sorted().toArray(), "the two parts of a fold share nothing and lose nothing");
      int held = fold.validation().size();
      assertTrue(held == 20 || held == 21, held + " of 103 in one of 5 parts");
      int rare = fold.validation().classCounts()[1];
      assertTrue(rare == 2 || rare == 3, rare + " of 11 examples of a class in one of 5 parts");
    }
    int[] held = folds.stream().flatMapToInt(fold -> Arrays.stream(firstValues(fold.validation()))).sorted().toArray();
    assertArrayEquals(all, held, "each example is held out once");
    assertArrayEquals(firstValues(folds.get(2).validation()), firstValues(data.folds(5, 7).get(2).validation()));
    assertFalse(
        Arrays.equals(firstValues(folds.get(2).validation()), firstValues(data.folds(5, 8).get(2).validation())));
    assertTrue(refused(() -> data.folds(1, 7)).contains("2 or more"));
    assertTrue(refused(() -> data.folds(104, 7)).contains("no more than the 103 examples"));
  }

  @Test
  void theSplitsAreNamedForMessages() {
    Split split = numbered(0, 0, 1, 1).split(0.5, 1);
    assertEquals("numbers (training)", split.training().name());
    assertEquals("numbers (validation)", split.validation().name());
    assertNotEquals(split.training().toString(), split.validation().toString());
  }

  @Test
  void aShareOutOfRangeIsRefused() {
    Dataset data = numbered(0, 1);
    for (double share : new double[] {-0.1, 1, Double.NaN}) {
      assertTrue(refused(() -> data.split(share, 1)).contains("must be at least 0 and less than 1"));
    }
  }

  /** Example i is the vector (i, 0) of class labels[i]. */
  private Dataset numbered(int... labels) {
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(labels.length, 2));
    HostTensor classes = HostTensor.allocate(arena, TensorType.of(DType.I32, labels.length));
    for (int i = 0; i < labels.length; i++) {
      inputs.set(2L * i, i);
      classes.set(i, labels[i]);
    }
    int count = Arrays.stream(labels).max().orElse(0) + 1;
    return Dataset.labelled("numbers", inputs, classes, Labels.numbered(count));
  }

  private static int[] firstValues(Dataset data) {
    return IntStream.range(0, data.size()).map(i -> (int) data.input(i).get(0)).toArray();
  }

  private static String refused(Runnable action) {
    return assertThrows(IllegalArgumentException.class, action::run).getMessage();
  }
}
