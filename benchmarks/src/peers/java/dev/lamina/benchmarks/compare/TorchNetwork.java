package dev.lamina.benchmarks.compare;

import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.graph.Variable;
import dev.lamina.nn.BatchNorm;
import dev.lamina.nn.Border;
import dev.lamina.nn.Conv2d;
import dev.lamina.nn.Dense;
import dev.lamina.nn.Dropout;
import dev.lamina.nn.Flatten;
import dev.lamina.nn.GlobalAveragePool;
import dev.lamina.nn.Layer;
import dev.lamina.nn.MaxPool2d;
import dev.lamina.nn.Residual;
import dev.lamina.nn.Sequential;
import dev.lamina.nn.activation.ReLU;
import dev.lamina.optim.Adam;
import dev.lamina.optim.Momentum;
import dev.lamina.optim.Optimizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A network of Lamina's layers, printed as TorchScript over {@code x}, {@code labels} and its variables. */
final class TorchNetwork {
  private final boolean training;
  private final StringBuilder text = new StringBuilder();
  private final List<String> weights = new ArrayList<>();
  private final List<Variable> variables;
  private final Map<String, Integer> columns = new HashMap<>();
  private int values;

  private int position;
  private int channels;
  private boolean flat;

  /**
   * Prints the way from {@code x} to the scores.
   *
   * @param variables of the network in the order in which its layers ask for them
   */
  private TorchNetwork(Layer network, List<Variable> variables, boolean training) {
    this.training = training;
    this.variables = variables;
    String scores = forward(network, "x");
    if (position < variables.size()) {
      throw new IllegalStateException("no layer took " + variables.get(position).name());
    }
    line("scores = " + scores);
  }

  /** A variable's name in the text. */
  static String name(Variable variable) {
    return variable.name().replace('.', '_');
  }

  /** What the optimizer remembers of a weight. */
  static String slot(String slot, Variable weight) {
    return slot + "_" + name(weight);
  }

  /** The names of the slots of a weight. */
  static List<String> slots(Optimizer optimizer) {
    return optimizer instanceof Adam ? List.of("m", "v") : List.of("m");
  }

  /** From {@code x} to probabilities. */
  static TorchNetwork inference(Layer network, List<Variable> variables) {
    var torch = new TorchNetwork(network, variables, false);
    torch.line("return torch.softmax(scores, 1)");
    return torch;
  }

  /** One update; returns the loss. {@code step} counts the updates before. */
  static TorchNetwork update(Layer network, List<Variable> variables, Optimizer optimizer, double rate) {
    var torch = new TorchNetwork(network, variables, true);
    torch.line("loss = torch.cross_entropy_loss(scores, labels)");
    torch.line("d = torch.grad([loss], [%s], None, None, False, False)".formatted(String.join(", ", torch.weights)));
    torch.line("t = float(torch.add_(step, 1))");
    int i = 0;
    for (Variable variable : variables) {
      if (variable.kind() == Variable.Kind.WEIGHT) {
        torch.update(variable, optimizer, rate, i++);
      }
    }
    torch.line("return loss");
    return torch;
  }

  /** The statements. */
  String text() {
    return text.toString();
  }

  /** The channels of the image whose values the columns of this dense weight belong to; 0 if it follows no image. */
  int channelsOfColumns(Variable weight) {
    return columns.getOrDefault(weight.name(), 0);
  }

  private void update(Variable weight, Optimizer optimizer, double rate, int i) {
    String w = name(weight);
    String m = slot("m", weight);
    line("g%d = unchecked_cast(Tensor, d[%d])".formatted(i, i));
    switch (optimizer) {
      case Momentum momentum -> {
        line("m%d = torch.add_(torch.mul_(%s, %s), g%d)".formatted(i, m, momentum.momentum(), i));
        line("w%d = torch.add_(%s, m%d, alpha=%s)".formatted(i, w, i, -rate));
      }
      case Adam adam -> {
        String v = slot("v", weight);
        line("m%d = torch.lerp_(%s, g%d, %s)".formatted(i, m, i, 1 - adam.beta1()));
        line(
            "v%d = torch.addcmul_(torch.mul_(%s, %s), g%d, g%d, value=%s)"
                .formatted(i, v, adam.beta2(), i, i, 1 - adam.beta2()));
        line(
            "r%d = torch.add_(torch.div(torch.sqrt(v%d), (1. - %s ** t) ** 0.5), %s)"
                .formatted(i, i, adam.beta2(), adam.epsilon()));
        line(
            "w%d = torch.addcdiv_(%s, m%d, r%d, value=%s / (1. - %s ** t))".formatted(i, w, i, i, -rate, adam.beta1()));
      }
      default -> throw new IllegalArgumentException("not written for PyTorch: " + optimizer);
    }
  }

  private String forward(Layer layer, String x) {
    return switch (layer) {
      case Sequential(List<Layer> layers) -> {
        String value = x;
        for (Layer next : layers) {
          value = forward(next, value);
        }
        yield value;
      }
      case Residual residual -> {
        String body = forward(residual.body(), x);
        String shortcut = residual.shortcut() == null ? x : forward(residual.shortcut(), x);
        yield value("torch.add(%s, %s)".formatted(body, shortcut));
      }
      case Conv2d conv -> {
        channels = conv.filters();
        String weight = take();
        String bias = conv.bias() == null ? "None" : take();
        yield value(
            "torch.conv2d(%s, %s, %s, %s, %s, %s, %d)"
                .formatted(x, weight, bias, list(conv.stride()), padding(conv), list(conv.dilation()), conv.groups()));
      }
      case BatchNorm norm ->
          value(
              "torch.batch_norm(%s, %s, %s, %s, %s, %s, %s, %s, False)"
                  .formatted(
                      x, take(), take(), take(), take(), training ? "True" : "False", norm.momentum(), norm.epsilon()));
      case ReLU _ -> value("torch.relu(" + x + ")");
      case MaxPool2d pool ->
          value(
              "torch.max_pool2d(%s, %s, %s, %s, [1, 1], False)"
                  .formatted(x, list(pool.window()), list(pool.stride()), symmetric(pool.padding())));
      case Flatten _ -> {
        flat = true;
        yield value("torch.flatten(" + x + ", 1, -1)");
      }
      case Dropout(double rate) -> value("torch.dropout(%s, %s, %s)".formatted(x, rate, training ? "True" : "False"));
      case GlobalAveragePool _ -> value("torch.mean(" + x + ", [2, 3])");
      case Dense dense -> {
        if (flat) {
          columns.put(variables.get(position).name(), channels);
          flat = false;
        }
        String weight = take();
        yield value("torch.linear(%s, %s, %s)".formatted(x, weight, dense.bias() == null ? "None" : take()));
      }
      default -> throw new IllegalArgumentException("not written for PyTorch: " + layer);
    };
  }

  /** The next variable, as a leaf of the gradients if it is learned. */
  private String take() {
    Variable variable = variables.get(position++);
    String name = name(variable);
    if (!training || variable.kind() != Variable.Kind.WEIGHT) {
      return name;
    }
    // Detached it shares the memory, and the update in place is none of a leaf.
    line("leaf_%s = torch.requires_grad_(torch.detach(%s), True)".formatted(name, name));
    weights.add("leaf_" + name);
    return "leaf_" + name;
  }

  private String value(String expression) {
    String name = "y" + values++;
    line(name + " = " + expression);
    return name;
  }

  private void line(String statement) {
    text.append(statement).append('\n');
  }

  private static String list(Size size) {
    return "[" + size.height() + ", " + size.width() + "]";
  }

  private static String symmetric(Padding padding) {
    return "[" + padding.top() + ", " + padding.left() + "]";
  }

  /** Of an odd kernel with stride 1 the half, or what is said in numbers. */
  private static String padding(Conv2d conv) {
    return switch (conv.padding()) {
      case Border.Zeros zeros -> "[" + zeros.top() + ", " + zeros.left() + "]";
      default -> "[" + (conv.kernel().height() - 1) / 2 + ", " + (conv.kernel().width() - 1) / 2 + "]";
    };
  }
}
