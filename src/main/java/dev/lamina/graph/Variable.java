package dev.lamina.graph;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.List;

/**
 * State that outlives a step. A read gives the value at the start of the step; a graph assigns each variable at most
 * once, and all assigns take effect together at the end.
 *
 * <p>A <em>packed</em> variable is one flat vector whose memory is that of its members, one behind the other, each at a
 * multiple of {@value HostTensor#ALIGNMENT} bytes; the gaps are zero and stay so. It lets an optimizer update all
 * weights at once.
 *
 * @param name unique among the variables of a model, for example {@code conv1.weight}
 * @param type shape and element type
 * @param kind what it is for
 * @param members the variables it is made of; empty unless packed
 */
public record Variable(String name, TensorType type, Kind kind, List<Variable> members) {

  /** What a variable is for, which decides who saves, resets and updates it. */
  public enum Kind {
    /** Learned by gradient descent. */
    WEIGHT,
    /** Learned otherwise: running means and variances. */
    STATISTIC,
    /** An optimizer's memory of a weight. */
    SLOT,
    /** Step numbers, loss scales, the first bad step. */
    COUNTER,
    /** Sums that are read and reset from outside. */
    METRIC
  }

  public Variable {
    members = List.copyOf(members);
  }

  /** A variable of its own. */
  public Variable(String name, TensorType type, Kind kind) {
    this(name, type, kind, List.of());
  }

  /**
   * One flat variable over {@code members}.
   *
   * @throws IllegalArgumentException if there are none, or their element types differ
   */
  public static Variable pack(String name, Kind kind, List<Variable> members) {
    if (members.isEmpty()) {
      throw new IllegalArgumentException("pack " + name + ": there is nothing to pack");
    }
    DType dtype = members.getFirst().type.dtype();
    for (Variable member : members) {
      if (member.type.dtype() != dtype) {
        throw new IllegalArgumentException(
            "pack " + name + ": " + member.name + " is " + member.type.dtype() + ", the others are " + dtype);
      }
    }
    Shape shape = Shape.of(Math.toIntExact(offset(members, members.size())));
    return new Variable(name, new TensorType(shape, dtype), kind, members);
  }

  /** The element of this packed variable at which member {@code index} begins. */
  public long memberOffset(int index) {
    return offset(members, index);
  }

  private static long offset(List<Variable> members, int index) {
    long offset = 0;
    for (Variable member : members.subList(0, index)) {
      long perLine = HostTensor.ALIGNMENT / member.type.dtype().bytes();
      offset += Math.ceilDiv(member.type.shape().size(), perLine) * perLine;
    }
    return offset;
  }

  @Override
  public String toString() {
    return name + " " + type;
  }
}
