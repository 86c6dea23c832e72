package dev.lamina.train.recipe;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Things of one kind that a recipe can name: all layers, all losses.
 *
 * @param type what they have in common
 * @param noun for messages: "layer"
 * @param terms by name
 */
record Family(Class<?> type, String noun, SequencedMap<String, Term> terms) {

  /**
   * A name and the record behind it.
   *
   * @param prototype gives every component that the recipe leaves out
   * @param required components that cannot be left out
   * @param follows a component that is as another one where it is left out: the stride of a pool is its window
   */
  record Term(Record prototype, List<String> required, Map<String, String> follows) {}

  /** A family without members yet. */
  static Family of(Class<?> type, String noun) {
    return new Family(type, noun, new LinkedHashMap<>());
  }

  /** Adds a name; the values of {@code required} components in the prototype mean nothing. */
  Family with(String name, Record prototype, String... required) {
    terms.put(name, new Term(prototype, List.of(required), Map.of()));
    return this;
  }

  /** Adds a name whose only required component is {@code leader}; {@code follower} is as that where it is left out. */
  Family withFollower(String name, Record prototype, String leader, String follower) {
    terms.put(name, new Term(prototype, List.of(leader), Map.of(follower, leader)));
    return this;
  }

  /** The name under which {@code value} can be written; empty if it is of a kind that no recipe knows. */
  Optional<String> nameOf(Object value) {
    return terms.entrySet().stream()
        .filter(term -> term.getValue().prototype.getClass() == value.getClass())
        .map(Map.Entry::getKey)
        .findFirst();
  }
}
