package dev.lamina.device.reference;

import dev.lamina.graph.Op;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/**
 * An anchor with expressions on its way in and out. All parts hand each other doubles: nothing is rounded before the
 * outputs are stored.
 */
final class Riding implements Computation {
  private final Computation anchor;
  private final int prologueInput;

  /** Null where there is none. */
  private final Elementwise prologue;

  private final Elementwise epilogue;

  /** What the anchor reads: its inputs, one of them replaced. */
  private final double[][] anchorIn;

  private final double[][] replaced;

  /** What the epilogue reads: all inputs, then the anchor's output. */
  private final double[][] epilogueIn;

  private Riding(Op.Fused fused, Computation anchor, List<Shape> inputs, Shape output) {
    this.anchor = anchor;
    this.prologueInput = fused.prologueInput();
    this.anchorIn = new double[inputs.size() - fused.extras()][];
    this.epilogueIn = new double[inputs.size() + 1][];
    if (fused.prologue() == null) {
      this.prologue = null;
      this.replaced = new double[1][];
    } else {
      Shape shape = inputs.get(prologueInput);
      this.prologue = new Elementwise(List.of(fused.prologue()), shape, inputs);
      this.replaced = new double[1][Math.toIntExact(shape.size())];
    }
    List<Shape> readable = new ArrayList<>(inputs);
    readable.add(output);
    this.epilogue = fused.epilogue() == null ? null : new Elementwise(List.of(fused.epilogue()), output, readable);
  }

  static Riding on(Op.Fused fused, List<TensorType> inputs, List<TensorType> outputs) {
    Computation anchor = Computation.of(fused.anchor(), inputs.subList(0, inputs.size() - fused.extras()), outputs);
    return new Riding(fused, anchor, inputs.stream().map(TensorType::shape).toList(), outputs.getFirst().shape());
  }

  @Override
  public void run(double[][] in, double[][] out) {
    System.arraycopy(in, 0, anchorIn, 0, anchorIn.length);
    if (prologue != null) {
      prologue.run(in, replaced);
      anchorIn[prologueInput] = replaced[0];
    }
    anchor.run(anchorIn, out);
    if (epilogue != null) {
      System.arraycopy(in, 0, epilogueIn, 0, in.length);
      epilogueIn[in.length] = out[0]; // rewritten in place: each element is read before it is replaced
      epilogue.run(epilogueIn, out);
    }
  }
}
