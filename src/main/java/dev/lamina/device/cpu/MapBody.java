package dev.lamina.device.cpu;

/**
 * A generated loop over a rectangle of elements. Both methods give the same bits for an element.
 *
 * <p>{@code frame[2i]} is the address of the first element of slot i, {@code frame[2i+1]} the bytes from its row to the
 * next; outputs follow the slots. Within a row a slot is dense, or one value for the whole row.
 */
interface MapBody {

  /** Columns 0 to {@code columns − 1}, a multiple of the lanes. */
  void vectors(long[] frame, int rows, int columns);

  /** Columns {@code from} to {@code to − 1}, one at a time. */
  void scalars(long[] frame, int rows, int from, int to);
}
