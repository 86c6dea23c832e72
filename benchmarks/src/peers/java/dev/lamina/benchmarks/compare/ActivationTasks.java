package dev.lamina.benchmarks.compare;

import dev.lamina.benchmarks.ActivationKind;
import dev.lamina.benchmarks.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Activations, forward and backward as two programs. */
final class ActivationTasks {
  private static final double TOLERANCE = 1e-4;
  private static final int ROWS = 4096;
  private static final int COLUMNS = 4096;

  /** One function, as PyTorch's eager mode runs it: from x, and from x and the gradient g of the result. */
  private record Function(ActivationKind kind, String forward, String saved, String backward) {
    Function(ActivationKind kind, String forward, String backward) {
      this(kind, forward, "", backward);
    }
  }

  private static final List<Function> FUNCTIONS =
      List.of(
          new Function(ActivationKind.RELU, "torch.relu(x)", "torch.threshold_backward(g, x, 0)"),
          new Function(
              ActivationKind.LEAKY_RELU, "torch.leaky_relu(x, 0.01)", "torch.leaky_relu_backward(g, x, 0.01, False)"),
          new Function(ActivationKind.ELU, "torch.elu(x)", "torch.elu_backward(g, 1., 1., 1., False, x)"),
          new Function(
              ActivationKind.SELU,
              "torch.selu(x)",
              "torch.elu_backward(g, 1.6732632423543772, 1.0507009873554805, 1., False, x)"),
          new Function(ActivationKind.HARD_SIGMOID, "torch.hardsigmoid(x)", "torch.hardsigmoid_backward(g, x)"),
          new Function(ActivationKind.HARD_SWISH, "torch.hardswish(x)", "torch.hardswish_backward(g, x)"),
          new Function(
              ActivationKind.SOFTSIGN,
              "torch.div(x, torch.add(torch.abs(x), 1))",
              """
              d = torch.add(torch.abs(x), 1)
              through = torch.neg(torch.mul(g, torch.div(torch.div(x, d), d)))
              return torch.add(torch.div(g, d), torch.mul(through, torch.sgn(x)))\
              """),
          // Sigmoid and tanh keep their results for the way back.
          new Function(
              ActivationKind.SIGMOID, "torch.sigmoid(x)", "torch.sigmoid(x)", "torch.sigmoid_backward(g, saved)"),
          new Function(ActivationKind.TANH, "torch.tanh(x)", "torch.tanh(x)", "torch.tanh_backward(g, saved)"),
          new Function(ActivationKind.SOFTPLUS, "torch.softplus(x)", "torch.softplus_backward(g, x, 1, 20)"),
          new Function(ActivationKind.SILU, "torch.silu(x)", "torch.silu_backward(g, x)"),
          new Function(ActivationKind.GELU, "torch.gelu(x)", "torch.gelu_backward(g, x)"),
          new Function(
              ActivationKind.GELU_TANH,
              "torch.gelu(x, approximate=\"tanh\")",
              "torch.gelu_backward(g, x, approximate=\"tanh\")"),
          new Function(ActivationKind.MISH, "torch.mish(x)", "torch.mish_backward(g, x)"));

  private ActivationTasks() {}

  static List<Task> all() {
    List<Task> tasks = new ArrayList<>();
    for (Function function : FUNCTIONS) {
      String name = function.kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
      tasks.add(
          new Task.Operations(
              "activation",
              name + ", forward",
              TOLERANCE,
              p -> p.graph().output("y", p.through(function.kind.layer(), p.normal("x", 1, ROWS, COLUMNS))),
              "",
              returned(function.forward)));
      tasks.add(
          new Task.Operations(
              "activation",
              name + ", backward",
              TOLERANCE,
              p -> {
                var x = p.normal("x", 1, ROWS, COLUMNS);
                var g = p.normal("g", 1, ROWS, COLUMNS);
                var y = p.through(function.kind.layer(), x);
                p.graph().output("dx", Problem.backward(y, g, List.of(x)).getFirst());
              },
              function.saved,
              returned(function.backward)));
    }
    return tasks;
  }

  private static String returned(String text) {
    return text.contains("return") ? text : "return " + text;
  }
}
