package dev.lamina.nn.recurrent;

import dev.lamina.nn.init.Initializer;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.random.RandomGenerator;

/**
 * Fills the matrix [gates·units, in] of each gate by itself: what {@code each} knows of fan-in, fan-out and
 * orthogonality is meant for one [units, in].
 *
 * @param each fills one gate's matrix
 * @param gates how many there are
 */
record PerGate(Initializer each, int gates) implements Initializer {
  @Override
  public void fill(HostTensor target, RandomGenerator random) {
    TensorType one = new TensorType(target.shape().with(0, target.shape().dim(0) / gates), target.type().dtype());
    try (Arena scratch = Arena.ofConfined()) {
      HostTensor matrix = HostTensor.allocate(scratch, one);
      for (int gate = 0; gate < gates; gate++) {
        each.fill(matrix, random);
        for (long i = 0; i < matrix.size(); i++) {
          target.set(gate * matrix.size() + i, matrix.get(i));
        }
      }
    }
  }
}
