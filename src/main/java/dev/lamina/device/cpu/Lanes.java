package dev.lamina.device.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The one vector shape of this process: constants, because C2 compiles vectors of an unknown shape into objects. */
final class Lanes {
  /** What every kernel computes with. */
  static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(VectorSupport.FOUND.bits()));

  /** Their bits. */
  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());

  /** Floats in a vector: 4, 8 or 16. */
  static final int COUNT = FLOATS.length();

  /** Bytes in a vector. */
  static final int BYTES = FLOATS.vectorByteSize();

  private Lanes() {}

  /**
   * The float at an address, in each lane. As bits: Zen 4 loads and spreads an integer without the units that multiply,
   * which a float takes (with a multiply-add 0.27 instead of 0.36 ns).
   */
  static FloatVector broadcast(long address) {
    return IntVector.broadcast(INTS, ScalarAccess.getInt(address)).reinterpretAsFloats();
  }

  /** Apart from {@link Lanes}, whose own constants need the answer: using this does not initialise that. */
  static final class Widest {
    /** The widest vectors that this processor and virtual machine are good at. */
    static final int BITS = FloatVector.SPECIES_PREFERRED.vectorBitSize();

    private Widest() {}
  }
}
