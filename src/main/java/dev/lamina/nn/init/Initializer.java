package dev.lamina.nn.init;

import dev.lamina.graph.RandomStream;
import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** Fills a new parameter on the host, in double precision, so that every device starts from the same bits. */
public interface Initializer {

  /**
   * Writes every element of {@code target}. The last dimensions say the fan: dense weights are [out, in], filters [out,
   * kh, kw, in / groups].
   *
   * @param random a generator of its own for this parameter, seeded by the run's seed and the parameter's name
   */
  void fill(HostTensor target, RandomGenerator random);

  /** The generator of the parameter {@code name} in a run with {@code seed}: independent of all other parameters. */
  static RandomGenerator generator(long seed, String name) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed * 0x9E3779B97F4A7C15L ^ RandomStream.hash(name));
  }
}
