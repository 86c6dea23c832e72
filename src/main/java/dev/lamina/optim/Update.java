package dev.lamina.optim;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Exprs;
import dev.lamina.graph.Graph;
import dev.lamina.graph.Op;
import dev.lamina.graph.Tensor;
import dev.lamina.graph.Variable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * One group of weights about to be updated, as flat vectors; and what the optimizer remembers of former steps, its
 * slots.
 */
public final class Update {
  /** The weight, in an expression over {@link #apply}'s inputs. */
  static final Expr WEIGHT = Exprs.input(0);

  /** The gradient. */
  static final Expr GRADIENT = Exprs.input(1);

  /** The learning rate. */
  static final Expr RATE = Exprs.input(2);

  /** The input at which an optimizer's own tensors begin. */
  static final int MORE = 3;

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
    if (!(slot.node().op() instanceof Op.Read(Variable variable)) || !slots.contains(variable)) {
      throw new IllegalArgumentException("only a slot of this update can be remembered, got " + slot);
    }
    graph().assign(variable, next);
  }

  /**
   * The weights after this step and the next values of {@code slots}, as one operation. Its expressions read {@link
   * #WEIGHT}, {@link #GRADIENT}, {@link #RATE}; from {@link #MORE} on the slots, and then {@code scalars}.
   *
   * @param next the new weights
   * @param slots memories
   * @param nextSlots their next values, in the same order
   * @return the new weights
   */
  Tensor apply(Expr next, List<Tensor> slots, List<Expr> nextSlots, Tensor... scalars) {
    List<Expr> exprs = new ArrayList<>(List.of(next));
    exprs.addAll(nextSlots);
    List<Tensor> inputs = new ArrayList<>(List.of(weight, gradient, rate));
    inputs.addAll(slots);
    inputs.addAll(List.of(scalars));
    Op map = new Op.Map(exprs, Collections.nCopies(exprs.size(), weight.dtype()), weight.shape());
    List<Tensor> results = graph().add(map, inputs);
    for (int i = 0; i < slots.size(); i++) {
      remember(slots.get(i), results.get(i + 1));
    }
    return results.getFirst();
  }

  /**
   * The gradient with L2 regularisation in it: {@code g + l2·w} where weight decay applies, the derivative of {@code
   * ½·l2·Σw²}.
   */
  Expr regularised(double l2) {
    return decayed && l2 != 0 ? Exprs.add(GRADIENT, Exprs.mul(WEIGHT, l2)) : GRADIENT;
  }

  /** The slots that were asked for. */
  public List<Variable> slots() {
    return List.copyOf(slots);
  }
}
