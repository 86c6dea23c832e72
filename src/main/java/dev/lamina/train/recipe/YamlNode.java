package dev.lamina.train.recipe;

import dev.lamina.io.BadInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** A piece of YAML that knows where it was written, so that a complaint about it can say so. */
public sealed interface YamlNode {

  /** Where it was written: {@code recipe.yaml:12}, or the name of a command-line option. */
  String at();

  /** A number, a word, or text in quotes. */
  record Scalar(String text, String at) implements YamlNode {}

  /** {@code null}, {@code ~}, or nothing after the colon. */
  record Nothing(String at) implements YamlNode {}

  /** A list. */
  record Sequence(List<YamlNode> items, String at) implements YamlNode {}

  /** Keys with their values, in the order of the text. */
  record Mapping(SequencedMap<String, Entry> entries, String at) implements YamlNode {}

  /** The value of a key, and where the key was written. */
  record Entry(String at, YamlNode value) {}

  /** What a reader would call it. */
  default String words() {
    return switch (this) {
      case Scalar scalar -> "'" + scalar.text + "'";
      case Nothing _ -> "nothing";
      case Sequence _ -> "a list";
      case Mapping _ -> "keys and values";
    };
  }

  /** The same without places: maps, lists, text, true, false and null. */
  default Object plain() {
    return switch (this) {
      // As text they would be written in quotes; numbers are not.
      case Scalar scalar when scalar.text.equals("true") || scalar.text.equals("false") ->
          Boolean.parseBoolean(scalar.text);
      case Scalar scalar -> scalar.text;
      case Nothing _ -> null;
      case Sequence sequence -> sequence.items.stream().map(YamlNode::plain).toList();
      case Mapping mapping -> {
        Map<String, Object> plain = new LinkedHashMap<>();
        mapping.entries.forEach((key, entry) -> plain.put(key, entry.value.plain()));
        yield plain;
      }
    };
  }

  /** On one line, as it could have been written: {@code {dropout: 0.5}}. */
  default String line() {
    return switch (this) {
      case Scalar scalar -> scalar.text;
      case Nothing _ -> "null";
      case Sequence sequence -> sequence.items.stream().map(YamlNode::line).collect(Collectors.joining(", ", "[", "]"));
      case Mapping mapping ->
          mapping.entries.entrySet().stream()
              .map(entry -> entry.getKey() + ": " + entry.getValue().value.line())
              .collect(Collectors.joining(", ", "{", "}"));
    };
  }

  /** A complaint about this value, which stands at {@code path} in the recipe. */
  default BadInputException error(String path, String complaint) {
    return error(at(), path, complaint);
  }

  /** A complaint in one line: place, path, complaint. */
  static BadInputException error(String at, String path, String complaint) {
    // An option names its key already.
    return new BadInputException(at + ": " + (path.isEmpty() || at.startsWith("--") ? "" : path + ": ") + complaint);
  }
}
