package dev.lamina.train.recipe;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Makes records from YAML: keys are their components in snake_case, components that are left out come from a prototype.
 * A lone value stands for the first component: {@code dropout: 0.5}.
 */
final class RecordReader {
  private final Vocabulary vocabulary;

  RecordReader(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  /** The record of the type of {@code prototype} that {@code mapping} describes. */
  <R extends Record> R read(YamlNode.Mapping mapping, R prototype, String path) {
    @SuppressWarnings("unchecked")
    R made = (R) read(mapping, new Family.Term(prototype, List.of(), Map.of()), path);
    return made;
  }

  private Record read(YamlNode.Mapping mapping, Family.Term term, String path) {
    Record prototype = term.prototype();
    RecordComponent[] components = prototype.getClass().getRecordComponents();
    List<String> names = Arrays.stream(components).map(component -> Names.snake(component.getName())).toList();
    mapping
        .entries()
        .forEach((key, entry) -> {
          if (!names.contains(key)) {
            throw YamlNode.error(entry.at(), Names.join(path, key), "there is no such key" + Nearest.hint(key, names));
          }
        });
    Map<String, Object> values = new HashMap<>();
    for (RecordComponent component : components) {
      String name = Names.snake(component.getName());
      YamlNode.Entry entry = mapping.entries().get(name);
      Object fallback = RecordWriter.component(prototype, component);
      if (entry != null) {
        values.put(name, value(entry.value(), component.getGenericType(), fallback, Names.join(path, name)));
      } else if (term.required().contains(name)) {
        throw mapping.error(path, "'" + name + "' is missing");
      } else {
        values.put(name, fallback);
      }
    }
    term.follows()
        .forEach((follower, leader) -> {
          if (!mapping.entries().containsKey(follower)) {
            values.put(follower, values.get(leader));
          }
        });
    Object[] arguments =
        Arrays.stream(components).map(component -> values.get(Names.snake(component.getName()))).toArray();
    return make(prototype.getClass(), components, arguments, mapping, path);
  }

  private static Record make(
      Class<?> type, RecordComponent[] components, Object[] arguments, YamlNode node, String path) {
    try {
      Class<?>[] types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      return (Record) constructor.newInstance(arguments);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        // Most say themselves who complains, which the path has said already.
        String name = path.substring(path.lastIndexOf('.') + 1) + ": ";
        String message = cause.getMessage();
        throw node.error(path, message.startsWith(name) ? message.substring(name.length()) : message);
      }
      throw new IllegalStateException(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " is not open to recipes", e);
    }
  }

  private Object value(YamlNode node, Type type, Object fallback, String path) {
    if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
      return list(node, list.getActualTypeArguments()[0], path);
    }
    Class<?> wanted = (Class<?>) type;
    var special = vocabulary.special(wanted);
    if (special.isPresent()) {
      return special.get().read(this, node, path);
    }
    if (node instanceof YamlNode.Nothing) {
      // What is something by default cannot be made nothing; what is nothing by default can stay so.
      if (wanted.isPrimitive() || fallback != null) {
        throw node.error(path, "expected a value, got nothing");
      }
      return null;
    }
    var family = vocabulary.family(wanted);
    if (family.isPresent()) {
      return member(node, family.get(), path);
    }
    if (Record.class.isAssignableFrom(wanted) && !(node instanceof YamlNode.Sequence)) {
      Record prototype = (Record) (fallback == null ? vocabulary.prototype(wanted) : fallback);
      Family.Term term = new Family.Term(prototype, List.of(), Map.of());
      return read(fields(node, term, path, path), term, path);
    }
    if (node instanceof YamlNode.Scalar scalar) {
      return scalar(scalar, wanted, path);
    }
    throw node.error(path, "expected " + words(wanted) + ", got " + node.words());
  }

  /** A list of values of type {@code element}. */
  List<Object> list(YamlNode node, Type element, String path) {
    if (!(node instanceof YamlNode.Sequence sequence)) {
      throw node.error(path, "expected a list, got " + node.words());
    }
    List<Object> values = new ArrayList<>();
    for (int i = 0; i < sequence.items().size(); i++) {
      YamlNode item = sequence.items().get(i);
      String itemPath = path + "[" + i + "]";
      if (item instanceof YamlNode.Nothing) {
        throw item.error(itemPath, "expected a value, got nothing");
      }
      values.add(value(item, element, null, itemPath));
    }
    return List.copyOf(values);
  }

  /**
   * The member of {@code family} that is named, alone or as the only key; a list stands for the member that holds one.
   */
  Object member(YamlNode node, Family family, String path) {
    return switch (node) {
      case YamlNode.Scalar scalar -> {
        Family.Term term = term(scalar.text(), scalar.at(), family, path);
        yield read(new YamlNode.Mapping(new LinkedHashMap<>(), scalar.at()), term, Names.join(path, scalar.text()));
      }
      case YamlNode.Mapping mapping when mapping.entries().size() == 1 -> {
        String name = mapping.entries().firstEntry().getKey();
        YamlNode.Entry entry = mapping.entries().firstEntry().getValue();
        Family.Term term = term(name, entry.at(), family, path);
        yield read(fields(entry.value(), term, name, Names.join(path, name)), term, Names.join(path, name));
      }
      case YamlNode.Mapping mapping ->
          throw mapping.error(
              path,
              "expected one "
                  + family.noun()
                  + ", got the keys "
                  + String.join(", ", mapping.entries().keySet())
                  + "; indent the fields of a "
                  + family.noun()
                  + " below its name");
      case YamlNode.Sequence sequence when family.terms().containsKey("sequential") -> {
        Family.Term term = family.terms().get("sequential");
        yield read(fields(sequence, term, "sequential", path), term, path);
      }
      default -> throw node.error(path, "expected a " + family.noun() + ", got " + node.words());
    };
  }

  private static Family.Term term(String name, String at, Family family, String path) {
    Family.Term term = family.terms().get(name);
    if (term == null) {
      throw YamlNode.error(
          at, path, "there is no " + family.noun() + " '" + name + "'" + Nearest.hint(name, family.terms().keySet()));
    }
    return term;
  }

  /** What stands behind a name, as keys and values. */
  private static YamlNode.Mapping fields(YamlNode node, Family.Term term, String name, String path) {
    var entries = new LinkedHashMap<String, YamlNode.Entry>();
    return switch (node) {
      case YamlNode.Mapping mapping -> mapping;
      case YamlNode.Nothing nothing -> new YamlNode.Mapping(entries, nothing.at());
      default -> {
        RecordComponent[] components = term.prototype().getClass().getRecordComponents();
        if (components.length == 0) {
          throw node.error(path, name + " has no fields, got " + node.words());
        }
        entries.put(Names.snake(components[0].getName()), new YamlNode.Entry(node.at(), node));
        yield new YamlNode.Mapping(entries, node.at());
      }
    };
  }

  private static Object scalar(YamlNode.Scalar scalar, Class<?> wanted, String path) {
    String text = scalar.text();
    try {
      if (wanted == int.class || wanted == Integer.class) {
        return Integer.parseInt(text);
      } else if (wanted == long.class || wanted == Long.class) {
        return Long.parseLong(text);
      } else if (wanted == double.class || wanted == Double.class) {
        return Double.parseDouble(text);
      } else if (wanted == boolean.class || wanted == Boolean.class) {
        if (text.equals("true") || text.equals("false")) {
          return Boolean.parseBoolean(text);
        }
      } else if (wanted == String.class) {
        return text;
      } else if (wanted.isEnum()) {
        return constant(scalar, wanted, path);
      }
    } catch (NumberFormatException _) {
      // The complaint below says it better.
    }
    throw scalar.error(path, "expected " + words(wanted) + ", got " + scalar.words());
  }

  private static Object constant(YamlNode.Scalar scalar, Class<?> wanted, String path) {
    Map<String, Object> constants = new LinkedHashMap<>();
    for (Object constant : wanted.getEnumConstants()) {
      constants.put(Names.snake(((Enum<?>) constant).name()), constant);
    }
    Object constant = constants.get(scalar.text());
    if (constant == null) {
      throw scalar.error(path, "there is no '" + scalar.text() + "'" + Nearest.hint(scalar.text(), constants.keySet()));
    }
    return constant;
  }

  private static String words(Class<?> wanted) {
    if (wanted == int.class || wanted == long.class || wanted == Integer.class || wanted == Long.class) {
      return "a whole number";
    } else if (wanted == double.class || wanted == Double.class) {
      return "a number";
    } else if (wanted == boolean.class || wanted == Boolean.class) {
      return "true or false";
    }
    if (wanted.isEnum() || wanted == String.class) {
      return "a word";
    }
    return wanted.isRecord()
        ? Arrays.stream(wanted.getRecordComponents())
            .map(component -> Names.snake(component.getName()))
            .collect(Collectors.joining(", ", "keys and values (", ")"))
        : "keys and values";
  }
}
