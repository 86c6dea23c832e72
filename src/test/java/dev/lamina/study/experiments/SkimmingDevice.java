package dev.lamina.study.experiments;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceTensor;
import dev.lamina.device.ForwardingDevice;
import dev.lamina.device.Step;
import dev.lamina.tensor.HostTensor;
import java.util.List;

/**
 * A device that is soon done with a training: of a program that changes variables it does the first steps only, and of
 * all programs not more than two between two looks. What is read from it must be finite.
 */
final class SkimmingDevice extends ForwardingDevice {
  /** On a device that records steps the second one is its recording. */
  private static final int BETWEEN_LOOKS = 2;

  private final int most;
  private long looks;

  /**
   * Cuts short what runs on {@code device}.
   *
   * @param most steps of a program that changes variables
   */
  SkimmingDevice(Device device, int most) {
    super(device);
    this.most = most;
  }

  @Override
  public Replay capture(String name, Step intake, List<Step> steps) {
    Replay replay = device.capture(name, intake, steps);
    boolean changesVariables = !name.startsWith("a prediction");
    return new Replay() {
      private long lastLooks;
      private int sinceLook;
      private int runs;

      @Override
      public void run() {
        sinceLook = lastLooks == looks ? sinceLook + 1 : 1;
        lastLooks = looks;
        if (sinceLook <= BETWEEN_LOOKS && (runs < most || !changesVariables)) {
          runs++;
          replay.run();
        }
      }

      @Override
      public void close() {
        replay.close();
      }
    };
  }

  @Override
  public Ticket stage(HostTensor source, DeviceTensor target) {
    return device.stage(source, target);
  }

  @Override
  public void download(DeviceTensor source, HostTensor target) {
    looks++;
    device.download(source, target);
    for (long i = 0; i < target.size(); i++) {
      double value = target.get(i);
      long at = i;
      assertTrue(Double.isFinite(value), () -> "element " + at + " of " + target.type() + " is " + value);
    }
  }

  /** How often something was read. */
  long looks() {
    return looks;
  }
}
