package dev.lamina.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.graph.MemoryPlan.Block;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {

  private record Life(Block block, int first, int last) {}

  @RepeatedTest(20)
  void blocksThatLiveAtTheSameTimeDoNotOverlap(RepetitionInfo repetition) {
    SplittableRandom random = new SplittableRandom(repetition.getCurrentRepetition());
    MemoryPlan plan = new MemoryPlan();
    List<Life> lives = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      int first = random.nextInt(40);
      int last = first + random.nextInt(10);
      Block block = plan.block(random.nextLong(1, 5000), first);
      block.extend(last);
      lives.add(new Life(block, first, last));
    }
    long peak = plan.place();
    long liveAtOnce = 0;
    for (int step = 0; step < 50; step++) {
      int now = step;
      List<Life> live = lives.stream().filter(l -> l.first <= now && now <= l.last).toList();
      liveAtOnce = Math.max(liveAtOnce, live.stream().mapToLong(l -> l.block.bytes()).sum());
      for (Life a : live) {
        for (Life b : live) {
          boolean apart =
              a.block.offset() + a.block.bytes() <= b.block.offset()
                  || b.block.offset() + b.block.bytes() <= a.block.offset();
          assertTrue(a == b || apart, a + " and " + b + " overlap in step " + now);
        }
      }
      assertTrue(
          live.stream()
              .allMatch(
                  l -> l.block.offset() % MemoryPlan.ALIGNMENT == 0 && l.block.offset() + l.block.bytes() <= peak));
    }
    assertTrue(peak >= liveAtOnce, "less than lives at once cannot be enough");
    assertTrue(peak <= 1.5 * liveAtOnce, "peak " + peak + " wastes much of " + liveAtOnce + " needed");
  }

  @Test
  void whatDiesMakesRoomForWhatComes() {
    MemoryPlan plan = new MemoryPlan();
    plan.block(1024, 0).extend(1);
    plan.block(1024, 1).extend(2);
    plan.block(1024, 2).extend(3);
    assertEquals(2048, plan.place());
  }
}
