package dev.lamina.cli;

import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.UnsupportedOnDeviceException;
import dev.lamina.io.BadInputException;
import dev.lamina.train.recipe.Nearest;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** The command {@code lamina}. */
@Command(
    name = "lamina",
    description = "Trains convolutional networks.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "lamina train                trains a small network on MNIST",
      "lamina COMMAND --help       says more",
      "LAMINA_DEBUG=1 lamina …     shows where an error comes from"
    })
public final class Main {
  /** All went well. */
  static final int OK = 0;

  /** Something failed that is not the input's fault. */
  static final int FAILED = 1;

  /** The command line, a file or the data cannot be used as it is. */
  static final int BAD_INPUT = 2;

  /** Ctrl-C: 128 and the number of SIGINT, as shells have it. */
  static final int INTERRUPTED = 130;

  private Main() {}

  /** The version in the jar's manifest. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"lamina " + (version == null ? "(not from a jar)" : version)};
    }
  }

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] args) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    boolean terminal = isTerminal();
    System.exit(run(new Console(out, err, terminal), args));
  }

  /** Where neither end is a terminal JDK 25 still gives no console, whatever the analyser believes. */
  @SuppressWarnings("SystemConsoleNull")
  private static boolean isTerminal() {
    return System.console() != null && System.console().isTerminal();
  }

  /** Runs the command; the exit code. */
  static int run(Console console, String... args) {
    CommandLine line = new CommandLine(new Main());
    for (Object command :
        List.of(
            new TrainCommand(console),
            new PretrainCommand(console),
            new EvalCommand(console),
            new PredictCommand(console),
            new DevicesCommand(console),
            new SummaryCommand(console),
            new ProfileCommand(console),
            new SearchCommand(console),
            new StudyCommand(console),
            new CheckCommand(console),
            new FindLrCommand(console))) {
      line.addSubcommand(command);
    }
    line.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
    line.setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8));
    line.setParameterExceptionHandler((e, _) -> fail(console, parameterLine(e), e, BAD_INPUT));
    line.setExecutionExceptionHandler((e, _, _) -> fail(console, e));
    if (args.length == 0) {
      line.usage(console.out());
      return BAD_INPUT;
    }
    return line.execute(args);
  }

  private static String parameterLine(ParameterException e) {
    CommandLine line = e.getCommandLine();
    List<String> unmatched = line.getUnmatchedArguments(); // what is missing may well be what is misspelt
    return unmatched.isEmpty()
        ? words(e) + "; see lamina " + line.getCommandName() + " --help"
        : unmatched(line, unmatched.getFirst());
  }

  private static String unmatched(CommandLine line, String what) {
    CommandSpec spec = line.getCommandSpec();
    if (what.startsWith("-")) {
      return "there is no option '" + what + "'" + Nearest.hint(what, List.copyOf(spec.optionsMap().keySet()));
    }
    return spec.subcommands().isEmpty()
        ? "there is no use for '" + what + "'; see lamina " + line.getCommandName() + " --help"
        : "there is no command '" + what + "'" + Nearest.hint(what, spec.subcommands().keySet());
  }

  /** As recipes are answered; the library has words of its own. */
  private static String words(ParameterException e) {
    if (e instanceof MissingParameterException missing) {
      return missing.getMissing().getFirst() instanceof OptionSpec option
          ? option.longestName() + ": expected a value (" + option.paramLabel() + "), got nothing"
          : "there is no " + missing.getMissing().getFirst().paramLabel();
    }
    return e.getCause() instanceof TypeConversionException ? unsuitable(e.getArgSpec(), e.getValue()) : e.getMessage();
  }

  private static String unsuitable(ArgSpec parameter, String value) {
    Class<?> type = parameter.auxiliaryTypes()[0];
    if (type == Path.class) {
      return unsuitableName(value);
    }
    String name = parameter instanceof OptionSpec option ? option.longestName() : parameter.paramLabel();
    if (type == boolean.class || type == Boolean.class) {
      return name + ": takes no value, got '" + value + "'";
    }
    boolean isReal = type == double.class || type == Double.class;
    return name + ": expected a " + (isReal ? "number" : "whole number") + ", got '" + value + "'";
  }

  /** The Java library takes names of files as the locale has them. */
  private static String unsuitableName(String name) {
    return "'" + name + "' is no name of a file in this locale; for letters beyond ASCII set LC_ALL=C.UTF-8";
  }

  private static int fail(Console console, Exception e) {
    return switch (e) {
      case InvalidPathException path -> fail(console, unsuitableName(path.getInput()), e, BAD_INPUT);
      case BadInputException _, OutOfDeviceMemoryException _, IllegalArgumentException _ ->
          fail(console, e.getMessage(), e, BAD_INPUT);
      case UnsupportedOnDeviceException _ ->
          fail(console, e.getMessage() + "; choose another --device or --precision", e, BAD_INPUT);
      default -> fail(console, e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage(), e, FAILED);
    };
  }

  private static int fail(Console console, String message, Exception e, int code) {
    console.complain(message.replaceAll("\\s*\\R\\s*", " "));
    if (System.getenv("LAMINA_DEBUG") != null) {
      e.printStackTrace(console.err());
    }
    return code;
  }
}
