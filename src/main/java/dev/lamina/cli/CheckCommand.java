package dev.lamina.cli;

import dev.lamina.train.check.Finding;
import dev.lamina.train.check.Finding.Level;
import dev.lamina.train.check.ModelCheck;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lamina check}. */
@Command(
    name = "check",
    description = {
      "Checks a training before it is run: inputs, initial weights, activations, the initial loss against theory,"
          + " gradients against central differences and through time, and whether 20 examples can be learned by heart.",
      "Ends with 0 if nothing failed, and with 1 otherwise; warnings do not fail."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class CheckCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private Rehearsal rehearsal;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "" + ModelCheck.STEPS,
      description = "Updates in which 20 examples have to be learned by heart (${DEFAULT-VALUE}).")
  private int steps;

  @Mixin private JsonOption json;

  CheckCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    return rehearsal.run(
        console,
        (device, recipe, layers, data) -> {
          List<Finding> findings = new ModelCheck(device, layers, recipe.options(), steps).run(data, this::print);
          return conclude(findings);
        });
  }

  private void print(Finding finding) {
    console.line("%-8s %s: %s", word(finding.level()), finding.name(), finding.sentence());
  }

  private static String word(Level level) {
    return level == Level.FAILURE ? "FAILED" : level.name().toLowerCase(Locale.ROOT);
  }

  private int conclude(List<Finding> findings) {
    long failures = findings.stream().filter(finding -> finding.level() == Level.FAILURE).count();
    long warnings = findings.stream().filter(finding -> finding.level() == Level.WARNING).count();
    console.line(
        "%d of %d checks failed, %s", failures, findings.size(), warnings == 1 ? "1 warning" : warnings + " warnings");
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("ok", failures == 0);
    result.put("findings", findings.stream().map(CheckCommand::fields).toList());
    json.print(console, result);
    return failures == 0 ? Main.OK : Main.FAILED;
  }

  private static Map<String, Object> fields(Finding finding) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", finding.name());
    fields.put("level", finding.level().name().toLowerCase(Locale.ROOT));
    fields.put("sentence", finding.sentence());
    return fields;
  }
}
