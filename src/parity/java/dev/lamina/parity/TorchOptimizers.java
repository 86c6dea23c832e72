package dev.lamina.parity;

import ai.djl.ndarray.NDArray;
import java.util.HashMap;
import java.util.Map;

/**
 * The update rules of {@code torch.optim}, as its documentation gives them, in PyTorch's tensor operations; defaults
 * are its defaults.
 */
final class TorchOptimizers {
  private TorchOptimizers() {}

  /** What an optimizer remembers of one weight. */
  private static final class Memory {
    final Map<String, NDArray> slots = new HashMap<>();
    int step;

    NDArray slot(String name, NDArray like) {
      return slots.computeIfAbsent(name, _ -> like.zerosLike());
    }
  }

  /** From the weight and its gradient, with what is remembered, to the new weight. */
  private interface Rule {
    NDArray next(NDArray weight, NDArray gradient, Memory memory);
  }

  /** An optimizer over named weights. */
  static final class TorchOptimizer {
    private final Rule rule;
    private final Map<String, Memory> memories = new HashMap<>();

    private TorchOptimizer(Rule rule) {
      this.rule = rule;
    }

    /** One step of all weights of {@code network}. */
    void step(TorchNetwork network) {
      network
          .weights()
          .replaceAll((name, weight) -> {
            Memory memory = memories.computeIfAbsent(name, _ -> new Memory());
            memory.step++;
            NDArray next = rule.next(weight.stopGradient(), weight.getGradient(), memory);
            memory.slots.values().forEach(slot -> slot.attach(network.manager()));
            next.setRequiresGradient(true);
            return next;
          });
    }
  }

  static TorchOptimizer sgd(double rate, double momentum, boolean nesterov) {
    return new TorchOptimizer((w, g, memory) -> {
      if (momentum == 0) {
        return w.sub(g.mul(rate));
      }
      NDArray velocity = memory.slot("velocity", w).mul(momentum).add(g);
      memory.slots.put("velocity", velocity);
      return w.sub((nesterov ? g.add(velocity.mul(momentum)) : velocity).mul(rate));
    });
  }

  static TorchOptimizer adagrad(double rate, double epsilon) {
    return new TorchOptimizer((w, g, memory) -> {
      NDArray sum = memory.slot("sum", w).add(g.mul(g));
      memory.slots.put("sum", sum);
      return w.sub(g.div(sum.sqrt().add(epsilon)).mul(rate));
    });
  }

  static TorchOptimizer rmsprop(double rate, double alpha, double epsilon) {
    return new TorchOptimizer((w, g, memory) -> {
      NDArray square = memory.slot("square", w).mul(alpha).add(g.mul(g).mul(1 - alpha));
      memory.slots.put("square", square);
      return w.sub(g.div(square.sqrt().add(epsilon)).mul(rate));
    });
  }

  static TorchOptimizer adam(double rate, double beta1, double beta2, double epsilon) {
    return new TorchOptimizer(adamRule(rate, beta1, beta2, epsilon, 0));
  }

  static TorchOptimizer adamW(double rate, double beta1, double beta2, double epsilon, double decay) {
    return new TorchOptimizer(
        matricesOnly(adamRule(rate, beta1, beta2, epsilon, decay), adamRule(rate, beta1, beta2, epsilon, 0)));
  }

  /** SGD with L2 regularisation: {@code weight_decay} adds λw to the gradient. */
  static TorchOptimizer regularised(double rate, double lambda) {
    return new TorchOptimizer(
        matricesOnly((w, g, memory) -> w.sub(g.add(w.mul(lambda)).mul(rate)), (w, g, memory) -> w.sub(g.mul(rate))));
  }

  /** Biases and the scales of norms are vectors; in Lamina they do not decay. */
  private static Rule matricesOnly(Rule matrices, Rule vectors) {
    return (w, g, memory) -> (w.getShape().dimension() > 1 ? matrices : vectors).next(w, g, memory);
  }

  private static Rule adamRule(double rate, double beta1, double beta2, double epsilon, double decay) {
    return (w, g, memory) -> {
      NDArray first = memory.slot("first", w).mul(beta1).add(g.mul(1 - beta1));
      NDArray second = memory.slot("second", w).mul(beta2).add(g.mul(g).mul(1 - beta2));
      memory.slots.put("first", first);
      memory.slots.put("second", second);
      double correction1 = 1 - Math.pow(beta1, memory.step);
      double correction2 = 1 - Math.pow(beta2, memory.step);
      NDArray denominator = second.sqrt().div(Math.sqrt(correction2)).add(epsilon);
      return w.mul(1 - rate * decay).sub(first.div(denominator).mul(rate / correction1));
    };
  }
}
