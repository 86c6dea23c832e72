package dev.lamina.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.data.BatchSize;
import dev.lamina.io.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trials here are a formula, so that the search itself is what is tested. */
class TrialRunnerTest {
  private static final String SPACE = "space: {lr: {log_uniform: [1e-6, 1e-1]}, batch: {choice: [32, 64, 128]}}\n";

  @TempDir Path folder;

  private static SearchPlan plan(String settings) {
    return Plans.parse("search", SPACE + settings);
  }

  /** Best at a rate of 10⁻³, better with every epoch. */
  private static Optional<Outcome> judge(Trial trial, int epochs) {
    double distance = Math.abs(Math.log10(trial.recipe().lr()) + 3);
    if (distance > 1.9) {
      return Optional.of(Outcome.bad(trial, epochs, Outcome.End.DIVERGED, 0, "too far"));
    }
    double accuracy = (1 - 0.3 * distance) * (1 - 0.5 / epochs);
    double none = Double.NaN;
    return Optional.of(
        new Outcome(
            trial.number(),
            trial.stage(),
            epochs,
            Outcome.End.FINISHED,
            accuracy,
            none,
            1 - accuracy,
            epochs,
            5000,
            List.of(accuracy),
            0,
            ""));
  }

  private SearchFolder folder(String name) {
    return SearchFolder.create(folder.resolve(name).toString());
  }

  private static List<Outcome> byTrial(SearchReport report) {
    return report.outcomes().stream()
        .sorted(Comparator.comparingInt(Outcome::trial).thenComparingInt(Outcome::epochs))
        .toList();
  }

  @Test
  void randomAndGridGiveTheSameTableForAnyNumberAtOnce() {
    String grid =
        "space: {lr: {log_uniform: [1e-6, 1e-1], steps: 6}, batch: {choice: [32, 64, 128]}}\nstrategy: grid\n";
    for (SearchPlan plan :
        List.of(plan("trials: 12\nstages: 2\nepochs: 2"), Plans.parse("search", grid + "stages: 2"))) {
      List<List<Outcome>> tables = new ArrayList<>();
      for (int parallel : new int[] {1, 4}) {
        SearchReport report =
            new TrialRunner(plan, folder(plan.strategy() + "-" + parallel), (trial, epochs, _) -> judge(trial, epochs))
                .parallel(parallel)
                .run();
        assertEquals(plan.trials() * 2, report.outcomes().size());
        tables.add(byTrial(report));
      }
      assertEquals(tables.getFirst(), tables.getLast());
    }
  }

  @Test
  void severalAreUnderWayAtOnce() {
    var all = new CountDownLatch(3);
    TrialTask waitsForOthers =
        (trial, epochs, _) -> {
          all.countDown();
          try {
            assertTrue(all.await(30, TimeUnit.SECONDS), "three trials meet");
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          return judge(trial, epochs);
        };
    SearchReport report = new TrialRunner(plan("trials: 3"), folder("three"), waitsForOthers).parallel(3).run();
    assertEquals(3, report.outcomes().size());
  }

  @Test
  void laterStagesLookAroundTheBestOfEarlierOnes() {
    SearchReport report =
        new TrialRunner(plan("trials: 20\nstages: 2"), folder("stages"), (trial, epochs, _) -> judge(trial, epochs))
            .run();
    List<Double> rates =
        report.trials().stream().filter(trial -> trial.stage() == 2).map(trial -> trial.recipe().lr()).toList();
    assertEquals(20, rates.size());
    double width =
        Math.log10(rates.stream().max(Comparator.naturalOrder()).orElseThrow())
            - Math.log10(rates.stream().min(Comparator.naturalOrder()).orElseThrow());
    assertTrue(width < 3.5, "of 5 powers of ten " + width + " are left");
    assertTrue(rates.stream().noneMatch(rate -> Math.abs(Math.log10(rate) + 3) > 1.9), "none where all diverge");
    assertEquals(21, report.trials().stream().filter(trial -> trial.stage() == 2).findFirst().orElseThrow().number());
  }

  @Test
  void aSearchThatWasKilledAnywhereEndsWithTheSameTable() throws IOException {
    for (String settings : List.of("trials: 9\nstages: 2", "strategy: asha\ntrials: 12\nepochs: 9\nmin_epochs: 1")) {
      SearchPlan plan = plan(settings);
      SearchFolder whole = folder("whole" + settings.length());
      List<Outcome> expected =
          new TrialRunner(plan, whole, (trial, epochs, _) -> judge(trial, epochs)).run().outcomes();
      SearchFolder broken = folder("broken" + settings.length());
      AtomicInteger done = new AtomicInteger();
      for (int run = 1; done.get() < expected.size(); run++) {
        int until = 3 * run;
        TrialRunner search =
            new TrialRunner(
                plan,
                broken,
                (trial, epochs, _) -> {
                  if (done.get() >= until) {
                    throw new IllegalStateException("killed");
                  }
                  done.incrementAndGet();
                  return judge(trial, epochs);
                });
        if (until < expected.size()) {
          assertEquals("killed", assertThrows(IllegalStateException.class, search::run).getMessage());
          // The last line only half on the disk: that trial is to be done again.
          String half = "{\"trial\":1,\"stage\":1,\"epo";
          Files.writeString(broken.journal().file(), half, StandardOpenOption.APPEND);
        } else {
          assertEquals(expected, search.run().outcomes());
        }
      }
      assertEquals(expected.size(), done.get(), "no trial that had ended was done again");
      assertEquals(Files.readString(whole.journal().file()), Files.readString(broken.journal().file()));
    }
  }

  @Test
  void aWishToStopEndsTheSearchAndItGoesOnLater() {
    SearchPlan plan = plan("trials: 6");
    SearchFolder place = folder("stopped");
    AtomicInteger done = new AtomicInteger();
    SearchReport stopped =
        new TrialRunner(
                plan,
                place,
                (trial, epochs, stop) -> stop.getAsBoolean() ? Optional.empty() : count(done, trial, epochs))
            .stop(() -> done.get() >= 4)
            .run();
    assertTrue(stopped.isInterrupted());
    assertEquals(4, stopped.outcomes().size());
    SearchReport rest = new TrialRunner(plan, place, (trial, epochs, _) -> count(done, trial, epochs)).run();
    assertFalse(rest.isInterrupted());
    assertEquals(6, done.get());
    assertEquals(6, rest.outcomes().size());
  }

  /** The last trial was begun and stopped: nothing is left to begin, yet the search is not over. */
  @Test
  void aSearchThatWasStoppedInItsLastTrialIsInterrupted() {
    SearchReport report =
        new TrialRunner(
                plan("trials: 2"),
                folder("last"),
                (trial, epochs, _) -> trial.number() == 2 ? Optional.empty() : judge(trial, epochs))
            .run();
    assertTrue(report.isInterrupted());
  }

  /** The second grid keeps two of three batches, so that the third stage's numbers leave a gap before them. */
  @Test
  void aGridThatShrinksReportsTheTrialThatWasBest() {
    String grid =
        """
        space: {lr: {log_uniform: [1e-4, 1e-1], steps: 3}, batch: {choice: [32, 64, 128]}}
        strategy: grid
        stages: 3
        """;
    SearchReport report =
        new TrialRunner(
                Plans.parse("search", grid),
                folder("grid"),
                (trial, epochs, _) ->
                    trial.recipe().batch().equals(new BatchSize.Fixed(128))
                        ? Optional.of(Outcome.bad(trial, epochs, Outcome.End.FAILED, 0, "too large"))
                        : judge(trial, epochs))
            .run();
    assertTrue(report.trials().size() < 27, "no later grid is smaller: " + report.trials().size());
    assertEquals(3, report.trials().getLast().stage());
    for (Outcome outcome : report.outcomes()) {
      assertEquals(outcome.trial(), report.trial(outcome).number());
    }
    assertFalse(Caveats.of(report).isEmpty());
  }

  private static Optional<Outcome> count(AtomicInteger done, Trial trial, int epochs) {
    done.incrementAndGet();
    return judge(trial, epochs);
  }

  @Test
  void theBestIsTheBestOfAllAndWhatDivergedIsAResult() {
    SearchReport report =
        new TrialRunner(plan("trials: 30"), folder("best"), (trial, epochs, _) -> judge(trial, epochs)).run();
    Outcome best = report.best().orElseThrow();
    assertTrue(report.outcomes().stream().anyMatch(outcome -> outcome.end() == Outcome.End.DIVERGED));
    assertTrue(report.outcomes().stream().noneMatch(outcome -> outcome.accuracy() > best.accuracy()));
    assertEquals(report.outcomes(), new Journal(folder.resolve("best/trials.jsonl")).read());
  }

  @Test
  void aJournalThatIsNotOneIsRefusedWithItsPlace() throws IOException {
    SearchFolder place = folder("odd");
    Files.writeString(place.journal().file(), "{\"trial\": 1}\n");
    String complaint = assertThrows(BadInputException.class, () -> place.journal().read()).getMessage();
    assertTrue(complaint.contains("trials.jsonl:1: is no outcome of a trial"), complaint);

    SearchPlan plan = plan("trials: 3");
    SearchFolder other = folder("other");
    new TrialRunner(plan("trials: 5"), other, (trial, epochs, _) -> judge(trial, epochs)).run();
    TrialRunner mismatched = new TrialRunner(plan, other, (trial, epochs, _) -> judge(trial, epochs));
    assertTrue(assertThrows(BadInputException.class, mismatched::run).getMessage().contains("trial 4 is none of"));
  }

  @Test
  void theTableLooksAsInTheCourse() {
    SearchPlan plan = plan("trials: 100");
    Trial trial = plan.trials(1, plan.space()).getFirst();
    String line = new TrialTable(plan).line(trial, judge(trial, 1).orElseThrow());
    assertTrue(line.matches("val_acc: 0\\.\\d{6}, lr: \\d\\.\\d{6}e-0\\d, batch: +\\d+, \\(1 / 100\\)"), line);
    String bad = new TrialTable(plan).line(trial, Outcome.bad(trial, 1, Outcome.End.DIVERGED, 0, "too far"));
    assertTrue(bad.startsWith("diverged, lr: ") && bad.endsWith("(1 / 100): too far"), bad);
  }
}
