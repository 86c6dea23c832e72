package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Operand.Periodic;
import dev.lamina.device.cuda.Operand.Strided;
import dev.lamina.graph.Expr;
import dev.lamina.graph.ExprRewriter;
import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What rides on an operation's values: an epilogue on its first result as that is written, or a prologue on one input
 * as that is read. What it reads beside them lies under the same elements.
 */
final class Ride {
  /** Null where nothing rides. */
  private final CudaSource source;

  private final int subject;

  private Ride(CudaSource source, int subject) {
    this.source = source;
    this.subject = subject;
  }

  /** Nothing. */
  static Ride none() {
    return new Ride(null, -1);
  }

  /** The epilogue of {@code op}, if it has one, on values of type {@code value}. */
  static Ride epilogue(Op.Fused op, List<TensorType> inputs, TensorType value) {
    List<TensorType> readable = new ArrayList<>(inputs);
    readable.add(value);
    return of(op.epilogue(), readable, value, inputs.size());
  }

  /** The prologue of {@code op}, if it has one, on the elements of input {@code subject}. */
  static Ride prologue(Op.Fused op, List<TensorType> inputs, int subject) {
    return of(op.prologue(), inputs, inputs.get(subject), subject);
  }

  private static Ride of(Expr expr, List<TensorType> readable, TensorType value, int subject) {
    return expr == null
        ? none()
        : new Ride(new CudaSource(List.of(expr), readable, List.of(value.dtype()), value.shape()), subject);
  }

  /** An operation, or what rides on it and the operation together. */
  static Op.Fused fused(Op op) {
    return op instanceof Op.Fused fused ? fused : new Op.Fused(op, -1, null, null, 0);
  }

  /**
   * Why {@code op} cannot carry what it should, in words that follow its name; empty if it can.
   *
   * @param forward whether it carries an epilogue, else a prologue on input {@code subject}
   * @param value the type of what passes
   */
  static Optional<String> unsupported(
      Op.Fused op, boolean forward, int subject, List<TensorType> inputs, TensorType value) {
    String anchor = op.anchor().label();
    if (forward && op.prologue() != null) {
      return Optional.of("the CUDA device has no prologue on " + anchor + ": what is read twice is computed twice");
    }
    if (!forward && (op.epilogue() != null || op.prologue() != null && op.prologueInput() != subject)) {
      return Optional.of(
          "the CUDA device lets a prologue on input " + subject + " ride on " + anchor + ", nothing else");
    }
    Expr expr = forward ? op.epilogue() : op.prologue();
    if (expr == null) {
      return Optional.empty();
    }
    if (ExprRewriter.dependsOnPosition(expr)) {
      return Optional.of("what rides on it must not depend on where an element lies");
    }
    CudaSource source = (forward ? epilogue(op, inputs, value) : prologue(op, inputs, subject)).source;
    if (source.value() != DType.F32) {
      return Optional.of("the CUDA device computes what rides on it in 32 bits");
    }
    int channels = value.shape().last();
    for (int input : source.reads()) {
      Operand operand = source.operand(input);
      if (operand instanceof Strided || operand instanceof Periodic(DType _, long period) && period != channels) {
        return Optional.of("all that rides on it is dense, one value a channel, or one on the CUDA device");
      }
    }
    return Optional.empty();
  }

  /** The function {@code lamina_ride}, for kernels that call it. */
  String text() {
    return source == null ? CudaSource.noRide() : source.rideFunction(subject);
  }

  /** The inputs that it reads beside what passes, ascending: further arguments of the kernel. */
  List<Integer> riders() {
    return source == null ? List.of() : source.reads().stream().filter(input -> input != subject).toList();
  }

  /** Whether its accesses may be {@code width} elements wide. */
  boolean fits(int width, long[] inputs) {
    // A value that is made lies in registers.
    long[] addresses = Arrays.copyOf(inputs, inputs.length + 1);
    return source == null || source.fits(width, addresses, List.of(), new long[0]);
  }
}
