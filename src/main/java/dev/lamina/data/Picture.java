package dev.lamina.data;

import dev.lamina.tensor.HostTensor;
import java.lang.foreign.Arena;

/**
 * A picture brought to a model's size.
 *
 * @param pixels U8, [height, width, channels]
 * @param borderBrightness mean of the outermost pixels, from 0 (black) to 255 (white)
 */
public record Picture(HostTensor pixels, double borderBrightness) {

  /**
   * Whether the background is more light than dark. Models that learned light digits on a dark ground (MNIST) mostly
   * fail on ink on paper; {@link #inverted} is what to give them.
   */
  public boolean hasBrightBackground() {
    return borderBrightness > 127.5;
  }

  /** The negative. */
  public Picture inverted(Arena arena) {
    HostTensor negative = HostTensor.allocate(arena, pixels.type());
    for (long i = 0; i < pixels.size(); i++) {
      negative.set(i, 255 - pixels.get(i));
    }
    return new Picture(negative, 255 - borderBrightness);
  }
}
