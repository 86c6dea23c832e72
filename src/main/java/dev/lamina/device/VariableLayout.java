package dev.lamina.device;

import dev.lamina.graph.MemoryPlan;
import dev.lamina.graph.Variable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where each variable lies in the memory that all programs of a model share; members of a packed variable lie within
 * it.
 */
public final class VariableLayout {

  /** A range of bytes. */
  private record Place(long offset, long bytes) {
    boolean overlaps(Place other) {
      return offset < other.offset + other.bytes && other.offset < offset + bytes;
    }
  }

  private final Map<Variable, Place> places = new LinkedHashMap<>();
  private final long bytes;

  /**
   * Lays out {@code variables}, packed ones with their members.
   *
   * @throws IllegalArgumentException if a variable is in two packs, or two have one name
   */
  public VariableLayout(Collection<Variable> variables) {
    Set<Variable> inPacks = new LinkedHashSet<>();
    for (Variable variable : variables) {
      for (Variable member : variable.members()) {
        if (!inPacks.add(member)) {
          throw new IllegalArgumentException(member.name() + " is packed twice");
        }
      }
    }
    long end = 0;
    for (Variable variable : new LinkedHashSet<>(variables)) {
      if (inPacks.contains(variable)) {
        continue;
      }
      put(variable, end);
      for (int i = 0; i < variable.members().size(); i++) {
        put(variable.members().get(i), end + variable.memberOffset(i) * variable.type().dtype().bytes());
      }
      end += Math.ceilDiv(variable.type().bytes(), MemoryPlan.ALIGNMENT) * MemoryPlan.ALIGNMENT;
    }
    bytes = end;
    long names = places.keySet().stream().map(Variable::name).distinct().count();
    if (names != places.size()) {
      throw new IllegalArgumentException(
          "two variables have one name among " + places.keySet().stream().map(Variable::name).toList());
    }
  }

  private void put(Variable variable, long offset) {
    places.put(variable, new Place(offset, variable.type().bytes()));
  }

  /** All variables, packed ones before their members. */
  public List<Variable> variables() {
    return new ArrayList<>(places.keySet());
  }

  /** The memory of all variables in bytes. */
  public long bytes() {
    return bytes;
  }

  /** Where {@code variable} begins, in bytes. */
  public long offset(Variable variable) {
    return place(variable).offset;
  }

  /** Whether writing one changes the other. */
  public boolean overlap(Variable a, Variable b) {
    return place(a).overlaps(place(b));
  }

  private Place place(Variable variable) {
    Place place = places.get(variable);
    if (place == null) {
      throw new IllegalArgumentException(variable.name() + " is not among the variables of this model");
    }
    return place;
  }
}
