package dev.lamina.graph;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the slices of a tensor contribute to its gradient. Slices that do not overlap are put side by side, once:
 * padding each to the full size and adding would take time that grows with the square of their number.
 */
final class SliceGradients {
  private SliceGradients() {}

  /**
   * The gradient of one slice.
   *
   * @param axis along which it was cut
   * @param start its first element there
   */
  record Part(int axis, int start, Tensor gradient) {
    int stop() {
      return start + gradient.shape().dim(axis);
    }
  }

  /** Tensors like {@code whole} whose sum is the gradient that {@code parts} give it. */
  static List<Tensor> of(Tensor whole, List<Part> parts) {
    if (parts.size() < 2 || !apart(parts)) {
      return parts.stream().map(part -> padded(whole, part)).toList();
    }
    List<Part> sorted = parts.stream().sorted(Comparator.comparingInt(Part::start)).toList();
    int axis = parts.getFirst().axis;
    boolean inOnePiece = IntStream.range(0, axis).allMatch(i -> whole.shape().dim(i) == 1);
    boolean countable = whole.shape().size() <= Integer.MAX_VALUE;
    return List.of(inOnePiece && countable ? packed(whole, sorted) : joined(whole, sorted, axis));
  }

  private static boolean apart(List<Part> parts) {
    List<Part> sorted =
        parts.stream().sorted(Comparator.comparingInt(Part::axis).thenComparingInt(Part::start)).toList();
    return IntStream.range(1, sorted.size())
        .allMatch(i -> sorted.get(i - 1).axis == sorted.get(i).axis && sorted.get(i - 1).stop() <= sorted.get(i).start);
  }

  private static Tensor padded(Tensor whole, Part part) {
    int after = whole.shape().dim(part.axis) - part.stop();
    return whole.graph().one(new Op.Pad(part.axis, part.start, after), part.gradient);
  }

  /** Slices that are pieces of memory: a plan lets them be computed where they belong. */
  private static Tensor packed(Tensor whole, List<Part> parts) {
    long each = parts.getFirst().gradient.shape().size() / parts.getFirst().gradient.shape().dim(parts.getFirst().axis);
    List<Long> offsets = parts.stream().map(part -> part.start * each).toList();
    Op pack = new Op.Pack(offsets, Math.toIntExact(whole.shape().size()));
    List<Tensor> gradients = parts.stream().map(Part::gradient).toList();
    return whole.graph().add(pack, gradients).getFirst().reshape(whole.shape());
  }

  private static Tensor joined(Tensor whole, List<Part> parts, int axis) {
    List<Tensor> pieces = new ArrayList<>();
    int end = 0;
    for (Part part : parts) {
      addZeros(pieces, whole, axis, part.start - end);
      pieces.add(part.gradient);
      end = part.stop();
    }
    addZeros(pieces, whole, axis, whole.shape().dim(axis) - end);
    return Tensor.concat(axis, pieces);
  }

  private static void addZeros(List<Tensor> pieces, Tensor whole, int axis, int extent) {
    if (extent > 0) {
      var type = new dev.lamina.tensor.TensorType(whole.shape().with(axis, extent), whole.dtype());
      pieces.add(whole.graph().constant(type, 0));
    }
  }
}
