package dev.lamina.device.cuda.library;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The order in which libraries can be loaded one by one. */
final class Dependencies {
  private Dependencies() {}

  /**
   * The same files, each after those among them that it needs.
   *
   * @throws ElfException if a file cannot be read
   */
  static List<Path> sorted(List<Path> files) {
    Map<String, Path> byName = new LinkedHashMap<>();
    Map<Path, List<String>> needed = new LinkedHashMap<>();
    for (Path file : files) {
      SharedObject object = SharedObject.read(file);
      byName.put(object.soname().orElse(file.getFileName().toString()), file);
      needed.put(file, object.needed());
    }
    Set<Path> entered = new LinkedHashSet<>();
    Set<Path> sorted = new LinkedHashSet<>();
    files.forEach(file -> visit(file, byName, needed, entered, sorted));
    return List.copyOf(sorted);
  }

  /** Depth first; a circle, which the dynamic linker resolves by itself, is cut where it is entered. */
  private static void visit(
      Path file, Map<String, Path> byName, Map<Path, List<String>> needed, Set<Path> entered, Set<Path> sorted) {
    if (!entered.add(file)) {
      return;
    }
    for (String name : needed.get(file)) {
      if (byName.containsKey(name)) {
        visit(byName.get(name), byName, needed, entered, sorted);
      }
    }
    sorted.add(file);
  }
}
