package dev.lamina.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnfinishedTest {
  private final List<String> closed = new ArrayList<>();

  private AutoCloseable part(String name) {
    return () -> closed.add(name);
  }

  private void make(RuntimeException failure, AutoCloseable between) {
    try (Unfinished parts = new Unfinished()) {
      parts.add(part("first"));
      parts.add(between);
      parts.add(part("last"));
      if (failure != null) {
        throw failure;
      }
      parts.finished();
    }
  }

  @Test
  void whatIsFinishedStaysOpen() {
    make(null, part("between"));
    assertEquals(List.of(), closed);
  }

  @Test
  void whatIsNotIsClosedTheLastFirst() {
    RuntimeException failure = new RuntimeException("no memory");
    assertSame(failure, assertThrows(RuntimeException.class, () -> make(failure, part("between"))));
    assertEquals(List.of("last", "between", "first"), closed);
  }

  @Test
  void aPartThatDoesNotCloseHidesNeitherTheFailureNorTheOtherParts() {
    RuntimeException failure = new RuntimeException("no memory");
    Exception stuck = new Exception("stuck");
    RuntimeException thrown =
        assertThrows(
            RuntimeException.class,
            () ->
                make(
                    failure,
                    () -> {
                      throw stuck;
                    }));
    assertSame(failure, thrown);
    assertEquals(List.of("last", "first"), closed);
    assertArrayEquals(new Throwable[] {stuck}, thrown.getSuppressed()[0].getSuppressed());
  }
}
