package dev.lamina.graph;

/**
 * Where the random words of an expression come from: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011) with
 *
 * <ul>
 *   <li>key = the two halves of {@code seed}, low first,
 *   <li>counter = (element / 4, step, low half of {@code stream}, high half of {@code stream}).
 * </ul>
 *
 * Element i takes word i mod 4. Nothing else enters, so the words are the same on every device, for every number of
 * threads and after a resume.
 *
 * @param seed the run's seed
 * @param stream tells the places apart that draw numbers: a hash of scope path and call number
 * @param step index of the input that holds the step number, an I32 scalar
 */
public record RandomStream(long seed, long stream, int step) {

  /** The same stream with its step read from another input. */
  public RandomStream withStep(int input) {
    return new RandomStream(seed, stream, input);
  }

  /**
   * A number for a name, to make a stream or a seed of: FNV-1a, 64 bits, the same for ever, which {@code hashCode} need
   * not be.
   */
  public static long hash(String name) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001b3L;
    }
    return hash;
  }
}
