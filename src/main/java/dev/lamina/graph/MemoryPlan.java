package dev.lamina.graph;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Places blocks with known lifetimes in one arena: largest first, each at the lowest place where nothing that lives at
 * the same time lies (the greedy-by-size strategy of Pisarchyk and Lee, "Efficient memory management for deep neural
 * net inference", 2020). Step numbers are positions in the order of execution.
 */
public final class MemoryPlan {
  /** Blocks begin at multiples of this: a cache line and the widest vector. */
  public static final long ALIGNMENT = 64;

  /** A piece of memory needed from one step to another, both included. */
  public static final class Block {
    private final long bytes;
    private int first;
    private int last;
    private long offset = -1;

    private Block(long bytes, int first, int last) {
      this.bytes = bytes;
      this.first = first;
      this.last = last;
    }

    /** Lives at {@code step} too. */
    public void extend(int step) {
      first = Math.min(first, step);
      last = Math.max(last, step);
    }

    public long bytes() {
      return bytes;
    }

    /** Its place in the arena, in bytes; known once the plan is made. */
    public long offset() {
      if (offset < 0) {
        throw new IllegalStateException("the memory has not been planned yet");
      }
      return offset;
    }

    private boolean meets(Block other) {
      return first <= other.last && other.first <= last;
    }
  }

  private final List<Block> blocks = new ArrayList<>();
  private long peak;

  /** A block that is needed from {@code first} on; {@link Block#extend} says until when. */
  public Block block(long bytes, int first) {
    Block block = new Block(Math.ceilDiv(Math.max(bytes, 1), ALIGNMENT) * ALIGNMENT, first, first);
    blocks.add(block);
    return block;
  }

  /** Gives each block its place; the size of the arena in bytes. */
  public long place() {
    List<Block> placed = new ArrayList<>();
    for (Block block : blocks.stream().sorted(Comparator.comparingLong(Block::bytes).reversed()).toList()) {
      long offset = 0;
      for (Block other : placed) {
        // Ordered by offset: the first gap that is large enough wins.
        if (other.meets(block)) {
          if (offset + block.bytes <= other.offset) {
            break;
          }
          offset = Math.max(offset, other.offset + other.bytes);
        }
      }
      block.offset = offset;
      peak = Math.max(peak, offset + block.bytes);
      int at = 0;
      while (at < placed.size() && placed.get(at).offset <= offset) {
        at++;
      }
      placed.add(at, block);
    }
    return peak;
  }

  /** The size of the arena in bytes. */
  public long peak() {
    return peak;
  }
}
