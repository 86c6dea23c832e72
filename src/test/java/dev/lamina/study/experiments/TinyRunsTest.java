package dev.lamina.study.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.DataSource;
import dev.lamina.data.Dataset;
import dev.lamina.data.Stripes;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.Devices;
import dev.lamina.study.ActivationTimes;
import dev.lamina.study.Findings;
import dev.lamina.study.JmhResults;
import dev.lamina.study.Setting;
import dev.lamina.study.Settings;
import dev.lamina.study.Splits;
import dev.lamina.study.Study;
import dev.lamina.study.Table;
import dev.lamina.study.Verdict;
import dev.lamina.study.Watcher;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Longer studies on images that are learned in a moment: what they compute, and the tables they fill. */
class TinyRunsTest {
  @TempDir Path folder;
  private final Device device = new Devices().open("cpu", new DeviceOptions(1));
  private DataSource data;

  @BeforeEach
  void write() throws IOException {
    data = DataSource.open(Stripes.FOUR.write(folder, 160, 100));
  }

  @AfterEach
  void close() {
    device.close();
  }

  private Findings quick(Study study) {
    return study.run(Settings.of(device, true, 0, data, _ -> {}));
  }

  /** The cells of a table's CSV without the line of names. */
  private static List<String[]> cells(Findings findings, String table) {
    String csv = findings.tables().stream().filter(t -> t.name().equals(table)).findFirst().orElseThrow().csv();
    return csv.lines().skip(1).map(line -> line.split(",")).toList();
  }

  private static double number(String[] row, int column) {
    return Double.parseDouble(row[column]);
  }

  @Test
  void dropoutComparesTheGapsOfItsTable() {
    Findings findings = quick(DropoutStudy.STUDY);
    List<String[]> rows = cells(findings, "dropout");
    assertEquals(List.of("without", "with"), rows.stream().map(row -> row[0]).toList());
    for (String[] row : rows) {
      assertEquals(number(row, 2) - number(row, 3), number(row, 4), 1e-9);
      assertEquals(number(row, 6) - number(row, 5), number(row, 7), 1e-9);
      assertEquals(100, number(row, 2), "stripes are learned by heart");
    }
    assertEquals(2, findings.verdicts().size());
    assertEquals(2, cells(findings, "rates").size());
    assertEquals(4, findings.figures().getFirst().panels().getFirst().curves().size());
  }

  @Test
  void reluAndTheOthersAreFollowedUntilTheGoal() throws IOException {
    Stripes.FOUR.write(folder, "train", 400); // An update for each of some looks.
    Findings findings = quick(ReluVersusTanh.STUDY);
    List<String[]> rows = cells(findings, "relu-vs-tanh");
    assertEquals(List.of("ReLU", "tanh", "sigmoid"), rows.stream().map(row -> row[0]).toList());
    for (String[] row : rows.subList(1, 3)) {
      assertTrue(number(row, 5) <= number(row, 4) && number(row, 4) <= number(row, 6), Arrays.toString(row));
    }
    assertTrue(number(rows.getFirst(), 2) < 8, "ReLU arrives before the end");
    assertEquals(6, cells(findings, "rates").size(), "two rates for each");
    double[] errors = findings.figures().getFirst().panels().getFirst().curves().getFirst().y();
    assertTrue(errors[errors.length - 1] <= 1, "the curve ends at the goal");
    assertTrue(findings.notes().stream().anyMatch(note -> note.contains("the claim was made for CIFAR-10")));
    assertFalse(findings.verdicts().stream().anyMatch(Verdict::tested), "1 % is an error for MNIST");
  }

  @Test
  void onCifarTheErrorIsThatOfTheClaim() {
    try (Arena arena = Arena.ofConfined()) {
      Setting setting = Settings.of(device, false, 0, data, _ -> {});
      ReluVersusTanh.Task cifar = ReluVersusTanh.Task.of(blank(arena, "CIFAR-10", 45_000, 5000), setting);
      assertTrue(cifar.original());
      assertEquals(0.25, cifar.goal());
      assertFalse(ReluVersusTanh.Task.of(blank(arena, "CIFAR-100", 50_000, 0), setting).original());
      assertFalse(ReluVersusTanh.Task.of(blank(arena, "CIFAR-10", 49_000, 0), setting).original(), "a part of it");
    }
  }

  /** Of so many images to learn from, and so many held out. */
  private static Splits blank(Arena arena, String name, int training, int held) {
    int all = training + held;
    Dataset data =
        Dataset.labelled(
            name,
            HostTensor.allocate(arena, TensorType.of(DType.U8, all, 1, 1, 1)),
            HostTensor.allocate(arena, TensorType.of(DType.I32, all)),
            List.of("a", "b"));
    return new Splits(data.take(training), data.subset(IntStream.range(training, all).toArray()), data.take(1));
  }

  /** A kind of device that looks fine until it is opened. */
  private record Busy() implements DeviceProvider {
    @Override
    public String name() {
      return "busy";
    }

    @Override
    public Optional<String> unavailable(DeviceOptions options) {
      return Optional.empty();
    }

    @Override
    public String description(DeviceOptions options) {
      return "";
    }

    @Override
    public Device open(DeviceOptions options) {
      throw new IllegalStateException("somebody else has it");
    }
  }

  @Test
  void hintonTimesTheOtherDevicesTooAndDoesWithoutOneThatFails() {
    DeviceOptions options = new DeviceOptions(1);
    var others = List.of(new Devices.Choice(new Busy(), options, ""), new Devices().choose("cpu", options));
    var skimming = new SkimmingDevice(device, 2);
    Findings findings = Hinton.STUDY.run(new Setting(skimming, true, 0, data, _ -> {}, null, () -> others));
    List<String[]> rows = cells(findings, "speed");
    assertEquals(2, rows.size(), "this device and the one that could be opened");
    assertTrue(number(rows.getLast(), 1) > number(rows.getFirst(), 1), "this device leaves out most updates");
    assertEquals("busy was not timed: somebody else has it", findings.notes().getFirst());
  }

  @Test
  void activationsAreTimedAndNoShareIsBeyondOne() {
    Findings findings = quick(ActivationsStudy.STUDY);
    List<String[]> rows = cells(findings, "activations");
    assertEquals(List.of("Sigmoid", "ReLU"), rows.stream().map(row -> row[0]).toList());
    for (String[] row : rows) {
      assertTrue(number(row, 3) >= number(row, 4), "a dead unit is flat everywhere");
      assertTrue(number(row, 3) <= 100 && number(row, 4) >= 0);
      assertTrue(number(row, 6) > 0 && Double.isFinite(number(row, 6)));
    }
  }

  /** The benchmark's numbers take the place of the study's own, digit for digit. */
  @Test
  void timesOfJmhAreShownWhereTheyAreGiven() throws IOException {
    Path file = folder.resolve("results.json");
    Files.writeString(
        file,
        JmhResults.of(
            JmhResults.both("cpu", "RELU", 3, 5),
            JmhResults.both("cpu", "SIGMOID", 7, 11),
            JmhResults.both("cuda", "RELU", 0.5, 0.25)));
    Study study = ActivationsStudy.STUDY;
    ActivationTimes times = ActivationTimes.read(file, "cpu", study.timed(true));
    Findings findings = study.run(new Setting(device, true, 0, data, _ -> {}, times, List::of));
    Table table = findings.tables().getFirst();
    assertTrue(
        table
            .csv()
            .lines()
            .findFirst()
            .orElseThrow()
            .endsWith(
                ",\"forward and backward in ns a value, cpu (JMH)\",\"forward and backward in ns a value, cuda"
                    + " (JMH)\""));
    List<String[]> rows = cells(findings, "activations");
    assertEquals(List.of("18.0", "8.0"), rows.stream().map(row -> row[6]).toList());
    assertEquals(List.of("NaN", "0.75"), rows.stream().map(row -> row[7]).toList());
    assertTrue(findings.notes().getLast().contains(file.toString()), () -> findings.notes().getLast());
  }

  @Test
  void anEnsembleTakesTheMeanOfItsMembers() {
    Setting setting = Settings.of(device, true, 0, data, _ -> {});
    try (Arena arena = Arena.ofConfined()) {
      HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, 2));
      labels.set(0, 1);
      HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, 2, 1, 1, 1));
      Dataset two = Dataset.labelled("two", images, labels, List.of("a", "b"));
      double[][] sure = {{0.1, 0.9}, {0.4, 0.6}};
      double[][] other = {{0.6, 0.4}, {0.7, 0.3}};
      assertEquals(0.5, EnsembleStudy.accuracy(setting, two, List.<double[][]>of(sure)));
      assertEquals(0.5, EnsembleStudy.accuracy(setting, two, List.<double[][]>of(other)));
      assertEquals(1, EnsembleStudy.accuracy(setting, two, List.of(sure, other)));
    }
  }

  /** Stops a study when it has begun its second training. */
  @Test
  void aStudyThatIsStoppedHasShownItsTables() {
    List<Table> tables = new ArrayList<>();
    Watcher impatient =
        new Watcher() {
          private int doings;

          @Override
          public void doing(String words) {
            doings++;
          }

          @Override
          public void begun(Table table) {
            tables.add(table);
          }

          @Override
          public boolean wantsStop() {
            return doings > 2;
          }
        };
    Setting setting = Settings.of(device, true, 0, data, impatient);
    assertThrows(Watcher.Stopped.class, () -> DropoutStudy.STUDY.run(setting));
    assertEquals(List.of("rates", "dropout"), tables.stream().map(Table::name).toList());
    assertFalse(tables.getFirst().isEmpty(), "the rate that was tried");
    assertTrue(tables.getLast().isEmpty());
  }
}
