package dev.lamina.optim;

import dev.lamina.graph.Graph;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import java.util.ArrayList;
import java.util.List;

/**
 * One group of weights about to be updated, as flat vectors; and what the optimizer remembers of former steps, its
 * slots.
 */
public final class Update {
  private final String group;
  private final Tensor weight;
  private final Tensor gradient;
  private final Tensor rate;
  private final Tensor step;
  private final boolean decayed;
  private final List<Variable> slots = new ArrayList<>();

  /**
   * An update of one group.
   *
   * @param group its name, which begins the names of its slots
   * @param weight [size]
   * @param gradient [size]
   * @param rate the learning rate, a scalar
   * @param step the number of this step as I32 scalar, from 1
   * @param decayed whether weight decay applies to this group
   */
  public Update(String group, Tensor weight, Tensor gradient, Tensor rate, Tensor step, boolean decayed) {
    this.group = group;
    this.weight = weight;
    this.gradient = gradient;
    this.rate = rate;
    this.step = step;
    this.decayed = decayed;
  }

  public Graph graph() {
    return weight.graph();
  }

  public Tensor weight() {
    return weight;
  }

  public Tensor gradient() {
    return gradient;
  }

  public Tensor rate() {
    return rate;
  }

  public Tensor step() {
    return step;
  }

  /** Whether weight decay applies. */
  public boolean decayed() {
    return decayed;
  }

  /** A memory of the size of the weights: zeros before the first step. */
  public Tensor slot(String name) {
    Variable slot = new Variable(group + "." + name, weight.type(), Variable.Kind.SLOT);
    slots.add(slot);
    return graph().read(slot);
  }

  /** The value that {@code slot} has in the next step. */
  public void remember(Tensor slot, Tensor next) {
    if (!(slot.node().op() instanceof dev.lamina.graph.Op.Read(Variable variable)) || !slots.contains(variable)) {
      throw new IllegalArgumentException("only a slot of this update can be remembered, got " + slot);
    }
    graph().assign(variable, next);
  }

  /** The slots that were asked for. */
  public List<Variable> slots() {
    return List.copyOf(slots);
  }
}
