package dev.lamina.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.Dataset;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.device.MemoryLimit;
import dev.lamina.io.BadInputException;
import dev.lamina.io.Safetensors;
import dev.lamina.train.TinyData;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Searches that really train, a net of a few units on a few vectors. */
class TrialTrainerTest {
  private static final String BASE =
      """
      recipe:
        model: [{dense: 8}, batch_norm, relu, {dropout: 0.1}, {dense: 3}]
        schedule: one_cycle
        batch: 16
        epochs: 4
        validation: 0.25
      space:
        lr: {log_uniform: [1e-4, 1e-1]}
        model[0].dense.units: {integer: [4, 12]}
      trials: 4
      """;

  @TempDir Path folder;
  private final Arena arena = Arena.ofShared();
  private final Dataset data = TinyData.clouds(arena, 96, 0.6, 1);

  @AfterEach
  void free() {
    arena.close();
  }

  private SearchFolder folder(String name) {
    return SearchFolder.create(folder.resolve(name).toString());
  }

  private static TrialDevices devices(int parallel, MemoryLimit limit) {
    DeviceOptions options = new DeviceOptions(2).withMemoryLimit(limit);
    return TrialDevices.of(new Devices().choose("reference", options), parallel, 4);
  }

  private SearchReport search(String settings, String name, int parallel) {
    return search(settings, folder(name), parallel, new AtomicInteger(Integer.MAX_VALUE));
  }

  /** Stops once it has been asked {@code asks} times: after so many updates of all trials. */
  private SearchReport search(String settings, SearchFolder place, int parallel, AtomicInteger asks) {
    SearchPlan plan = Plans.parse("search", BASE + settings);
    TrialDevices devices = devices(parallel, new MemoryLimit.None());
    return new TrialRunner(plan, place, new TrialTrainer(plan, place, data, devices))
        .parallel(devices.parallel())
        .stop(() -> asks.decrementAndGet() < 0)
        .run();
  }

  private static List<String> figures(SearchReport report) {
    return report.outcomes().stream()
        .map(outcome ->
            outcome.trial()
                + " "
                + outcome.epochs()
                + " "
                + outcome.end()
                + " "
                + outcome.figure()
                + " "
                + outcome.loss())
        .toList();
  }

  @Test
  void aTrialDoesNotDependOnWhoRunsBesideIt() {
    List<String> alone = figures(search("", "alone", 1)).stream().sorted().toList();
    assertEquals(4, alone.size());
    assertEquals(alone, figures(search("", "together", 2)).stream().sorted().toList());
  }

  /**
   * A schedule that ends with the last epoch would give it away if a trial were trained for some epochs and then more.
   */
  @Test
  void aPromotedTrialEndsWithTheBitsOfOneThatWasNeverStopped() throws IOException {
    search("", "random", 1);
    SearchReport asha = search("strategy: asha\nmin_epochs: 1\nreduction: 2\n", "asha", 1);
    List<Outcome> whole = asha.outcomes().stream().filter(outcome -> outcome.epochs() == 4).toList();
    assertFalse(whole.isEmpty());
    for (Outcome outcome : whole) {
      for (String file : List.of("last.safetensors", "model.safetensors")) {
        // Checkpoints tell how long training took, so they are compared by what they hold.
        assertEquals(
            tensors(folder.resolve("random"), outcome.trial(), file),
            tensors(folder.resolve("asha"), outcome.trial(), file));
      }
    }
    assertTrue(asha.outcomes().stream().anyMatch(outcome -> outcome.epochs() == 1));
  }

  private static String tensors(Path search, int trial, String file) {
    Path path = new SearchFolder(search).trial(trial).path().resolve(file);
    try (Arena arena = Arena.ofConfined()) {
      var text = new StringBuilder();
      Safetensors.read(path, arena)
          .tensors()
          .forEach((name, tensor) -> {
            text.append(name).append(tensor.type());
            for (long i = 0; i < tensor.size(); i++) {
              text.append(' ').append(tensor.get(i));
            }
          });
      return text.toString();
    }
  }

  @Test
  void aSearchThatIsStoppedInTheMiddleOfEpochsEndsWithTheSameTable() {
    String asha = "strategy: asha\nmin_epochs: 1\nreduction: 2\n";
    List<String> expected = figures(search(asha, "whole", 1));
    SearchFolder place = folder("broken");
    SearchReport report = search(asha, place, 1, new AtomicInteger(7));
    int breaks = 0;
    while (report.isInterrupted()) {
      breaks++;
      report = search(asha, place, 1, new AtomicInteger(11));
    }
    assertTrue(breaks > 2, breaks + " breaks");
    assertEquals(expected, figures(report));
  }

  /** As after kill -9: whatever is on the disk at any moment, with or without the line of the journal. */
  @Test
  void aTrialWhoseLineWasLostIsNotTrainedAgain() throws IOException {
    List<String> expected = figures(search("", "killed", 1));
    SearchFolder place = new SearchFolder(folder.resolve("killed"));
    List<String> lines = Files.readAllLines(place.journal().file());
    Files.writeString(place.journal().file(), String.join("\n", lines.subList(0, 3)) + "\n");
    byte[] weights = Files.readAllBytes(place.trial(4).checkpoints().best());
    assertEquals(expected, figures(search("", place, 1, new AtomicInteger(Integer.MAX_VALUE))));
    assertArrayEquals(weights, Files.readAllBytes(place.trial(4).checkpoints().best()));
  }

  @Test
  void aTrialThatDivergesOrHasNoModelIsAResult() {
    String wild =
        """
        recipe: {model: [{dense: 8}, relu, {dense: 3}], optimizer: sgd, batch: 16, epochs: 2, validation: 0.25}
        space: {lr: {choice: [0.1, 1e30]}, 'model[1]': {choice: [relu, {max_pool2d: 2}]}}
        strategy: grid
        """;
    SearchPlan plan = Plans.parse("search", wild);
    SearchFolder place = folder("wild");
    SearchReport found =
        new TrialRunner(plan, place, new TrialTrainer(plan, place, data, devices(1, new MemoryLimit.None()))).run();
    assertEquals(
        List.of(Outcome.End.FINISHED, Outcome.End.FAILED, Outcome.End.DIVERGED, Outcome.End.FAILED),
        found.outcomes().stream().map(Outcome::end).toList());
    assertTrue(found.outcomes().get(2).reason().contains("training diverged at step"));
    assertEquals(1, found.best().orElseThrow().trial());
  }

  private static final String VECTORS = "recipe: {model: [{dense: 3}], epochs: 1, batch: 16, validation: 0.25}\n";

  private List<Outcome> outcomes(String device, String vary) {
    SearchPlan plan = Plans.parse("search", VECTORS + vary + "\nstrategy: grid");
    SearchFolder place = folder("unusable" + vary.hashCode());
    TrialDevices devices = TrialDevices.of(new Devices().choose(device, new DeviceOptions(1)), 1, plan.trials());
    return new TrialRunner(plan, place, new TrialTrainer(plan, place, data, devices)).run().outcomes();
  }

  @Test
  void aTrialWhoseValuesSuitNeitherDataNorDeviceIsAResultToo() {
    Map<String, String> reasons =
        Map.of(
            "space: {batch: {choice: [16, 1000]}}", "batch 1000 is larger than clouds",
            "space: {accumulate: {choice: [1, 9]}}", "cannot be filled from 72 examples",
            "space: {preprocessing: {choice: [none, {pca: 100}]}}", "100 components are more than the 6 features",
            "space: {precision: {choice: [fp32, bf16]}}", "BF16");
    reasons.forEach((vary, reason) -> {
      List<Outcome> found = outcomes(vary.contains("precision") ? "cpu" : "reference", vary);
      assertEquals(List.of(Outcome.End.FINISHED, Outcome.End.FAILED), found.stream().map(Outcome::end).toList());
      assertTrue(found.getLast().reason().contains(reason), found.getLast().reason());
    });
  }

  @Test
  void aTrialThatCannotBeWrittenEndsTheSearch() throws IOException {
    SearchPlan plan = Plans.parse("search", VECTORS + "space: {lr: {uniform: [0.01, 0.02]}}\ntrials: 2");
    SearchFolder place = folder("unwritable");
    Files.writeString(place.trial(1).path(), "a file where a folder should be");
    TrialRunner search =
        new TrialRunner(plan, place, new TrialTrainer(plan, place, data, devices(1, new MemoryLimit.None())));
    String complaint = assertThrows(BadInputException.class, search::run).getMessage();
    assertTrue(complaint.contains("trial-001"), complaint);
    assertEquals(List.of(), place.journal().read());
  }

  /** What is wrong is the file: the values of the trial have been trained with. */
  @Test
  void aBrokenCheckpointIsNoResultOfItsTrial() throws IOException {
    String settings = "strategy: asha\nmin_epochs: 1\nreduction: 2\n";
    SearchFolder place = folder("damaged");
    search(settings, place, 1, new AtomicInteger(7));
    Files.writeString(place.trial(2).checkpoints().last(), "nonsense");
    assertThrows(BadInputException.class, () -> search(settings, place, 1, new AtomicInteger(Integer.MAX_VALUE)));
    assertTrue(place.journal().read().stream().allMatch(Outcome::isGood));
  }

  /**
   * With one update an epoch, each update too many is an epoch too many. After five questions whether to stop the first
   * fold of the first trial has had its two epochs, and the second has not.
   */
  @Test
  void foldsThatWereDoneBeforeABreakAreNotTrainedFurther() {
    String settings = "folds: 2\nstrategy: asha\nmin_epochs: 2\nreduction: 2\n";
    String base = BASE.replace("batch: 16", "batch: full").replace("trials: 4", "trials: 2");
    SearchPlan plan = Plans.parse("search", base + settings);
    TrialDevices devices = devices(1, new MemoryLimit.None());
    SearchFolder whole = folder("full");
    SearchFolder broken = folder("broken");
    AtomicInteger asks = new AtomicInteger(5);
    TrialRunner stopped = new TrialRunner(plan, broken, new TrialTrainer(plan, broken, data, devices));
    assertTrue(stopped.stop(() -> asks.decrementAndGet() < 0).run().isInterrupted());
    assertTrue(Files.exists(broken.fold(1, 1).checkpoints().last()), "the first fold was done");
    assertEquals(List.of(), broken.journal().read(), "its trial was not");
    assertEquals(
        figures(new TrialRunner(plan, whole, new TrialTrainer(plan, whole, data, devices)).run()),
        figures(new TrialRunner(plan, broken, new TrialTrainer(plan, broken, data, devices)).run()));
  }

  @Test
  void aTrialOfSeveralFoldsIsJudgedByTheirMean() {
    SearchReport report = search("folds: 3\nepochs: 2\n", "folds", 2);
    for (Outcome outcome : report.outcomes()) {
      assertEquals(3, outcome.folds().size());
      assertEquals(96, outcome.examples());
      double mean = outcome.folds().stream().mapToDouble(fold -> fold).average().orElseThrow();
      assertEquals(mean, outcome.accuracy());
      double squares = outcome.folds().stream().mapToDouble(fold -> (fold - mean) * (fold - mean)).sum();
      assertEquals(Math.sqrt(squares / 2), outcome.deviation(), 1e-15);
    }
    assertTrue(Files.exists(folder.resolve("folds/trial-002/recipe.yaml")));
    assertTrue(Files.exists(folder.resolve("folds/trial-002/fold-3/model.safetensors")));
  }

  /** A part of the memory is too little, all of it is enough: nothing fails that would not fail alone. */
  @Test
  void aTrialThatDoesNotFitBesideAnotherWaitsForAllMemory() {
    SearchPlan plan = Plans.parse("search", BASE.replace("trials: 4", "trials: 2") + "epochs: 1");
    SearchFolder place = folder("tight");
    long enough = smallestThatFits(plan);
    TrialDevices devices = devices(2, new MemoryLimit.Bytes(enough));
    SearchReport report = new TrialRunner(plan, place, new TrialTrainer(plan, place, data, devices)).parallel(2).run();
    assertTrue(report.outcomes().stream().allMatch(Outcome::isGood), report.outcomes().toString());
  }

  /** Of powers of two: half of it is too little for at least one of the trials. */
  private long smallestThatFits(SearchPlan plan) {
    for (long bytes = 1 << 14; ; bytes *= 2) {
      SearchFolder place = folder("try-" + bytes);
      TrialDevices devices = devices(1, new MemoryLimit.Bytes(bytes));
      SearchReport report = new TrialRunner(plan, place, new TrialTrainer(plan, place, data, devices)).run();
      if (report.outcomes().stream().allMatch(Outcome::isGood)) {
        return bytes;
      }
    }
  }

  @Test
  void tooFewExamplesToHoldAnyOutAreRefused() {
    SearchPlan plan = Plans.parse("search", BASE.replace("0.25", "0.001"));
    TrialDevices devices = devices(1, new MemoryLimit.None());
    SearchFolder place = folder("few");
    String complaint =
        assertThrows(BadInputException.class, () -> new TrialTrainer(plan, place, data, devices)).getMessage();
    assertTrue(complaint.contains("too few to hold any out"), complaint);
  }
}
