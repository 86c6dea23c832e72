package dev.lamina.graph;

import dev.lamina.graph.Node.Phase;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * A computation: nodes in an order in which each comes after its inputs, the tensors that are its results, and the new
 * values of variables. Grows by adding; passes make a new one.
 */
public final class Graph {
  private final List<Node> nodes = new ArrayList<>();
  private final SequencedMap<String, Tensor> outputs = new LinkedHashMap<>();
  private final SequencedMap<Variable, Tensor> assigns = new LinkedHashMap<>();
  private String layer = "";
  private Phase phase = Phase.FORWARD;

  /**
   * Adds {@code op}; its outputs, in order.
   *
   * @throws IllegalArgumentException if the inputs do not fit, in one line that names the layer
   */
  public List<Tensor> add(Op op, List<Tensor> inputs) {
    for (Tensor input : inputs) {
      if (input.graph() != this) {
        throw new IllegalArgumentException(op.label() + ": " + input + " belongs to another graph");
      }
    }
    List<TensorType> types;
    try {
      types = TypeInference.infer(op, inputs.stream().map(Tensor::type).toList());
    } catch (IllegalArgumentException e) {
      throw layer.isEmpty() ? e : new IllegalArgumentException(layer + ": " + e.getMessage(), e);
    }
    Node node = new Node(nodes.size(), op, inputs, types, layer, phase);
    nodes.add(node);
    List<Tensor> results = new ArrayList<>(types.size());
    for (int i = 0; i < types.size(); i++) {
      results.add(new Tensor(this, node, i));
    }
    return results;
  }

  /** Output {@code index} of a node of this graph. */
  public Tensor tensor(Node node, int index) {
    return new Tensor(this, node, index);
  }

  /** Adds an operation with one result. */
  public Tensor one(Op op, Tensor... inputs) {
    return add(op, List.of(inputs)).getFirst();
  }

  /** A tensor that the caller hands in for each step. */
  public Tensor input(String name, TensorType type) {
    return one(new Op.Input(name, type));
  }

  /** The value of {@code variable} at the start of the step. */
  public Tensor read(Variable variable) {
    return one(new Op.Read(variable));
  }

  /** A tensor of one value everywhere. */
  public Tensor constant(TensorType type, double value) {
    return one(new Op.Map(Exprs.constant(value), type.dtype(), type.shape()));
  }

  /** Names a result, to be read after a run. */
  public void output(String name, Tensor value) {
    if (outputs.putIfAbsent(name, value) != null) {
      throw new IllegalArgumentException("the graph has an output " + name + " already");
    }
  }

  /**
   * The new value of {@code variable}, in force at the end of the step.
   *
   * @throws IllegalArgumentException if the type is another one, or it was assigned before
   */
  public void assign(Variable variable, Tensor value) {
    if (!variable.type().equals(value.type())) {
      throw new IllegalArgumentException(
          "assign " + variable.name() + ": expected " + variable.type() + ", got " + value.type());
    }
    if (assigns.putIfAbsent(variable, value) != null) {
      throw new IllegalArgumentException("assign " + variable.name() + ": it is assigned twice in a step");
    }
  }

  /** Replaces the new value of a variable that is assigned, for example to keep the old one after a bad step. */
  public void reassign(Variable variable, Tensor value) {
    assigns.remove(variable);
    assign(variable, value);
  }

  /** Lets every variable keep its value: for a graph that looks at a step without taking it. */
  public void dropAssigns() {
    assigns.clear();
  }

  /** Everything that {@code body} adds belongs to layer {@code path} and {@code phase}. */
  public void within(String path, Phase during, Runnable body) {
    String outerLayer = layer;
    Phase outerPhase = phase;
    layer = path;
    phase = during;
    try {
      body.run();
    } finally {
      layer = outerLayer;
      phase = outerPhase;
    }
  }

  /** The path of the layer that is being traced. */
  public String layer() {
    return layer;
  }

  /** The part of the step that is being traced. */
  public Phase phase() {
    return phase;
  }

  public List<Node> nodes() {
    return Collections.unmodifiableList(nodes);
  }

  /** The named results, in the order of their naming. */
  public SequencedMap<String, Tensor> outputs() {
    return Collections.unmodifiableSequencedMap(outputs);
  }

  /** New values of variables, in the order of assigning. */
  public SequencedMap<Variable, Tensor> assigns() {
    return Collections.unmodifiableSequencedMap(assigns);
  }
}
