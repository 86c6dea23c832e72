package dev.lamina.train;

import dev.lamina.data.Dataset;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import dev.lamina.device.Devices;
import dev.lamina.nn.models.Architectures;
import dev.lamina.optim.Adam;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole trainings on the CPU end with the same bits whatever the number of threads, and wherever they were stopped. */
class ThreadCountTest {
  private static Trainer trainer(Device device, Path folder) {
    return new Trainer(device, Architectures.smallCnn(10))
        .optimizer(new Adam(), 0.01)
        .batch(32)
        .epochs(3)
        .seed(4)
        .checkpoints(new Checkpoints(folder), "");
  }

  private static void run(int threads, Path folder, long stopAt) {
    try (Arena arena = Arena.ofShared();
        Device device = new Devices().open("cpu", new DeviceOptions(threads))) {
      Dataset data = TinyData.bands(arena, 500, 8);
      if (stopAt > 0) {
        trainer(device, folder).listener(new StopAt(stopAt)).fit(data).close();
        trainer(device, folder).resume().fit(data).close();
      } else {
        trainer(device, folder).fit(data).close();
      }
    }
  }

  private static Path last(Path folder, String run) {
    return new Checkpoints(folder.resolve(run)).last();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void severalThreadsLearnWhatOneLearns(int threads, @TempDir Path folder) {
    run(1, folder.resolve("one"), 0);
    run(threads, folder.resolve("several"), 0);
    SameBits.assertSameBits(last(folder, "one"), last(folder, "several"));
  }

  @Test
  void aStoppedRunGoesOnAsIfItHadNot(@TempDir Path folder) {
    run(2, folder.resolve("whole"), 0);
    run(2, folder.resolve("stopped"), 20);
    SameBits.assertSameBits(last(folder, "whole"), last(folder, "stopped"));
  }
}
