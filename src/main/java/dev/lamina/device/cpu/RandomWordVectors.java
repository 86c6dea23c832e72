package dev.lamina.device.cpu;

import dev.lamina.graph.Philox;
import dev.lamina.graph.RandomStream;
import java.nio.ByteOrder;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** {@link RandomWords} with a block in each 64-bit lane, where the 32×32→64 bit products of a round fit. */
final class RandomWordVectors {
  private static final VectorSpecies<Long> LONGS = VectorSpecies.of(long.class, Lanes.FLOATS.vectorShape());
  private static final int BLOCKS = LONGS.length();
  private static final long LOW = 0xffffffffL;
  private static final VectorShuffle<Long> FIRST_HALF = VectorShuffle.makeZip(LONGS, 0);
  private static final VectorShuffle<Long> SECOND_HALF = VectorShuffle.makeZip(LONGS, 1);

  private RandomWordVectors() {}

  static void fill(long address, RandomStream stream, int step, long firstBlock, int blocks) {
    LongVector low = LongVector.broadcast(LONGS, LOW);
    LongVector multiplier0 = LongVector.broadcast(LONGS, Philox.MULTIPLIER_0 & LOW);
    LongVector multiplier1 = LongVector.broadcast(LONGS, Philox.MULTIPLIER_1 & LOW);
    LongVector lane = LongVector.zero(LONGS).addIndex(1);
    for (int b = 0; b < blocks; b += BLOCKS) {
      LongVector c0 = lane.add(firstBlock + b).and(low);
      LongVector c1 = LongVector.broadcast(LONGS, step & LOW);
      LongVector c2 = LongVector.broadcast(LONGS, stream.stream() & LOW);
      LongVector c3 = LongVector.broadcast(LONGS, stream.stream() >>> 32);
      int key0 = (int) stream.seed();
      int key1 = (int) (stream.seed() >>> 32);
      for (int round = 0; round < Philox.ROUNDS; round++) {
        LongVector product0 = c0.mul(multiplier0);
        LongVector product1 = c2.mul(multiplier1);
        c0 =
            product1
                .lanewise(VectorOperators.LSHR, 32)
                .lanewise(VectorOperators.XOR, c1)
                .lanewise(VectorOperators.XOR, key0 & LOW);
        c2 =
            product0
                .lanewise(VectorOperators.LSHR, 32)
                .lanewise(VectorOperators.XOR, c3)
                .lanewise(VectorOperators.XOR, key1 & LOW);
        c1 = product1.and(low);
        c3 = product0.and(low);
        key0 += Philox.WEYL_0;
        key1 += Philox.WEYL_1;
      }
      // Little-endian: the word of the lower element is the lower half.
      LongVector evenPairs = c0.or(c1.lanewise(VectorOperators.LSHL, 32));
      LongVector oddPairs = c2.or(c3.lanewise(VectorOperators.LSHL, 32));
      long to = address + 16L * b;
      evenPairs.rearrange(FIRST_HALF, oddPairs).intoMemorySegment(Memory.ALL, to, ByteOrder.LITTLE_ENDIAN);
      evenPairs
          .rearrange(SECOND_HALF, oddPairs)
          .intoMemorySegment(Memory.ALL, to + Lanes.BYTES, ByteOrder.LITTLE_ENDIAN);
    }
  }
}
