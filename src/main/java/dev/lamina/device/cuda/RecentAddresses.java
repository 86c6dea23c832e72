package dev.lamina.device.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/**
 * JCuda's objects for the addresses that were named last, so that naming the same few in every step makes no garbage.
 * JCuda's addresses cannot be changed once they are made.
 *
 * @param <T> {@link Address.Plain} or {@link Address.OnDevice}
 */
final class RecentAddresses<T> {
  /** Four batches of images, targets and weights, a rate, and room; a search through them is some nanoseconds. */
  private static final int MOST = 64;

  private final LongFunction<T> make;
  private final long[] known = new long[MOST];
  private final List<T> objects = new ArrayList<>(MOST);
  private int oldest;

  RecentAddresses(LongFunction<T> make) {
    this.make = make;
  }

  /** The object for {@code address}. */
  T of(long address) {
    for (int i = 0; i < objects.size(); i++) {
      if (known[i] == address) {
        return objects.get(i);
      }
    }
    T object = make.apply(address);
    if (objects.size() < MOST) {
      known[objects.size()] = address;
      objects.add(object);
    } else {
      known[oldest] = address;
      objects.set(oldest, object);
      oldest = (oldest + 1) % MOST;
    }
    return object;
  }
}
