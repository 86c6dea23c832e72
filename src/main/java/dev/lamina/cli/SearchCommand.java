package dev.lamina.cli;

import dev.lamina.data.DataSource;
import dev.lamina.device.Devices;
import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import dev.lamina.io.NumberedFolder;
import dev.lamina.search.Caveats;
import dev.lamina.search.Outcome;
import dev.lamina.search.SearchFolder;
import dev.lamina.search.SearchPlan;
import dev.lamina.search.SearchReport;
import dev.lamina.search.SearchText;
import dev.lamina.search.Space;
import dev.lamina.search.Trial;
import dev.lamina.search.TrialDevices;
import dev.lamina.search.TrialRunner;
import dev.lamina.search.TrialTable;
import dev.lamina.search.TrialTrainer;
import dev.lamina.search.Value;
import dev.lamina.train.recipe.Recipe;
import dev.lamina.train.recipe.RecipeText;
import dev.lamina.train.recipe.YamlNode;
import dev.lamina.train.recipe.YamlText;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lamina search}. */
@Command(
    name = "search",
    description =
        "Searches good values for anything in a recipe: trains with many, compares on examples held out, and writes"
            + " every trial's run, a table and a plot. Options win over the search file.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "lamina search --vary lr=log_uniform:1e-4,1e-1 --vary batch=choice:32,64,128 --epochs 1 --trials 10",
    })
final class SearchCommand implements Callable<Integer> {
  /** What a search that goes on can be given anew: where it is computed, which changes no outcome. */
  private static final Set<String> ON_RESUMING = Set.of("device", "threads");

  private final Console console;

  @Parameters(
      arity = "0..1",
      paramLabel = "SEARCH|RECIPE",
      description =
          "A YAML file with the recipe, the space, and all that the options below say; or, with --vary, a recipe.")
  private Path file;

  @Option(names = "--recipe", paramLabel = "FILE", description = "What all trials have in common.")
  private Path recipe;

  @Option(
      names = "--vary",
      paramLabel = "PLACE=RANGE",
      description = {
        "What differs: a place in the recipe (lr, optimizer.l2, model[2].dropout) and its range,"
            + " log_uniform:LOW,HIGH, uniform:LOW,HIGH, integer:LOW,HIGH or choice:A,B,C.",
        "For a grid with a number of steps: lr=log_uniform:1e-4,1e-1:4."
      })
  private List<String> vary = List.of();

  @Option(
      names = "--strategy",
      paramLabel = "NAME",
      description = "random (the default), grid, or asha: only the best go on to more epochs.")
  private String strategy;

  @Option(names = "--trials", paramLabel = "N", description = "Trials of each stage; 20 unless given.")
  private String trials;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data; the recipe's unless given.")
  private String epochs;

  @Option(names = "--min-epochs", paramLabel = "N", description = "With asha: before the first comparison; 1.")
  private String minEpochs;

  @Option(names = "--reduction", paramLabel = "N", description = "With asha: one of so many goes on; 3.")
  private String reduction;

  @Option(
      names = "--stages",
      paramLabel = "N",
      description = "Coarse to fine: after each stage the ranges shrink around what did best; 1.")
  private String stages;

  @Option(
      names = "--folds",
      paramLabel = "N",
      description = "Cross-validation: each trial is trained so many times, and judged by the mean; 1 for none.")
  private String folds;

  @Option(names = "--seed", paramLabel = "N", description = "Decides which values are tried; 1.")
  private String seed;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description =
          "Trials at once; as many as threads on the CPU, 1 on a GPU unless given. On the CPU they share the threads"
              + " that one training would take; where trials are more than threads each has one.")
  private Integer parallel;

  @Mixin private RecipeOptions options;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder of the search; the recipe's, or searches/<date>-<n>, unless given.")
  private String out;

  @Option(names = "--resume", paramLabel = "DIR", description = "Continues a search where it was stopped or killed.")
  private Path resume;

  @Mixin private JsonOption json;

  SearchCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    if (parallel != null && parallel < 1) {
      throw new BadInputException("--parallel: expected 1 or more trials at once, got " + parallel);
    }
    SearchText text = new SearchText();
    SearchPlan plan = resume == null ? newPlan(text) : resumedPlan(text);
    Recipe base = plan.base();
    Devices.Choice choice = options.device(base);
    console.line(choice.reason());
    plan.trials(1, plan.space()); // a value that fits nowhere is found before the data is read
    DataSource source = DataSource.open(base.data());
    SearchFolder folder =
        resume == null ? SearchFolder.create(out == null ? base.out() : out) : SearchFolder.open(resume);
    try (StopSignal stop = new StopSignal(); // closed last: the process may end then
        NumberedFolder.Lock _ = folder.lock();
        Arena arena = Arena.ofShared()) {
      TrialDevices devices = TrialDevices.of(choice, parallel == null ? 0 : parallel, plan.trials());
      TrialTrainer trainer = new TrialTrainer(plan, folder, source.train(arena), devices);
      if (resume == null) {
        AtomicFile.writeText(folder.plan(), text.write(plan));
      }
      return search(plan, folder, trainer, devices, stop);
    } catch (RuntimeException e) {
      NumberedFolder.deleteIfEmpty(folder.path());
      throw e;
    }
  }

  private SearchPlan newPlan(SearchText text) {
    YamlNode document = file == null ? new YamlNode.Nothing("search") : YamlText.read(file);
    if (recipe == null && isRecipe(document)) {
      if (vary.isEmpty()) {
        throw new BadInputException(
            file + ": nothing differs between trials; say what with --vary, for example lr=log_uniform:1e-4,1e-1");
      }
      recipe = file;
      document = new YamlNode.Nothing("search");
    }
    Path beside = file == null || file.getParent() == null ? Path.of("") : file.getParent();
    List<RecipeText.Setting> settings = new ArrayList<>(settings());
    if (recipe != null) {
      settings.add(new RecipeText.Setting("--recipe", "recipe", "'" + recipe.toAbsolutePath() + "'"));
    }
    if (!vary.isEmpty()) {
      settings.add(new RecipeText.Setting("--vary", "space", space()));
    }
    return text.parse(file == null ? "" : file.toString(), document, beside, settings, ofRecipe());
  }

  /** Whether the file says only what trials have in common: what differs is to be said by options. */
  private static boolean isRecipe(YamlNode document) {
    return document instanceof YamlNode.Mapping mapping
        && Collections.disjoint(mapping.entries().keySet(), SearchText.OWN_KEYS);
  }

  private List<RecipeText.Setting> ofRecipe() {
    return RecipeOptions.settings(options.given());
  }

  private List<RecipeText.Setting> settings() {
    Map<String, String> given = new LinkedHashMap<>();
    given.put("strategy", strategy);
    given.put("trials", trials);
    given.put("epochs", epochs);
    given.put("min_epochs", minEpochs);
    given.put("reduction", reduction);
    given.put("stages", stages);
    given.put("folds", folds);
    given.put("seed", seed);
    return RecipeOptions.settings(given);
  }

  /** {@code lr=log_uniform:1e-4,1e-1:4} as YAML: {@code {lr: {log_uniform: [1e-4, 1e-1], steps: 4}}}. */
  private String space() {
    return vary.stream().map(SearchCommand::parameter).collect(Collectors.joining(", ", "{", "}"));
  }

  private static String parameter(String given) {
    int equals = given.indexOf('=');
    String[] range = given.substring(equals + 1).split(":", -1);
    if (equals < 1 || range.length < 2 || range.length > 3) {
      throw new BadInputException(
          "--vary: expected a place and a range, for example lr=log_uniform:1e-4,1e-1, got '" + given + "'");
    }
    String steps = range.length == 3 ? ", steps: " + range[2] : "";
    return "'" + given.substring(0, equals) + "': {" + range[0] + ": [" + range[1] + "]" + steps + "}";
  }

  private SearchPlan resumedPlan(SearchText text) {
    List<RecipeText.Setting> ofRecipe = ofRecipe();
    boolean isChanged = file != null || recipe != null || !vary.isEmpty() || out != null || !settings().isEmpty();
    if (isChanged || !ofRecipe.stream().map(RecipeText.Setting::key).allMatch(ON_RESUMING::contains)) {
      throw new BadInputException(
          "a search goes on as it began; with --resume leave out everything but --device, --threads, --memory-limit and"
              + " --parallel");
    }
    SearchFolder folder = SearchFolder.open(resume);
    return text.parse(folder.plan().toString(), YamlText.read(folder.plan()), resume, List.of(), ofRecipe);
  }

  /** Prints each outcome as it comes. */
  private record Progress(Console console, TrialTable table, SearchPlan plan) implements TrialRunner.Listener {
    @Override
    public void ended(Trial trial, Outcome outcome) {
      console.line("%s", table.line(trial, outcome));
    }

    @Override
    public void stageBegins(int stage, Space ranges) {
      if (plan.stages() > 1) {
        console.line(
            "stage %d of %d: %s",
            stage,
            plan.stages(),
            ranges.parameters().stream()
                .map(parameter -> parameter.label() + " " + TrialTable.range(parameter.range()))
                .collect(Collectors.joining("; ")));
      }
    }
  }

  private static String epochs(SearchPlan plan) {
    for (Space.Parameter parameter : plan.space().parameters()) {
      if (parameter.path().equals("epochs")) {
        return TrialTable.range(parameter.range()) + " epochs";
      }
    }
    String first = plan.rungs().size() == 1 ? "" : plan.rungs().getFirst() + " to ";
    return first + (plan.epochs() == 1 ? "1 epoch" : plan.epochs() + " epochs");
  }

  private int search(
      SearchPlan plan, SearchFolder folder, TrialTrainer trainer, TrialDevices devices, StopSignal stop) {
    TrialTable table = new TrialTable(plan);
    console.line(
        "%d trials of %s%s, %d at once with %d %s each; %s",
        plan.trials() * plan.stages(),
        epochs(plan),
        plan.folds() == 1 ? "" : " in each of " + plan.folds() + " folds",
        devices.parallel(),
        devices.threads(),
        devices.threads() == 1 ? "thread" : "threads",
        folder.path());
    SearchReport report =
        new TrialRunner(plan, folder, trainer)
            .parallel(devices.parallel())
            .stop(stop::wantsStop)
            .listener(new Progress(console, table, plan))
            .run();
    return finish(report, folder, table);
  }

  private int finish(SearchReport report, SearchFolder folder, TrialTable table) {
    if (report.isInterrupted()) {
      console.line(
          "interrupted after %d of %d trials; continue with: lamina search --resume %s",
          report.last().size(), report.plan().trials() * report.plan().stages(), folder.path());
      return Main.INTERRUPTED;
    }
    plot(report, folder);
    if (report.best().isEmpty()) {
      throw new BadInputException("no trial came to its end; the last one: " + report.outcomes().getLast().reason());
    }
    Outcome best = report.best().get();
    console.line("best: %s", table.line(report.trial(best), best));
    Caveats.of(report).forEach(caveat -> console.line("%s", caveat));
    Path recipeFile = folder.trial(best.trial()).recipe();
    int full = report.plan().base().epochs();
    console.line(
        "see %s and %s; train the best in full with: lamina train %s%s",
        folder.journal().file(), folder.plot(), recipeFile, full > report.plan().epochs() ? " --epochs " + full : "");
    json.print(console, result(report, best, folder));
    return Main.OK;
  }

  private static Map<String, Object> result(SearchReport report, Outcome best, SearchFolder folder) {
    Map<String, Object> values = new LinkedHashMap<>();
    List<Value> found = report.trial(best).values();
    for (int i = 0; i < found.size(); i++) {
      values.put(report.plan().space().parameters().get(i).path(), found.get(i).text());
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("trial", best.trial());
    result.put(best.isClassification() ? "validation_accuracy" : "validation_loss", best.figure());
    result.put("values", values);
    result.put("trials", report.last().size());
    result.put("recipe", folder.trial(best.trial()).recipe().toString());
    result.put("search", folder.path().toString());
    return result;
  }

  private void plot(SearchReport report, SearchFolder folder) {
    if (report.outcomes().isEmpty()) {
      return;
    }
    Recipe base = report.plan().base();
    console.drawing(() -> SearchPlot.write(folder.plot(), base.model().name() + " on " + base.data(), report));
  }
}
