package dev.lamina.device.cuda;

import dev.lamina.graph.RandomStream;
import dev.lamina.tensor.Shape;
import java.util.List;
import java.util.function.IntFunction;

/** What is computed for one element, as statements that leave result i in {@code y<i>[lane]}. */
interface LaneBody {

  /** The inputs whose elements are read, ascending. */
  List<Integer> inputs();

  /** Where random words come from; those of stream k are in {@code w<k>[lane]}. */
  List<RandomStream> streams();

  /**
   * The statements.
   *
   * @param input what an input's element is called
   */
  String statements(IntFunction<String> input);

  /** The coordinate of element {@code at + lane} along {@code axis}, a whole number. */
  static String coordinate(Shape shape, int axis) {
    long inner = 1;
    for (int i = axis + 1; i < shape.rank(); i++) {
      inner *= shape.dim(i);
    }
    return "((at + lane) / " + inner + " % " + shape.dim(axis) + ")";
  }
}
