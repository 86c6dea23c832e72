package dev.lamina.benchmarks.suite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code results.json} for people: tables in Markdown. */
final class Report {
  private final Map<String, Object> suite;
  private final List<Map<String, Object>> parts;
  private final StringBuilder text = new StringBuilder();

  @SuppressWarnings("unchecked")
  Report(Map<String, Object> suite) {
    this.suite = suite;
    parts = (List<Map<String, Object>>) suite.getOrDefault("parts", List.of());
  }

  void write(Path file) throws IOException {
    Files.writeString(file, toString());
  }

  @Override
  public String toString() {
    text.setLength(0);
    heading();
    parts();
    failures();
    steps();
    operations();
    peers();
    convolutions();
    activations();
    products();
    mnist();
    others();
    return text.toString();
  }

  private void heading() {
    boolean emulated = Boolean.TRUE.equals(suite.get("emulated"));
    line(emulated ? "# Lamina, without a GPU" : "# Lamina on a GPU");
    if (emulated) {
      line("**No GPU was there: this shows that the suite works. None of its times means anything.**");
    }
    line("%s, `%s`, Lamina %s", suite.get("date"), suite.get("command"), suite.get("lamina"));
    for (Map<String, Object> machine : lines("machine")) {
      line("- %s", machine.get("gpu"));
      for (Object library : (List<?>) machine.get("libraries")) {
        text.append("- `").append(String.valueOf(library).replaceAll("\\s+", " ")).append("`\n");
      }
      line("- nvidia-smi: %s", machine.get("nvidia_smi"));
      line(
          "- %s, %s processors, %s, %s",
          machine.get("processor"), machine.get("processors"), machine.get("system"), machine.get("java"));
    }
  }

  private void parts() {
    table("Parts", List.of("part", "", "seconds", ""));
    for (Map<String, Object> part : parts) {
      List<String> notes = new ArrayList<>();
      List<Map<String, Object>> units = linesOf(part, "tests");
      if (!units.isEmpty()) {
        notes.add(
            "%d passed, %d failed, %d skipped"
                .formatted(sum(units, "passed"), sum(units, "failed"), sum(units, "skipped")));
      }
      linesOf(part, "prepared").forEach(line -> notes.add("compiled in " + number(line.get("seconds"), 1) + " s"));
      notes.add(String.valueOf(part.get("reason")));
      notes.removeIf(String::isEmpty);
      row(
          part.get("title"),
          String.valueOf(part.get("end")).replace('_', ' '),
          number(part.get("seconds"), 1),
          String.join(". ", notes));
    }
  }

  private static int sum(List<Map<String, Object>> lines, String key) {
    return lines.stream().mapToInt(line -> ((Number) line.get(key)).intValue()).sum();
  }

  /** Tests that failed, and processes of tests that did not come to their end. */
  private void failures() {
    List<Map<String, Object>> units =
        lines("tests").stream()
            .filter(unit -> !((List<?>) unit.get("failures")).isEmpty() || unit.containsKey("ended"))
            .toList();
    if (units.isEmpty()) {
      return;
    }
    table("Tests that did not pass", List.of("tests", "passed", "failed", "skipped", "which", ""));
    for (Map<String, Object> unit : units) {
      List<String> names = ((List<?>) unit.get("failures")).stream().map(String::valueOf).toList();
      row(
          unit.get("unit"),
          unit.get("passed"),
          unit.get("failed"),
          unit.get("skipped"),
          String.join("; ", names),
          unit.getOrDefault("ended", ""));
    }
  }

  private void steps() {
    List<Map<String, Object>> steps = lines("step");
    if (steps.isEmpty()) {
      return;
    }
    table(
        "Training steps, on data that is on the device",
        List.of(
            "network",
            "precision",
            "batch",
            "ms",
            "least to most",
            "images/s",
            "ms with input",
            "host µs",
            "heap B",
            "device B",
            "memory planned",
            "taken"));
    for (Map<String, Object> step : steps) {
      row(
          step.get("network"),
          step.get("precision"),
          step.get("batch"),
          number(step.get("ms"), 3),
          number(step.get("ms_least"), 3) + " to " + number(step.get("ms_most"), 3),
          number(step.get("images_per_second"), 0),
          number(step.get("ms_with_input"), 3),
          number(step.get("host_us"), 1),
          number(step.get("heap_bytes_per_step"), 0),
          number(step.get("device_bytes_per_step"), 0),
          gibibytes(step.get("memory_planned")),
          gibibytes(step.get("memory_taken")));
    }
    line("");
    line(
        "Host: the call that starts a step on an idle device. Heap and device: bytes for each step. Taken: what the"
            + " driver has less, with context and kernels.");
  }

  private void operations() {
    List<Map<String, Object>> all = lines("operation");
    if (all.isEmpty()) {
      return;
    }
    table("Where the time of a step goes", List.of("operation", "phase", "inputs", "count", "ms", "of all"));
    for (Map<String, Object> one : all) {
      row(
          one.get("operation"),
          one.get("phase"),
          one.get("inputs"),
          one.get("count"),
          number(one.get("ms"), 3),
          percent(one.get("share")));
    }
    line("");
    line("Each operation is started alone and waited for, which adds some microseconds to each.");
  }

  @SuppressWarnings("unchecked")
  private void peers() {
    var peers = (Map<String, Object>) suite.getOrDefault("peers", Map.of());
    if (peers.isEmpty()) {
      return;
    }
    var all = (List<Map<String, Object>>) peers.get("lines");
    text.append("\n## PyTorch\n\n");
    line("`%s`: %s. Ratio: how many times as fast Lamina is.", peers.get("command"), peers.get("versions"));
    List<Map<String, Object>> steps = ofKind(all, "step");
    if (!steps.isEmpty()) {
      var columns =
          List.of(
              "network",
              "precision",
              "PyTorch",
              "ms",
              "Lamina ms",
              "ratio",
              "memory",
              "reserved",
              "Lamina's",
              "s to first step",
              "");
      table("Training steps beside PyTorch, in turns", columns);
      for (Map<String, Object> peer : steps) {
        Object failed = peer.getOrDefault("failed", "");
        row(
            peer.get("network"),
            peer.get("precision"),
            peer.get("mode"),
            number(peer.get("ms"), 3),
            number(peer.get("lamina_ms"), 3),
            ratio(peer.get("ms"), peer.get("lamina_ms")),
            gibibytes(peer.get("memory")),
            gibibytes(peer.get("memory_reserved")),
            gibibytes(peer.get("lamina_memory")),
            number(peer.get("first_seconds"), 1),
            peer.containsKey("lamina_failed") ? failed + " Lamina: " + peer.get("lamina_failed") : failed);
      }
      line("");
      line(
          "Memory: the most that tensors took in a warm step, and what PyTorch held for them. Lamina's step also"
              + " converts images of bytes, PyTorch's gets floats.");
    }
    List<Map<String, Object>> activations = ofKind(all, "activation");
    if (!activations.isEmpty()) {
      table("Activations beside PyTorch eager", List.of("activation", "type", "ms", "Lamina ms", "ratio", ""));
      for (Map<String, Object> peer : activations) {
        Object theirs = peer.get("ms");
        Object ours = peer.get("lamina_ms");
        row(
            peer.get("activation"),
            peer.get("type"),
            number(theirs, 3),
            number(ours, 3),
            ratio(theirs, ours),
            peer.getOrDefault("failed", ""));
      }
    }
    List<Map<String, Object>> products = ofKind(all, "product");
    if (!products.isEmpty()) {
      table("Matrix products of PyTorch", List.of("size", "type", "TFLOP/s"));
      products.forEach(peer -> row(peer.get("name"), peer.get("type"), number(peer.get("tflops"), 1)));
    }
    List<Map<String, Object>> convolutions = ofKind(all, "convolution");
    if (!convolutions.isEmpty()) {
      table("Convolutions of PyTorch", List.of("convolution", "direction", "type", "TFLOP/s", "ms", ""));
      for (Map<String, Object> peer : convolutions) {
        row(
            peer.get("name"),
            direction(peer),
            peer.get("type"),
            number(peer.get("tflops"), 1),
            number(peer.get("ms"), 3),
            peer.getOrDefault("failed", ""));
      }
    }
  }

  private static List<Map<String, Object>> ofKind(List<Map<String, Object>> lines, String kind) {
    return lines.stream().filter(line -> kind.equals(line.get("kind"))).toList();
  }

  private void convolutions() {
    List<Map<String, Object>> all = lines("convolution");
    if (all.isEmpty()) {
      return;
    }
    var columns =
        List.of(
            "convolution", "direction", "type", "legacy TFLOP/s", "graph TFLOP/s", "legacy ms", "graph ms", "refused");
    table("Convolutions by both parts of cuDNN", columns);
    for (Map<String, Object> one : all) {
      row(
          one.get("name"),
          direction(one),
          one.get("type"),
          number(one.get("legacy_tflops"), 1),
          number(one.get("graph_tflops"), 1),
          number(one.get("legacy_ms"), 3),
          number(one.get("graph_ms"), 3),
          refusals(one));
    }
  }

  private static String direction(Map<String, Object> line) {
    return String.valueOf(line.get("direction")).replace('_', ' ');
  }

  private static String refusals(Map<String, Object> line) {
    List<String> refusals = new ArrayList<>();
    for (String part : List.of("legacy", "graph")) {
      if (line.containsKey(part + "_refused")) {
        refusals.add(part + ": " + line.get(part + "_refused"));
      }
    }
    return String.join("; ", refusals);
  }

  private void activations() {
    List<Map<String, Object>> all = lines("activation");
    if (all.isEmpty()) {
      return;
    }
    text.append('\n');
    lines("copy")
        .forEach(copy ->
            line(
                "A copy of %s values in %s: %s GB/s, read and written.",
                copy.get("values"), copy.get("type"), number(copy.get("gb_per_second"), 0)));
    table(
        "Activations, forward and backward",
        List.of("activation", "type", "forward ms", "backward ms", "GB/s", "of copy", ""));
    for (Map<String, Object> one : all) {
      row(
          one.get("activation"),
          one.get("type"),
          number(one.get("forward_ms"), 3),
          number(one.get("backward_ms"), 3),
          number(one.get("gb_per_second"), 0),
          percent(one.get("of_copy")),
          one.getOrDefault("failed", ""));
    }
  }

  private void products() {
    List<Map<String, Object>> all = lines("product");
    if (all.isEmpty()) {
      return;
    }
    table("Matrix products, bf16", List.of("size", "TFLOP/s", "cuBLAS called directly", "ratio"));
    all.forEach(one ->
        row(
            one.get("size") + "³",
            number(one.get("tflops"), 1),
            number(one.get("tflops_cublas"), 1),
            number(one.get("ratio"), 3)));
  }

  private void mnist() {
    List<Map<String, Object>> all = lines("mnist");
    if (!all.isEmpty()) {
      table("Digits", List.of("", "losses of the epochs", "test accuracy"));
      all.forEach(one -> row(one.get("device"), losses(one.get("losses")), percent(one.get("test_accuracy"))));
    }
  }

  private static String losses(Object list) {
    return String.join(", ", ((List<?>) list).stream().map(loss -> number(loss, 4)).toList());
  }

  /** Kinds that no table is made for, as they are: what answers a question of one day. */
  private void others() {
    var known =
        List.of(
            "machine",
            "tests",
            "prepared",
            "step",
            "operation",
            "activation",
            "copy",
            "product",
            "mnist",
            "convolution");
    for (Map<String, Object> part : parts) {
      List<Map<String, Object>> unknown =
          linesOf(part).stream().filter(one -> !known.contains(one.get("kind"))).toList();
      if (!unknown.isEmpty()) {
        List<String> columns = new ArrayList<>(unknown.getFirst().keySet());
        unknown.forEach(one -> one.keySet().stream().filter(key -> !columns.contains(key)).forEach(columns::add));
        columns.remove("kind");
        table(String.valueOf(part.get("title")), columns);
        unknown.forEach(one -> row(columns.stream().map(key -> value(one.get(key))).toArray()));
      }
    }
  }

  private static String value(Object value) {
    return value == null ? "" : value instanceof Double ? number(value, 3) : String.valueOf(value);
  }

  private List<Map<String, Object>> lines(String kind) {
    return parts.stream().flatMap(part -> linesOf(part, kind).stream()).toList();
  }

  private static List<Map<String, Object>> linesOf(Map<String, Object> part, String kind) {
    return ofKind(linesOf(part), kind);
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> linesOf(Map<String, Object> part) {
    return (List<Map<String, Object>>) part.get("lines");
  }

  private void line(String format, Object... values) {
    text.append(values.length == 0 ? format : String.format(Locale.ROOT, format, values)).append('\n');
    if (!format.isEmpty() && !format.startsWith("- ")) {
      text.append('\n');
    }
  }

  private void table(String title, List<String> columns) {
    text.append("\n## ").append(title).append("\n\n");
    row(columns.toArray());
    text.append("|---".repeat(columns.size())).append("|\n");
  }

  private void row(Object... cells) {
    for (Object cell : cells) {
      text.append("| ").append(String.valueOf(cell).replace("|", "\\|").replaceAll("\\R", " ")).append(' ');
    }
    text.append("|\n");
  }

  private static String number(Object value, int digits) {
    return value instanceof Number number ? String.format(Locale.ROOT, "%,." + digits + "f", number.doubleValue()) : "";
  }

  private static String percent(Object share) {
    return share instanceof Number number ? number(100 * number.doubleValue(), 1) + " %" : "";
  }

  private static String gibibytes(Object bytes) {
    return bytes instanceof Number number ? number(number.doubleValue() / (1L << 30), 2) + " GiB" : "";
  }

  private static String ratio(Object theirs, Object ours) {
    return theirs instanceof Number a && ours instanceof Number b ? number(a.doubleValue() / b.doubleValue(), 2) : "";
  }
}
