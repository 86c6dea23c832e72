package dev.lamina.optim.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class SchedulesTest {
  private static final double BASE = 0.2;
  private static final long PER_EPOCH = 10;
  private static final long TOTAL = 100;

  private static double rate(Schedule schedule, long step) {
    return schedule.rate(BASE, step, PER_EPOCH, TOTAL);
  }

  private static void assertRate(double expected, Schedule schedule, long step) {
    assertEquals(expected, rate(schedule, step), 1e-15, schedule + " at " + step);
  }

  @Test
  void constant() {
    assertRate(BASE, new Constant(), 0);
    assertRate(BASE, new Constant(), 99);
  }

  @Test
  void stepsFallEverySoManyEpochs() {
    Schedule schedule = new StepDecay(3, 0.5);
    assertRate(BASE, schedule, 29);
    assertRate(BASE / 2, schedule, 30);
    assertRate(BASE / 4, schedule, 60);
    assertRate(BASE / 10, new StepDecay(3), 30);
  }

  @Test
  void exponentialFallsEachEpoch() {
    assertRate(BASE, new Exponential(0.9), 9);
    assertRate(BASE * 0.9, new Exponential(0.9), 10);
    assertRate(BASE * Math.pow(0.9, 9), new Exponential(0.9), 99);
  }

  @Test
  void cosineGoesFromTheBaseRateToItsFloor() {
    assertRate(BASE, new Cosine(), 0);
    assertRate(BASE / 2, new Cosine(), 50);
    assertRate(0, new Cosine(), 100);
    assertRate(BASE * (0.1 + 0.9 * (1 + Math.cos(Math.PI / 4)) / 2), new Cosine(0.1), 25);
    assertRate(0, new Cosine(), 150);
  }

  /** PyTorch's formula: up over 0.3·100 − 1 steps, down over the rest. */
  @Test
  void oneCycleGoesUpAndDown() {
    Schedule schedule = new OneCycle();
    assertRate(BASE / 25, schedule, 0);
    assertRate(BASE, schedule, 29);
    assertRate(BASE / 25 / 1e4, schedule, 99);
    assertRate(BASE + (BASE / 25 - BASE) * (1 + Math.cos(Math.PI * 10 / 29)) / 2, schedule, 10);
    assertRate(BASE / 25e4 + (BASE - BASE / 25e4) / 2, schedule, 64);
    for (long step = 1; step < TOTAL; step++) {
      assertTrue((rate(schedule, step) > rate(schedule, step - 1)) == (step <= 29), "at " + step);
    }
    assertTrue(Double.isFinite(schedule.rate(BASE, 0, 1, 1)), "a training of one step");
    double halfway = (BASE + BASE / 25e4) / 2;
    assertEquals(
        halfway, new OneCycle(0, 25, 1e4).rate(BASE, 0, 1, 2), 1e-15, "no rise: half way down at the first of two");
  }

  @Test
  void warmUpLeadsToAnotherScheduleThatBeginsThere() {
    Schedule schedule = new Warmup(2, 0.1, new Cosine());
    assertRate(BASE * 0.1, schedule, 0);
    assertRate(BASE * 0.55, schedule, 10);
    assertRate(BASE, schedule, 20);
    assertRate(BASE / 2, schedule, 60);
    assertRate(BASE / 3, new Warmup(0.5, new Constant()), 0);
    assertRate(BASE, new Warmup(0.5, new Constant()), 5);
    assertRate(BASE, new Warmup(0.01, new Constant()), 0);
  }

  @Test
  void thePlateauIsFoundWithinOtherSchedules() {
    ReduceOnPlateau plateau = new ReduceOnPlateau();
    assertEquals(Optional.of(plateau), new Warmup(1, plateau).plateau());
    assertEquals(Optional.empty(), new Warmup(1, new Cosine()).plateau());
    assertRate(BASE, plateau, 50);
  }

  private static double factorAfter(ReduceOnPlateau plateau, double... losses) {
    ReduceOnPlateau.State state = ReduceOnPlateau.State.START;
    for (double loss : losses) {
      state = plateau.after(state, loss, BASE);
    }
    return state.factor();
  }

  @Test
  void thePlateauReducesWhenPatienceIsOver() {
    ReduceOnPlateau plateau = new ReduceOnPlateau(0.5, 2, 0.01, 0, 0);
    assertEquals(1, factorAfter(plateau, 1, 1, 1), "two epochs are put up with");
    assertEquals(0.5, factorAfter(plateau, 1, 1, 1, 1));
    assertEquals(0.5, factorAfter(plateau, 1, 0.995, 0.995, 0.995), "better by less than the threshold is not better");
    assertEquals(1, factorAfter(plateau, 1, 1, 0.9, 1, 1), "a better loss begins anew");
    assertEquals(0.25, factorAfter(plateau, 1, 1, 1, 1, 1, 1, 1));
    assertEquals(0.5, factorAfter(plateau, 1, Double.NaN, Double.NaN, Double.NaN));
  }

  @Test
  void thePlateauRestsAfterAFallAndKeepsALeastRate() {
    ReduceOnPlateau resting = new ReduceOnPlateau(0.5, 0, 0, 2, 0);
    assertEquals(0.5, factorAfter(resting, 1, 1, 1, 1));
    assertEquals(0.25, factorAfter(resting, 1, 1, 1, 1, 1));
    ReduceOnPlateau floored = new ReduceOnPlateau(0.1, 0, 0, 0, 0.05);
    assertEquals(0.25, factorAfter(floored, 1, 1, 1, 1));
  }

  @Test
  void wrongNumbersAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new StepDecay(0));
    assertThrows(IllegalArgumentException.class, () -> new Exponential(0));
    assertThrows(IllegalArgumentException.class, () -> new Cosine(1.1));
    assertThrows(IllegalArgumentException.class, () -> new OneCycle(2, 25, 1e4));
    assertThrows(IllegalArgumentException.class, () -> new Warmup(0, new Constant()));
    assertThrows(IllegalArgumentException.class, () -> new Warmup(1, null));
    assertThrows(IllegalArgumentException.class, () -> new ReduceOnPlateau(1, 10, 0, 0, 0));
  }
}
