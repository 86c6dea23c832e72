package dev.lamina.benchmarks.compare;

import dev.lamina.benchmarks.ActivationKind;
import dev.lamina.benchmarks.Problem;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Layer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Activations, forward and backward as two programs. */
final class ActivationTasks {
  private static final double TOLERANCE = 1e-4;
  private static final int VALUES = 1 << 24;
  private static final int COLUMNS = 64;

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
          // A slope for each column; eager mode adds them up in a pass of its own.
          new Function(
              ActivationKind.PRELU,
              "torch.prelu(x, layer_weight)",
              """
              dx, slopes = torch._prelu_kernel_backward(g, x, layer_weight)
              return (dx, torch.sum(slopes, [0]))\
              """),
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

  /** Those of few instructions: what they read and write is to decide how long they take. */
  private static final Set<ActivationKind> MEMORY_BOUND =
      EnumSet.of(
          ActivationKind.RELU,
          ActivationKind.LEAKY_RELU,
          ActivationKind.PRELU,
          ActivationKind.ELU,
          ActivationKind.SELU,
          ActivationKind.HARD_SIGMOID,
          ActivationKind.HARD_SWISH,
          ActivationKind.SOFTSIGN,
          ActivationKind.SIGMOID,
          ActivationKind.SILU);

  private ActivationTasks() {}

  /** Against PyTorch. */
  static List<Task> all() {
    List<Task> tasks = new ArrayList<>();
    for (Function function : FUNCTIONS) {
      tasks.add(forward("activation", function));
      tasks.add(backward("activation", function));
    }
    return tasks;
  }

  /** Those that wait for memory, against a copy of as many bytes. */
  static List<Task> besideCopies() {
    List<Task> tasks = new ArrayList<>();
    for (Function function : FUNCTIONS) {
      if (MEMORY_BOUND.contains(function.kind)) {
        tasks.add(forward(Tasks.BANDWIDTH, function));
        tasks.add(backward(Tasks.BANDWIDTH, function));
      }
    }
    return tasks;
  }

  private static Task forward(String group, Function function) {
    return new Task.Operations(
        group,
        name(function) + ", forward",
        TOLERANCE,
        p -> p.graph().output("y", p.through(function.kind.layer(), p.normal("x", 1, VALUES / COLUMNS, COLUMNS))),
        "",
        returned(function.forward));
  }

  private static Task backward(String group, Function function) {
    return new Task.Operations(
        group,
        name(function) + ", backward",
        TOLERANCE,
        p -> gradients(p, function.kind.layer()),
        function.saved,
        returned(function.backward));
  }

  /** Of the input, then of what the layer learns. */
  private static void gradients(Problem p, Layer layer) {
    Tensor x = p.normal("x", 1, VALUES / COLUMNS, COLUMNS);
    Tensor g = p.normal("g", 1, VALUES / COLUMNS, COLUMNS);
    Tensor y = p.through(layer, x);
    List<Tensor> inputs = new ArrayList<>(List.of(x));
    inputs.addAll(p.learned());
    List<Tensor> gradients = Problem.backward(y, g, inputs);
    for (int i = 0; i < gradients.size(); i++) {
      p.graph().output("gradient" + i, gradients.get(i));
    }
  }

  private static String name(Function function) {
    return function.kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static String returned(String text) {
    return text.contains("return") ? text : "return " + text;
  }
}
