package dev.lamina.device.cuda;

import dev.lamina.graph.Expr;
import dev.lamina.graph.Expr.BinaryOp;
import dev.lamina.graph.Expr.Relation;
import dev.lamina.graph.Expr.UnaryOp;
import dev.lamina.graph.RandomStream;
import dev.lamina.tensor.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.IntFunction;

/**
 * Expressions in 64 bits, for counters and sums of metrics. Functions are CUDA's own (at most 2 ulp, CUDA C++
 * Programming Guide, "Mathematical Functions"): there is little of this, and none of it in a network.
 */
final class DoubleBody implements LaneBody {
  private final List<Expr> exprs;
  private final Shape shape;
  private final SortedSet<Integer> inputs = new TreeSet<>();
  private final List<RandomStream> streams = new ArrayList<>();

  DoubleBody(List<Expr> exprs, Shape shape) {
    this.exprs = exprs;
    this.shape = shape;
    exprs.forEach(this::find);
  }

  private void find(Expr expr) {
    switch (expr) {
      case Expr.Input(int index) -> inputs.add(index);
      case Expr.Constant _, Expr.Index _ -> {}
      case Expr.Uniform(RandomStream stream) -> find(stream);
      case Expr.Bernoulli(RandomStream stream, long _) -> find(stream);
      case Expr.Unary(UnaryOp _, Expr a) -> find(a);
      case Expr.Binary(BinaryOp _, Expr a, Expr b) -> {
        find(a);
        find(b);
      }
      case Expr.Select(Relation _, Expr left, Expr right, Expr ifTrue, Expr ifFalse) ->
          List.of(left, right, ifTrue, ifFalse).forEach(this::find);
    }
  }

  private void find(RandomStream stream) {
    if (!streams.contains(stream)) {
      streams.add(stream);
    }
  }

  @Override
  public List<Integer> inputs() {
    return List.copyOf(inputs);
  }

  @Override
  public List<RandomStream> streams() {
    return streams;
  }

  @Override
  public String statements(IntFunction<String> input) {
    Printer printer = new Printer(input);
    for (int o = 0; o < exprs.size(); o++) {
      String result = printer.print(exprs.get(o));
      printer.text.append("y%d[lane] = %s;\n".formatted(o, result));
    }
    return printer.text.toString();
  }

  private final class Printer {
    private final IntFunction<String> input;
    private final StringBuilder text = new StringBuilder();
    private final Map<Expr, String> names = new HashMap<>();

    Printer(IntFunction<String> input) {
      this.input = input;
    }

    String print(Expr expr) {
      String known = names.get(expr);
      if (known != null) {
        return known;
      }
      String name = named(expression(expr));
      names.put(expr, name);
      return name;
    }

    private String named(String expression) {
      String name = "v" + names.size();
      text.append("const double ").append(name).append(" = ").append(expression).append(";\n");
      return name;
    }

    private String expression(Expr expr) {
      return switch (expr) {
        case Expr.Input(int index) -> input.apply(index);
        case Expr.Constant(double value) -> literal(value);
        case Expr.Index(int axis) -> "(double) " + coordinate(axis);
        case Expr.Uniform(RandomStream stream) -> "(double) (" + word(stream) + " >> 8) * " + 0x1p-24;
        case Expr.Bernoulli(RandomStream stream, long threshold) ->
            "(unsigned long long) " + word(stream) + " < " + threshold + "ull ? 1.0 : 0.0";
        case Expr.Unary(UnaryOp op, Expr a) -> unary(op, print(a));
        case Expr.Binary(BinaryOp op, Expr a, Expr b) -> binary(op, print(a), print(b));
        case Expr.Select(Relation relation, Expr left, Expr right, Expr ifTrue, Expr ifFalse) ->
            print(left) + relation(relation) + print(right) + " ? " + print(ifTrue) + " : " + print(ifFalse);
      };
    }
  }

  private String coordinate(int axis) {
    return LaneBody.coordinate(shape, axis);
  }

  private String word(RandomStream stream) {
    return "w" + streams.indexOf(stream) + "[lane]";
  }

  private static String literal(double value) {
    if (Double.isNaN(value)) {
      return "(double) float_of(0x7fc00000u)";
    }
    if (Double.isInfinite(value)) {
      return "(double) float_of(" + (value > 0 ? "0x7f800000u" : "0xff800000u") + ")";
    }
    return Double.toString(value);
  }

  private static String unary(UnaryOp op, String a) {
    return switch (op) {
      case NEG -> "-" + a;
      case ABS -> "magnitude(" + a + ")";
      case SIGN -> a + " > 0 ? 1.0 : " + a + " < 0 ? -1.0 : " + a + " == 0 ? 0.0 : " + a;
      case SQRT -> "square_root(" + a + ")";
      case EXP -> "exp(" + a + ")";
      case EXPM1 -> "expm1(" + a + ")";
      case LOG -> "log(" + a + ")";
      case LOG1P -> "log1p(" + a + ")";
      case TANH -> "tanh(" + a + ")";
      case SIGMOID ->
          a
              + " >= 0 ? 1 / (1 + exp(-magnitude(%1$s))) : exp(-magnitude(%1$s)) / (1 + exp(-magnitude(%1$s)))"
                  .formatted(a);
      case SOFTPLUS -> a + " > 0 ? %1$s + log1p(exp(-%1$s)) : log1p(exp(%1$s))".formatted(a);
      case ERF -> "erf(" + a + ")";
    };
  }

  private static String binary(BinaryOp op, String a, String b) {
    return switch (op) {
      case ADD -> a + " + " + b;
      case SUB -> a + " - " + b;
      case MUL -> a + " * " + b;
      case DIV -> a + " / " + b;
      case MIN -> "smaller(" + a + ", " + b + ")";
      case MAX -> "larger(" + a + ", " + b + ")";
    };
  }

  private static String relation(Relation relation) {
    return switch (relation) {
      case LT -> " < ";
      case LE -> " <= ";
      case GT -> " > ";
      case GE -> " >= ";
      case EQ -> " == ";
      case NE -> " != ";
    };
  }
}
