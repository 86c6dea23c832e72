package dev.lamina.train.recipe;

import dev.lamina.data.BatchSize;
import dev.lamina.graph.Padding;
import dev.lamina.graph.Size;
import dev.lamina.io.BadInputException;
import dev.lamina.nn.Border;
import dev.lamina.nn.Layer;
import dev.lamina.nn.init.Constant;
import java.util.List;
import java.util.function.BiFunction;

/**
 * A type that has a way of its own to be written: a size as one number, a padding as a word.
 *
 * @param reader makes it from YAML at a path
 * @param writer makes plain data from it
 */
record Notation(Reader reader, BiFunction<RecordWriter, Object, Object> writer) {
  /** Makes a value from YAML. */
  @FunctionalInterface
  interface Reader {
    Object read(RecordReader records, YamlNode node, String path);
  }

  Object read(RecordReader records, YamlNode node, String path) {
    return reader.read(records, node, path);
  }

  Object write(RecordWriter records, Object value) {
    return writer.apply(records, value);
  }

  /** {@code 3} or {@code [3, 5]}: height and width. */
  static Notation size() {
    return new Notation(
        (records, node, path) -> {
          List<Integer> n = numbers(records, node, path);
          return switch (n.size()) {
            case 1 -> Size.square(n.getFirst());
            case 2 -> new Size(n.get(0), n.get(1));
            default -> throw node.error(path, "expected one number, or height and width, got " + n.size() + " numbers");
          };
        },
        (_, value) -> {
          Size size = (Size) value;
          return size.height() == size.width() ? size.height() : List.of(size.height(), size.width());
        });
  }

  /** {@code 1} or {@code [1, 1, 2, 2]}: top, bottom, left, right. */
  static Notation padding() {
    return new Notation(
        Notation::readPadding,
        (_, value) -> {
          Padding padding = (Padding) value;
          return plain(padding);
        });
  }

  private static Padding readPadding(RecordReader records, YamlNode node, String path) {
    List<Integer> n = numbers(records, node, path);
    return switch (n.size()) {
      case 1 -> Padding.all(n.getFirst());
      case 4 -> new Padding(n.get(0), n.get(1), n.get(2), n.get(3));
      default ->
          throw node.error(path, "expected one number, or top, bottom, left and right, got " + n.size() + " numbers");
    };
  }

  private static Object plain(Padding p) {
    boolean even = p.equals(Padding.all(p.top()));
    return even ? p.top() : List.of(p.top(), p.bottom(), p.left(), p.right());
  }

  /** {@code same}, {@code valid}, or as {@link #padding}. */
  static Notation border() {
    return new Notation(
        (records, node, path) -> {
          if (node instanceof YamlNode.Scalar(String text, String _) && !text.matches("-?\\d+")) {
            return switch (text) {
              case "same" -> Border.SAME;
              case "valid" -> Border.VALID;
              default ->
                  throw node.error(
                      path,
                      "there is no padding '" + text + "'" + Nearest.hint(text, List.of("same", "valid", "a number")));
            };
          }
          Padding p = readPadding(records, node, path);
          try {
            return new Border.Zeros(p.top(), p.bottom(), p.left(), p.right());
          } catch (IllegalArgumentException e) {
            throw node.error(path, e.getMessage());
          }
        },
        (_, value) ->
            switch ((Border) value) {
              case Border.Rule rule -> Names.snake(rule.name());
              case Border.Zeros(int top, int bottom, int left, int right) ->
                  plain(new Padding(top, bottom, left, right));
            });
  }

  /** Whatever stands there. */
  static Notation anything() {
    return new Notation((_, node, _) -> node, (_, value) -> ((YamlNode) value).plain());
  }

  /** {@code full} or a number. */
  static Notation batch() {
    return new Notation(
        (_, node, path) -> {
          if (!(node instanceof YamlNode.Scalar(String text, String _))) {
            throw node.error(path, "expected a number of examples or 'full', got " + node.words());
          }
          try {
            return BatchSize.parse(text);
          } catch (BadInputException e) {
            throw node.error(path, e.getMessage());
          }
        },
        (_, value) ->
            switch ((BatchSize) value) {
              case BatchSize.Full _ -> "full";
              case BatchSize.Fixed(int examples) -> examples;
            });
  }

  /** A number for a constant, {@code false} for none, or the name of an initializer. */
  static Notation initializer(Family family) {
    return new Notation(
        (records, node, path) -> {
          if (node instanceof YamlNode.Nothing
              || node instanceof YamlNode.Scalar(String none, String _) && none.equals("false")) {
            return null;
          }
          if (node instanceof YamlNode.Scalar(String text, String _) && text.matches("[-+.\\d].*")) {
            try {
              return new Constant(Double.parseDouble(text));
            } catch (NumberFormatException _) {
              throw node.error(path, "expected a number, false or an initializer, got " + node.words());
            }
          }
          return records.member(node, family, path);
        },
        (records, value) -> {
          if (value instanceof Constant(double constant)) {
            return constant;
          }
          return records.member(family, value);
        });
  }

  /** A name, or a list of layers. */
  static Notation model(Iterable<String> names) {
    return new Notation(
        (records, node, path) ->
            switch (node) {
              case YamlNode.Scalar(String text, String _) -> {
                List<String> known = new java.util.ArrayList<>();
                names.forEach(known::add);
                if (!known.contains(text)) {
                  throw node.error(path, "there is no model '" + text + "'" + Nearest.hint(text, known));
                }
                yield new Recipe.Model.Named(text);
              }
              case YamlNode.Sequence sequence ->
                  new Recipe.Model.Layers(
                      records.list(sequence, Layer.class, path).stream().map(Layer.class::cast).toList());
              default ->
                  throw node.error(path, "expected the name of a model or a list of layers, got " + node.words());
            },
        (records, value) ->
            switch ((Recipe.Model) value) {
              case Recipe.Model.Named(String name) -> name;
              case Recipe.Model.Layers(List<Layer> layers) ->
                  layers.stream().map(layer -> records.plain(layer, Layer.class)).toList();
            });
  }

  private static List<Integer> numbers(RecordReader records, YamlNode node, String path) {
    YamlNode list = node instanceof YamlNode.Scalar ? new YamlNode.Sequence(List.of(node), node.at()) : node;
    return records.list(list, Integer.class, path).stream().map(Integer.class::cast).toList();
  }
}
