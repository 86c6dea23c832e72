package dev.lamina.train.recipe;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A place in a recipe, as messages write it: {@code lr}, {@code optimizer.adam.l2}, {@code model[2].dropout}. The name
 * of a member may be left out, and so may the key of a list that stands for its member: {@code optimizer.l2}, {@code
 * model[3].residual[0]}.
 *
 * @param text as it was written
 * @param steps keys and numbers of items
 */
record RecipePath(String text, List<Step> steps) {
  private static final String NAME = "[A-Za-z_][A-Za-z0-9_]*";
  private static final Pattern PATH = Pattern.compile(NAME + "(\\." + NAME + "|\\[\\d{1,6}\\])*");
  private static final Pattern STEP = Pattern.compile("(" + NAME + ")|\\[(\\d+)\\]");

  /** One step down. */
  sealed interface Step {}

  /** To the value of a key. */
  record Key(String name) implements Step {}

  /** To an item of a list. */
  record Item(int index) implements Step {}

  /**
   * Reads a path.
   *
   * @param at where it was written, for messages
   */
  static RecipePath parse(String text, String at) {
    if (!PATH.matcher(text).matches()) {
      throw YamlNode.error(
          at, "", "'" + text + "' is no place in a recipe; write for example lr, optimizer.l2 or model[2].dropout");
    }
    List<Step> steps = new ArrayList<>();
    for (Matcher step = STEP.matcher(text); step.find(); ) {
      steps.add(step.group(1) == null ? new Item(Integer.parseInt(step.group(2))) : new Key(step.group(1)));
    }
    return new RecipePath(text, List.copyOf(steps));
  }

  /** The key of the recipe in which it lies. */
  String root() {
    return ((Key) steps.getFirst()).name;
  }

  /** Whether it is a key of the recipe. */
  boolean isRoot() {
    return steps.size() == 1;
  }

  /** The value of the root, which is spelled out, with {@code value} at this place. */
  YamlNode placed(YamlNode spelledOut, YamlNode value) {
    return placed(spelledOut, 1, root(), value);
  }

  private YamlNode placed(YamlNode node, int next, String path, YamlNode value) {
    if (next == steps.size()) {
      return value;
    }
    return switch (steps.get(next)) {
      case Key(String name) -> placedAt(node, name, next, path, value);
      case Item(int index) -> placedAt(node, index, next, path, value);
    };
  }

  private YamlNode placedAt(YamlNode node, String key, int next, String path, YamlNode value) {
    return switch (node) {
      case YamlNode.Nothing nothing -> {
        // What is not there yet is begun; the reader of recipes knows whether there is such a key.
        YamlNode inner = placed(new YamlNode.Nothing(value.at()), next + 1, Names.join(path, key), value);
        yield with(new YamlNode.Mapping(new LinkedHashMap<>(), nothing.at()), key, inner);
      }
      case YamlNode.Mapping mapping -> {
        YamlNode.Entry entry = mapping.entries().get(key);
        if (entry != null) {
          yield with(mapping, key, placed(entry.value(), next + 1, Names.join(path, key), value));
        }
        YamlNode.Mapping member = member(mapping);
        if (member.entries().containsKey(key)) {
          String name = mapping.entries().firstEntry().getKey();
          yield with(mapping, name, placedAt(member, key, next, Names.join(path, name), value));
        }
        List<String> names = new ArrayList<>(mapping.entries().keySet());
        names.addAll(member.entries().keySet());
        throw YamlNode.error(value.at(), Names.join(path, key), "there is no such key" + Nearest.hint(key, names));
      }
      case YamlNode.Sequence sequence ->
          throw YamlNode.error(
              value.at(),
              text,
              path + " is a list of " + sequence.items().size() + "; say which of them: " + path + "[0]." + key);
      case YamlNode.Scalar _ -> throw hasNoParts(node, path, value);
    };
  }

  private YamlNode placedAt(YamlNode node, int index, int next, String path, YamlNode value) {
    return switch (node) {
      case YamlNode.Sequence sequence -> {
        if (index >= sequence.items().size()) {
          throw YamlNode.error(
              value.at(),
              text,
              path
                  + " has "
                  + sequence.items().size()
                  + " items, counted from 0; there is no "
                  + path
                  + "["
                  + index
                  + "]");
        }
        List<YamlNode> items = new ArrayList<>(sequence.items());
        items.set(index, placed(items.get(index), next + 1, path + "[" + index + "]", value));
        yield new YamlNode.Sequence(items, sequence.at());
      }
      // A list stands for the first field of a member that holds one.
      case YamlNode.Mapping mapping when !mapping.entries().isEmpty() -> {
        var first = mapping.entries().firstEntry();
        yield with(mapping, first.getKey(), placedAt(first.getValue().value(), index, next, path, value));
      }
      default -> throw hasNoParts(node, path, value);
    };
  }

  private RuntimeException hasNoParts(YamlNode node, String path, YamlNode value) {
    String hint = path.equals("model") ? "; write its layers out in the recipe to vary one of them" : "";
    return YamlNode.error(value.at(), text, path + " is " + node.words() + ", which has no parts" + hint);
  }

  /** The fields behind the name of a member; none if this is no member with fields. */
  private static YamlNode.Mapping member(YamlNode.Mapping mapping) {
    return mapping.entries().size() == 1
            && mapping.entries().firstEntry().getValue().value() instanceof YamlNode.Mapping fields
        ? fields
        : new YamlNode.Mapping(new LinkedHashMap<>(), mapping.at());
  }

  private static YamlNode.Mapping with(YamlNode.Mapping mapping, String key, YamlNode value) {
    SequencedMap<String, YamlNode.Entry> entries = new LinkedHashMap<>(mapping.entries());
    entries.put(key, new YamlNode.Entry(value.at(), value));
    return new YamlNode.Mapping(entries, mapping.at());
  }
}
