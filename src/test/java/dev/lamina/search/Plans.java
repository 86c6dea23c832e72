package dev.lamina.search;

import dev.lamina.train.recipe.YamlText;
import java.nio.file.Path;
import java.util.List;

/** Search plans from texts, as tests have them. */
final class Plans {
  private Plans() {}

  /** The plan that {@code yaml} describes; messages call it {@code name}. */
  static SearchPlan parse(String name, String yaml) {
    return new SearchText()
        .parse(name, YamlText.parse(yaml, line -> name + ":" + line), Path.of(""), List.of(), List.of());
  }

  /** The plan in {@code file}. */
  static SearchPlan read(Path file) {
    return new SearchText().parse(file.toString(), YamlText.read(file), file.getParent(), List.of(), List.of());
  }
}
