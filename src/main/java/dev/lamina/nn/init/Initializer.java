package dev.lamina.nn.init;

import dev.lamina.tensor.HostTensor;
import java.util.random.RandomGenerator;

/** Fills a new parameter on the host, in double precision, so that every device starts from the same bits. */
public interface Initializer {

  /**
   * Writes every element of {@code target}. The last dimensions say the fan: dense weights are [out, in], filters [out, kh, kw, in / groups].
   *
   * @param random a generator of its own for this parameter, seeded by the run's seed and the parameter's name
   */
  void fill(HostTensor target, RandomGenerator random);
}
