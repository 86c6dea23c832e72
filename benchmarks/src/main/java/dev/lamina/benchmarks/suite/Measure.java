package dev.lamina.benchmarks.suite;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** One measurement in a process of its own; what it finds are the lines of its output that are JSON objects. */
@Command(
    name = "measure",
    description = "One measurement; prints JSON objects, one a line.",
    subcommands = {
      StepMeasure.class,
      ProfileMeasure.class,
      ActivationMeasure.class,
      ProductMeasure.class,
      MnistMeasure.class,
      JUnitMeasure.class,
      MachineMeasure.class
    })
final class Measure {
  private Measure() {}

  public static void main(String[] args) {
    var line = new CommandLine(new Measure()).setCaseInsensitiveEnumValuesAllowed(true);
    System.exit(line.execute(args));
  }
}
