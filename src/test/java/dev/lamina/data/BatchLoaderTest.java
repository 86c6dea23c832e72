package dev.lamina.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BatchLoaderTest {
  private final Arena arena = Arena.ofShared();
  private final HostAllocator memory = HostAllocator.in(arena);

  @AfterEach
  void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  @Test
  void anEpochShowsEveryExampleAtMostOnceWithItsOwnLabel() {
    try (BatchLoader loader = shuffled(numbered(103), 10, 9)) {
      assertEquals(10, loader.batchesPerEpoch());
      Set<Integer> seen = new TreeSet<>();
      for (int i = 0; i < 10; i++) {
        Batch batch = loader.next();
        assertEquals(10, batch.count());
        for (int row = 0; row < 10; row++) {
          int example = (int) batch.inputs().get(2L * row);
          assertTrue(seen.add(example), "example " + example + " came twice");
          assertEquals(-example, batch.inputs().get(2L * row + 1));
          assertEquals(example % 3, batch.targets().get(row));
          assertEquals(1, batch.weights().get(row));
        }
        loader.release(batch);
      }
      assertEquals(100, seen.size());
    }
  }

  @Test
  void everyEpochHasItsOwnOrderWhichSeedAndEpochDecide() {
    Dataset data = numbered(40);
    int[] run = examples(shuffled(data, 8, 1), 10);
    assertArrayEquals(run, examples(shuffled(data, 8, 1), 10));
    assertFalse(Arrays.equals(run, examples(shuffled(data, 8, 2), 10)));
    assertFalse(Arrays.equals(Arrays.copyOf(run, 40), Arrays.copyOfRange(run, 40, 80)));
  }

  @Test
  void ordersNeverChange() {
    // As computed by a program of its own in another language.
    assertArrayEquals(new int[] {0, 9, 2, 3, 6, 10, 8, 1, 7, 11, 4, 5}, order(12, 1, 0));
    assertArrayEquals(new int[] {1, 3, 11, 10, 9, 7, 2, 6, 0, 5, 4, 8}, order(12, 1, 1));
    assertArrayEquals(new int[] {1, 4, 6, 10, 8, 3, 0, 9, 7, 5, 2, 11}, order(12, -5, 0));
    int[] large = order(60_000, 42, 3);
    assertArrayEquals(new int[] {28359, 12485, 20523, 23912, 20778, 14645}, Arrays.copyOf(large, 6));
  }

  @Test
  void everyOrderOfFourIsAboutEquallyOften() {
    int[] counts = new int[256];
    for (int epoch = 0; epoch < 24_000; epoch++) {
      int[] order = order(4, 3, epoch);
      counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
    }
    int[] occurring = Arrays.stream(counts).filter(count -> count > 0).toArray();
    assertEquals(24, occurring.length);
    for (int count : occurring) {
      assertEquals(1000, count, 5 * Math.sqrt(1000 * 23 / 24.0), "within five standard deviations");
    }
  }

  @Test
  void evaluationShowsEverythingInOrderAndFillsUpWithWeightlessZeros() {
    try (BatchLoader loader = new BatchLoader(numbered(7), new BatchOrder.Sequential(), 4, 2, memory)) {
      assertEquals(2, loader.batchesPerEpoch());
      for (int pass = 0; pass < 3; pass++) {
        Batch first = loader.next();
        assertArrayEquals(new float[] {0, 0, 1, -1, 2, -2, 3, -3}, first.inputs().toFloats());
        assertArrayEquals(new float[] {1, 1, 1, 1}, first.weights().toFloats());
        loader.release(first);
        Batch second = loader.next();
        assertEquals(3, second.count());
        assertArrayEquals(new float[] {4, -4, 5, -5, 6, -6, 0, 0}, second.inputs().toFloats());
        assertArrayEquals(new float[] {1, 2, 0, 0}, second.targets().toFloats());
        assertArrayEquals(new float[] {1, 1, 1, 0}, second.weights().toFloats());
        loader.release(second);
      }
    }
  }

  @Test
  void aLoaderStartedAtASavedPlaceContinuesExactly() {
    Dataset data = numbered(50);
    int[] whole = examples(shuffled(data, 8, 4), 20);
    for (int done : new int[] {0, 1, 5, 6, 7, 11, 12, 13}) {
      BatchPosition saved;
      try (BatchLoader before = shuffled(data, 8, 4)) {
        for (int i = 0; i < done; i++) {
          before.release(before.next());
        }
        saved = before.position();
      }
      assertEquals(new BatchPosition(done / 6, done % 6), saved);
      try (BatchLoader after = new BatchLoader(data, new BatchOrder.Shuffled(4), 8, 3, memory, saved)) {
        assertArrayEquals(Arrays.copyOfRange(whole, done * 8, 160), examples(after, 20 - done));
      }
    }
  }

  @Test
  void theEndOfAnEpochIsTheBeginningOfTheNext() {
    Dataset data = numbered(16);
    int[] fromEnd =
        examples(new BatchLoader(data, new BatchOrder.Shuffled(4), 8, 2, memory, new BatchPosition(0, 2)), 2);
    assertArrayEquals(order(16, 4, 1), fromEnd);
    assertThrows(
        IllegalArgumentException.class,
        () -> new BatchLoader(data, new BatchOrder.Shuffled(4), 8, 2, memory, new BatchPosition(0, 3)));
  }

  @Test
  void theNumberOfSlotsDoesNotChangeTheBatches() {
    Dataset data = numbered(30);
    int[] expected = examples(shuffled(data, 4, 8), 15);
    for (int slots : new int[] {1, 2, 7}) {
      assertArrayEquals(expected, examples(new BatchLoader(data, new BatchOrder.Shuffled(8), 4, slots, memory), 15));
    }
  }

  @Test
  void bufferAndBatchAreTheConsumersUntilItGivesThemBack() throws InterruptedException {
    try (BatchLoader loader = new BatchLoader(numbered(64), new BatchOrder.Sequential(), 4, 3, memory)) {
      Batch kept = loader.next();
      float[] before = kept.inputs().toFloats();
      for (int i = 0; i < 40; i++) {
        Batch other = loader.next();
        assertNotSame(kept, other);
        loader.release(other);
      }
      assertArrayEquals(before, kept.inputs().toFloats());
      Batch second = loader.next();
      loader.release(kept); // out of order
      loader.release(second);
      assertThrows(IllegalArgumentException.class, () -> loader.release(second), "twice");
    }
  }

  @Test
  void askingForMoreThanThereIsFailsInsteadOfWaitingForEver() {
    try (BatchLoader loader = shuffled(numbered(20), 4, 1)) {
      for (int i = 0; i < 3; i++) {
        loader.next();
      }
      String line = assertThrows(IllegalStateException.class, loader::next).getMessage();
      assertEquals("all 3 batches are in use; release one before the next is asked for", line);
    }
  }

  @Test
  void aFailureOnTheOtherThreadReachesTheConsumer() {
    Arena data = Arena.ofShared();
    HostTensor inputs = HostTensor.allocate(data, TensorType.f32(8, 2));
    Dataset dataset = Dataset.withTargets("volatile", inputs, HostTensor.allocate(arena, TensorType.f32(8)));
    try (BatchLoader loader = shuffled(dataset, 2, 1)) {
      Batch[] held = {loader.next(), loader.next(), loader.next()};
      data.close(); // nothing is being copied: all slots are held
      loader.release(held[0]);
      var failure = assertThrows(IllegalStateException.class, loader::next);
      assertTrue(
          failure.getMessage().startsWith("batch 3 of epoch 0 of volatile could not be prepared: "),
          failure.getMessage());
      assertTrue(failure.getCause() instanceof IllegalStateException);
    }
  }

  @Test
  void batchesThatWereReadyBeforeAFailureAreStillDelivered() {
    Arena data = Arena.ofShared();
    HostTensor inputs = HostTensor.allocate(data, TensorType.f32(8, 2));
    Dataset dataset = Dataset.withTargets("volatile", inputs, HostTensor.allocate(arena, TensorType.f32(8)));
    try (BatchLoader loader = shuffled(dataset, 2, 1)) {
      Batch[] held = {loader.next(), loader.next(), loader.next()};
      data.close();
      for (Batch batch : held) {
        assertEquals(2, batch.count());
        loader.release(batch);
      }
      assertThrows(IllegalStateException.class, loader::next);
      assertThrows(IllegalStateException.class, loader::next, "and again");
    }
  }

  @Test
  void closingEndsTheThreadAtOnceEvenWhileItWaits() {
    BatchLoader loader = shuffled(numbered(20), 4, 1);
    Thread worker = loader.worker();
    Batch batch = loader.next();
    loader.close();
    assertFalse(worker.isAlive());
    loader.close();
    assertThrows(IllegalStateException.class, loader::next);
    loader.release(batch);
    arena.close(); // nobody reads it any more
  }

  @Test
  void anInterruptWhileWaitingCancels() {
    try (BatchLoader loader = shuffled(numbered(20), 4, 1)) {
      Thread.currentThread().interrupt();
      // Sooner or later the consumer is faster than the loader and has to wait.
      assertThrows(
          CancellationException.class,
          () -> {
            while (true) {
              loader.release(loader.next());
            }
          });
      assertTrue(Thread.interrupted(), "the interrupt is kept for others to see");
    }
  }

  @Test
  void neitherThreadMakesGarbage() {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (BatchLoader loader = shuffled(numbered(1000), 10, 1)) {
      long worker = loader.worker().threadId();
      long consumer = Thread.currentThread().threadId();
      long checksum = 0;
      for (int i = 0; i < 3_000; i++) { // 30 epochs until everything that is going to be compiled or linked is
        checksum += pass(loader);
      }
      long workerBefore = threads.getThreadAllocatedBytes(worker);
      long consumerBefore = threads.getThreadAllocatedBytes(consumer);
      long measuring = threads.getThreadAllocatedBytes(consumer) - consumerBefore;
      long workerStart = threads.getThreadAllocatedBytes(worker);
      long consumerStart = threads.getThreadAllocatedBytes(consumer);
      for (int i = 0; i < 1_000; i++) {
        checksum += pass(loader);
      }
      long consumerBytes = threads.getThreadAllocatedBytes(consumer) - consumerStart - measuring;
      long workerBytes = threads.getThreadAllocatedBytes(worker) - workerStart;
      assertTrue(workerBefore > 0 && checksum > 0, "both threads have been measured at work");
      assertEquals(0, consumerBytes, "bytes allocated by the consumer in 1000 batches");
      assertEquals(0, workerBytes, "bytes allocated by the loader in 1000 batches");
    }
  }

  private static long pass(BatchLoader loader) {
    Batch batch = loader.next();
    long sum = batch.count();
    loader.release(batch);
    return sum;
  }

  @Test
  void aTrainingSetSmallerThanABatchIsOneLine() {
    Dataset data = numbered(5);
    String line = assertThrows(BadInputException.class, () -> shuffled(data, 6, 1)).getMessage();
    assertEquals("a batch of 6 cannot be filled from numbers, which has 5 examples", line);
  }

  @Test
  void dataConfinedToAThreadIsRefused() {
    try (Arena confined = Arena.ofConfined()) {
      Dataset data =
          Dataset.withTargets(
              "mine",
              HostTensor.allocate(confined, TensorType.f32(4, 2)),
              HostTensor.allocate(confined, TensorType.f32(4)));
      String line = assertThrows(IllegalArgumentException.class, () -> shuffled(data, 2, 1)).getMessage();
      assertEquals("mine lies in a confined arena; batches need a shared one", line);
    }
  }

  @Test
  void aBatchSizeIsANumberOrFull() {
    Dataset data = numbered(5);
    assertEquals(5, BatchSize.parse("full").of(data));
    assertEquals(5, BatchSize.parse("5").of(data));
    assertEquals(
        "batch 6 is larger than numbers, which has 5 examples; use at most that, or 'full'",
        assertThrows(BadInputException.class, () -> BatchSize.parse("6").of(data)).getMessage());
    assertEquals(
        "the batch is a number of examples or 'full', got 'ful'",
        assertThrows(BadInputException.class, () -> BatchSize.parse("ful")).getMessage());
    assertThrows(BadInputException.class, () -> BatchSize.parse("0"));
    assertThrows(BadInputException.class, () -> BatchSize.parse("full").of(data.take(0)));
  }

  @Test
  void buffersComeFromTheGivenMemoryAndNowhereElse() {
    List<TensorType> asked = new ArrayList<>();
    HostAllocator counting =
        type -> {
          asked.add(type);
          return memory.allocate(type);
        };
    new BatchLoader(numbered(9), new BatchOrder.Shuffled(1), 4, 2, counting).close();
    List<TensorType> slot = List.of(TensorType.f32(4, 2), TensorType.of(DType.I32, 4), TensorType.f32(4));
    assertEquals(List.of(slot, slot), List.of(asked.subList(0, 3), asked.subList(3, asked.size())));
  }

  private BatchLoader shuffled(Dataset data, int batchSize, long seed) {
    return new BatchLoader(data, new BatchOrder.Shuffled(seed), batchSize, 3, memory);
  }

  /** The examples of the next {@code batches}; closes the loader. */
  private static int[] examples(BatchLoader opened, int batches) {
    try (BatchLoader loader = opened) {
      List<Integer> examples = new ArrayList<>();
      for (int i = 0; i < batches; i++) {
        Batch batch = loader.next();
        for (int row = 0; row < batch.count(); row++) {
          examples.add((int) batch.inputs().get(2L * row));
        }
        loader.release(batch);
      }
      return examples.stream().mapToInt(Integer::intValue).toArray();
    }
  }

  private static int[] order(int size, long seed, int epoch) {
    int[] places = new int[size];
    BatchLoader.fill(places, new BatchOrder.Shuffled(seed), epoch, new SplitMix64());
    return places;
  }

  /** Example i is the vector (i, −i) of class i mod 3. */
  private Dataset numbered(int count) {
    HostTensor inputs = HostTensor.allocate(arena, TensorType.f32(count, 2));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, count));
    for (int i = 0; i < count; i++) {
      inputs.set(2L * i, i);
      inputs.set(2L * i + 1, -i);
      labels.set(i, i % 3);
    }
    return Dataset.labelled("numbers", inputs, labels, Labels.numbered(3));
  }
}
