package dev.lamina.graph;

import dev.lamina.tensor.TensorType;
import java.util.List;

/** One operation in a graph. Nodes are told apart by identity. */
public final class Node {

  /** Which part of a step a node belongs to. */
  public enum Phase {
    FORWARD,
    BACKWARD,
    UPDATE
  }

  private final int id;
  private final Op op;
  private final List<Tensor> inputs;
  private final List<TensorType> types;
  private final String layer;
  private final Phase phase;

  Node(int id, Op op, List<Tensor> inputs, List<TensorType> types, String layer, Phase phase) {
    this.id = id;
    this.op = op;
    this.inputs = List.copyOf(inputs);
    this.types = types;
    this.layer = layer;
    this.phase = phase;
  }

  /** The position in the graph: inputs have smaller ones. */
  public int id() {
    return id;
  }

  public Op op() {
    return op;
  }

  public List<Tensor> inputs() {
    return inputs;
  }

  /** The types of the outputs. */
  public List<TensorType> types() {
    return types;
  }

  /** The types of the inputs. */
  public List<TensorType> inputTypes() {
    return inputs.stream().map(Tensor::type).toList();
  }

  /** The path of the layer that asked for it, for example {@code block1.conv2}; empty outside layers. */
  public String layer() {
    return layer;
  }

  public Phase phase() {
    return phase;
  }

  @Override
  public String toString() {
    return "%" + id + " " + op.label() + " " + inputTypes() + " -> " + types + (layer.isEmpty() ? "" : " in " + layer);
  }
}
