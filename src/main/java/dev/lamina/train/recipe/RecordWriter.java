package dev.lamina.train.recipe;

import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Turns records into maps, lists, numbers and words: the reverse of {@link RecordReader}. Everything is spelled out, so
 * that a later default changes nothing.
 */
final class RecordWriter {
  private final Vocabulary vocabulary;

  RecordWriter(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  /** The components of {@code value} by name. */
  Map<String, Object> fields(Record value) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (RecordComponent component : value.getClass().getRecordComponents()) {
      Object inner = component(value, component);
      fields.put(Names.snake(component.getName()), plain(inner, component.getType()));
    }
    return fields;
  }

  /**
   * A value as plain data.
   *
   * @param declared the type of the component it is in
   * @throws IllegalArgumentException if it is of a kind that no recipe knows
   */
  Object plain(Object value, Class<?> declared) {
    if (value == null) {
      return null;
    }
    var special = vocabulary.special(declared);
    if (special.isPresent()) {
      return special.get().write(this, value);
    }
    if (value instanceof List<?> list) {
      return list.stream()
          .map(item -> plain(item, item instanceof List ? List.class : vocabulary.kindOf(item)))
          .toList();
    }
    Optional<Family> family = vocabulary.family(declared);
    if (family.isPresent()) {
      return member(family.get(), value);
    }
    return switch (value) {
      case Record record -> fields(record);
      case Enum<?> constant -> Names.snake(constant.name());
      default -> value;
    };
  }

  /** A name, with fields if it has any. */
  Object member(Family family, Object value) {
    String name =
        family
            .nameOf(value)
            .orElseThrow(
                () -> new IllegalArgumentException("a recipe has no name for the " + family.noun() + " " + value));
    Map<String, Object> fields = fields((Record) value);
    return fields.isEmpty() ? name : Map.of(name, fields);
  }

  /** The value of {@code component}. */
  static Object component(Record value, RecordComponent component) {
    try {
      return component.getAccessor().invoke(value);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(value.getClass() + " is not open to recipes", e);
    }
  }
}
