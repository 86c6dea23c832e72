package dev.lamina.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class HugePagesTest {
  @Test
  @EnabledOnOs(OS.LINUX)
  void memoryBeginsWithAPageAndIsZeroToItsEnd() {
    long bytes = 3 * HugePages.PAGE / 2;
    assertTrue(HugePages.suit(bytes));
    assertFalse(HugePages.suit(HugePages.PAGE - 1));
    // Again and again: what was given back comes as zeros, not as it was left.
    for (int time = 0; time < 3; time++) {
      HugePages.Mapping mapping = HugePages.map(bytes);
      assertEquals(0, mapping.address() % HugePages.PAGE);
      assertTrue(mapping.address() + bytes <= mapping.start() + mapping.bytes());
      for (long at = mapping.address(); at < mapping.address() + bytes; at += 4) {
        assertEquals(0, Memory.get(at));
        Memory.set(at, 1);
      }
      mapping.free();
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void moreThanThereAreAddressesForIsRefused() {
    assertThrows(OutOfMemoryError.class, () -> HugePages.map(1L << 60));
  }
}
