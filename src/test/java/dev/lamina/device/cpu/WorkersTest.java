package dev.lamina.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class WorkersTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void everyChunkRunsExactlyOnceBeforeRunReturns(int threads) {
    try (var workers = new Workers(threads)) {
      for (int round = 0; round < 20_000; round++) {
        int count = round % 9;
        int[] runs = new int[count]; // plain: run() itself must order these writes before its return
        workers.run(i -> runs[i]++, count);
        int[] once = new int[count];
        Arrays.fill(once, 1);
        assertArrayEquals(once, runs, "round " + round);
      }
    }
  }

  @Test
  void workersThatHaveParkedWakeUp() {
    try (var workers = new Workers(3)) {
      for (int round = 0; round < 20; round++) {
        LockSupport.parkNanos(2_000_000);
        AtomicInteger runs = new AtomicInteger();
        workers.run(
            i -> {
              LockSupport.parkNanos(200_000);
              runs.incrementAndGet();
            },
            8);
        assertEquals(8, runs.get());
      }
    }
  }

  @Test
  void eachThreadHasItsOwnPartOfTheChunks() {
    int each = 50;
    try (var workers = new Workers(3)) {
      var arrived = new AtomicIntegerArray(each);
      // The n-th chunks of all parts wait for each other, which they can only if as many threads run them.
      workers.run(
          i -> {
            arrived.incrementAndGet(i % each);
            await(() -> arrived.get(i % each) == 3);
          },
          3 * each);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 7, 25, 49})
  void aThreadThatIsThroughHelpsTheOthers(int last) {
    try (var workers = new Workers(2)) {
      var finished = new AtomicInteger();
      workers.run(
          i -> {
            await(() -> i != last || finished.get() == 49);
            finished.incrementAndGet();
          },
          50);
    }
  }

  private static void await(BooleanSupplier met) {
    long begin = System.nanoTime();
    while (!met.getAsBoolean()) {
      assertTrue(System.nanoTime() - begin < 20_000_000_000L, "waited for 20 s");
      Thread.onSpinWait();
    }
  }

  @Test
  void aSlotIsUsedByOneChunkAtATime() {
    try (var workers = new Workers(4)) {
      AtomicIntegerArray inUse = new AtomicIntegerArray(4);
      AtomicInteger clashes = new AtomicInteger();
      workers.run(
          (index, slot) -> {
            if (inUse.incrementAndGet(slot) != 1) {
              clashes.incrementAndGet();
            }
            Thread.yield();
            inUse.decrementAndGet(slot);
          },
          5_000);
      assertEquals(0, clashes.get());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void theFirstExceptionReachesTheCallerAndTheTeamLivesOn(int threads) {
    try (var workers = new Workers(threads)) {
      var thrown = new IllegalArgumentException("chunk 3");
      for (int round = 0; round < 50; round++) {
        Workers.Task task =
            i -> {
              if (i == 3) {
                throw thrown;
              }
            };
        assertSame(thrown, assertThrows(IllegalArgumentException.class, () -> workers.run(task, 10)));
        AtomicInteger runs = new AtomicInteger();
        workers.run(i -> runs.incrementAndGet(), 10);
        assertEquals(10, runs.get());
      }
    }
  }

  @Test
  @SuppressWarnings("try") // close is what is tested
  void aChunkThatUsesItsOwnWorkersIsToldSo() {
    try (var workers = new Workers(2)) {
      Workers.Task nested = i -> workers.run(j -> {}, 2);
      Workers.Task closing = i -> workers.close();
      assertThrows(IllegalStateException.class, () -> workers.run(nested, 2));
      assertThrows(IllegalStateException.class, () -> workers.run(closing, 2));
    }
  }

  @Test
  @SuppressWarnings("try") // close is what is tested
  void closedWorkersRefuseWork() {
    var workers = new Workers(2);
    workers.close();
    workers.close();
    assertThrows(IllegalStateException.class, () -> workers.run(i -> {}, 1));
    assertThrows(IllegalArgumentException.class, () -> new Workers(0));
  }

  @Test
  void aRunAllocatesNothing() {
    try (var workers = new Workers(2)) {
      Workers.Task task = i -> {};
      Allocations.assertNone("sixteen tasks", workers, () -> workers.run(task, 16));
    }
  }

  @Test
  void aTeamOfOneRunsInOrderOnTheCaller() {
    try (var workers = new Workers(1)) {
      var order = new StringBuilder();
      Thread caller = Thread.currentThread();
      workers.run(
          i -> {
            assertSame(caller, Thread.currentThread());
            order.append(i);
          },
          5);
      assertEquals("01234", order.toString());
      assertTrue(workers.threads() == 1);
    }
  }
}
