package dev.lamina.cli;

import dev.lamina.data.DataSource;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import dev.lamina.io.NumberedFolder;
import dev.lamina.study.ActivationTimes;
import dev.lamina.study.Drawing;
import dev.lamina.study.Figure;
import dev.lamina.study.Findings;
import dev.lamina.study.Pictures;
import dev.lamina.study.Setting;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import dev.lamina.study.Watcher;
import dev.lamina.study.experiments.Studies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lamina study}. */
@Command(
    name = "study",
    description = {
      "Reproduces a published result: prints tables and verdicts, writes CSV files and figures.",
      "Exit code 0 if everything claimed came out, 1 if something did not.",
      "Ctrl-C leaves the tables as far as they had come, as NAME.partial.csv."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class StudyCommand implements Callable<Integer> {
  private static final String MNIST = "mnist";

  private final Console console;

  @Parameters(arity = "0..1", paramLabel = "NAME", description = "Which; --list shows all.")
  private String name;

  @Option(names = "--list", description = "Shows all studies: name, claim, source, time on two cores.")
  private boolean list;

  @Option(
      names = "--quick",
      description = "A smaller experiment: shows the effect, but may miss a tolerance that the whole one keeps.")
  private boolean quick;

  @Option(
      names = "--data",
      paramLabel = "mnist|DIR",
      description = "What studies that train are run on: MNIST (the default), or a folder with IDX or CIFAR files.")
  private String data;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Decides every draw; 0 unless given.")
  private long seed;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads of the CPU device; one for each core unless given.")
  private int threads;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto (the default), cuda, cuda:1, cpu or reference.")
  private String device;

  @Mixin private CudaFolders cuda;

  @Option(
      names = "--jmh",
      paramLabel = "FILE",
      description =
          "Results of benchmarks/run, whose times of activations the tables of activations and relu-vs-tanh show, for"
              + " each device that they have.")
  private Path jmh;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "Folder of tables and figures; studies/NAME unless given, with the device, quick, the data and the seed"
              + " behind NAME where they are not cpu, the whole study, mnist and 0: studies/NAME-cuda-quick-seed1.")
  private Path out;

  StudyCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    if (list) {
      for (Study study : Studies.all()) {
        console.line("%s (%s)", study.name(), study.duration());
        console.line("    %s", study.claim());
        console.line("    source: %s", study.source());
      }
      return Main.OK;
    }
    if (name == null) {
      throw new BadInputException("which study? lamina study --list shows all");
    }
    Study study = Studies.named(name);
    if (jmh != null && study.timed(quick).isEmpty()) {
      throw new BadInputException("study " + name + " shows no times of activations; leave out --jmh");
    }
    if (data != null && !study.takesData()) {
      throw new BadInputException("study " + name + " makes its own numbers; leave out --data");
    }
    Devices.Choice choice = DeviceChoice.of(device, cuda.in(new DeviceOptions(threads)));
    DataSource source = DataSource.open(data == null ? MNIST : data);
    Path folder = out == null ? Path.of("studies", folder(name, choice, quick, data, seed)) : out;
    try (StopSignal stop = new StopSignal();
        StudyProgress progress = new StudyProgress(console, stop::wantsStop)) {
      return run(study, choice, source, folder, progress);
    }
  }

  /** Says what is not as by default, so that one run does not replace another's tables. */
  static String folder(String study, Devices.Choice choice, boolean quick, String data, long seed) {
    List<String> parts = new ArrayList<>(List.of(study));
    if (!choice.name().equals("cpu")) {
      parts.add(choice.name());
    }
    if (quick) {
      parts.add("quick");
    }
    if (data != null && !data.equals(MNIST)) {
      parts.add(String.valueOf(Path.of(data).toAbsolutePath().normalize().getFileName()));
    }
    if (seed != 0) {
      parts.add("seed" + seed);
    }
    // Not all systems take all characters of data and devices (cuda:1) in a name.
    return String.join("-", parts).replaceAll("[^\\w.-]", "-");
  }

  private int run(Study study, Devices.Choice choice, DataSource source, Path folder, StudyProgress progress) {
    console.line("%s", choice.reason());
    long begun = System.nanoTime();
    Findings findings;
    try (Device opened = choice.open()) {
      ActivationTimes times = jmh == null ? null : ActivationTimes.read(jmh, opened.name(), study.timed(quick));
      AtomicFile.requireWritable(folder, 0);
      findings = study.run(new Setting(opened, quick, seed, source, progress, times, () -> others(choice)));
    } catch (Watcher.Stopped _) {
      progress.close();
      return stopped(progress.filled(), folder);
    }
    progress.close();
    List<String> report = report(study, findings);
    report.add(
        "took "
            + ConsoleProgress.duration((System.nanoTime() - begun) * 1e-9)
            + ", seed "
            + seed
            + (study.takesData() ? ", data " + source.name() : "")
            + ", "
            + choice.reason());
    report.forEach(line -> console.line("%s", line));
    write(findings, report, folder);
    return findings.reproduced() ? Main.OK : Main.FAILED;
  }

  /** The other devices that are here, but for the reference: it is slow on purpose. */
  private static List<Devices.Choice> others(Devices.Choice choice) {
    Devices devices = new Devices();
    return devices.list(choice.options()).stream()
        .filter(entry -> entry.available() && !entry.name().equals(choice.name()) && !entry.name().equals("reference"))
        .map(entry -> devices.choose(entry.name(), choice.options()))
        .toList();
  }

  /** Writes what there is, under names that leave the files of an earlier run alone. */
  private int stopped(List<Table> tables, Path folder) {
    if (tables.isEmpty()) {
      NumberedFolder.deleteIfEmpty(folder);
    }
    tables.forEach(table -> AtomicFile.writeText(folder.resolve(partial(table)), table.csv()));
    console.line(
        "interrupted; %s; the study begins anew when it is run again",
        tables.isEmpty()
            ? "no table had a row yet"
            : "as far as they had come, its tables are in "
                + tables.stream()
                    .map(table -> folder.resolve(partial(table)).toString())
                    .collect(Collectors.joining(", ")));
    return Main.INTERRUPTED;
  }

  private List<String> report(Study study, Findings findings) {
    List<String> lines = new ArrayList<>(List.of("", study.name() + (quick ? " (quick)" : "") + ": " + study.claim()));
    lines.add("source: " + study.source());
    for (Table table : findings.tables()) {
      if (table.isDetail()) {
        continue;
      }
      lines.add("");
      lines.add(table.title());
      lines.addAll(table.lines());
    }
    lines.add("");
    findings.notes().forEach(note -> lines.add("note: " + note));
    findings.verdicts().stream().map(Verdict::line).forEach(lines::add);
    lines.add(verdict(findings, quick));
    return lines;
  }

  static String verdict(Findings findings, boolean quick) {
    List<Verdict> tested = findings.verdicts().stream().filter(Verdict::tested).toList();
    int untested = findings.verdicts().size() - tested.size();
    if (tested.isEmpty()) {
      return untested == 0
          ? "this study reports; it has no criterion to pass"
          : "the claim was not tested: its criteria are for other data";
    }
    long met = tested.stream().filter(Verdict::reproduced).count();
    String sum =
        met
            + " of "
            + tested.size()
            + " criteria are met"
            + (untested == 0 ? "" : ", " + untested + " for other data not tested");
    if (findings.reproduced()) {
      return "the claim is reproduced: " + sum;
    }
    return "the claim is NOT reproduced: " + sum + (quick ? "; this was the quick version, try the whole one" : "");
  }

  private void write(Findings findings, List<String> report, Path folder) {
    AtomicFile.writeText(folder.resolve("report.txt"), String.join("\n", report).strip() + "\n");
    for (Table table : findings.tables()) {
      AtomicFile.writeText(folder.resolve(table.name() + ".csv"), table.csv());
      remove(folder.resolve(partial(table)));
      console.line("wrote %s", folder.resolve(table.name() + ".csv"));
    }
    for (Figure figure : findings.figures()) {
      Path file = folder.resolve(figure.name() + ".png");
      draw(file, () -> Drawing.write(figure, file));
    }
    for (Pictures pictures : findings.pictures()) {
      Path file = folder.resolve(pictures.name() + ".png");
      draw(file, () -> Drawing.write(pictures, file));
    }
  }

  private static String partial(Table table) {
    return table.name() + ".partial.csv";
  }

  /** Takes away what an earlier run has left. */
  private static void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw BadInputException.access("remove", file, e);
    }
  }

  /** A missing font must not cost the tables of a study; an earlier run's figure would not belong to them. */
  private void draw(Path file, Console.Drawing drawing) {
    remove(file);
    try {
      drawing.draw();
      console.line("wrote %s", file);
    } catch (IOException | InternalError | NoClassDefFoundError e) {
      console.complainOfFonts(file + " was not drawn", e);
    }
  }
}
