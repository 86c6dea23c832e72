package dev.lamina.benchmarks.suite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The file {@code results.json}, complete after each part. */
final class SuiteResults {
  private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final Path file;

  SuiteResults(Path folder) {
    file = folder.resolve("results.json");
  }

  /** What the file holds. */
  Map<String, Object> read() {
    return JSON.readValue(file, new TypeReference<Map<String, Object>>() {});
  }

  /** Adds what came of a part to {@code suite} and writes all of it. */
  void add(Map<String, Object> suite, Part part, Part.Outcome outcome) throws IOException {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("name", part.name());
    entry.put("title", part.title());
    entry.put("check", part.check());
    entry.put("end", outcome.end().name().toLowerCase(Locale.ROOT));
    entry.put("seconds", outcome.seconds());
    entry.put("reason", outcome.reason());
    entry.put("lines", outcome.lines());
    @SuppressWarnings("unchecked")
    var parts = (List<Map<String, Object>>) suite.computeIfAbsent("parts", _ -> new ArrayList<>());
    parts.add(entry);
    Path whole = file.resolveSibling("results.json.new");
    Files.write(whole, JSON.writeValueAsBytes(suite));
    Files.move(whole, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }
}
