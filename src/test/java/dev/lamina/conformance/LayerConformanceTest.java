package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.nn.Layer;
import dev.lamina.nn.LayerGradientsTest;
import dev.lamina.nn.LayerRun;
import dev.lamina.nn.Scope.Mode;
import dev.lamina.tensor.Shape;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.provider.Arguments;

/** Layers forward and backward on every device, against the reference device in double. */
class LayerConformanceTest {
  /**
   * Roundings that can meet in one value: a sum over the 60 values of a channel, twice (mean and variance), and the 36
   * taps of a filter behind it, as many again on the way back.
   */
  private static final int ROUNDINGS = 2 * (60 + 60 + 36);

  @TestFactory
  Stream<DynamicTest> outputsAndGradientsAreThoseOfTheReference() {
    return Conformance.devices().stream().flatMap(LayerConformanceTest::tests);
  }

  private static Stream<DynamicTest> tests(DeviceProvider provider) {
    return LayerGradientsTest.layers()
        .map(Arguments::get)
        .map(arguments ->
            DynamicTest.dynamicTest(
                provider.name() + ", " + List.of(arguments),
                () -> check(provider, (Layer) arguments[0], (Shape) arguments[1], (Mode) arguments[2])));
  }

  private static void check(DeviceProvider provider, Layer layer, Shape shape, Mode mode) {
    Conformance.require(provider);
    SplittableRandom random = new SplittableRandom(5);
    double[] input = new double[Math.toIntExact(shape.size())];
    for (int i = 0; i < input.length; i++) {
      input[i] = (float) random.nextGaussian();
    }
    LayerRun.Result exact = run(layer, mode, null).run(shape, input);
    Supplier<Device> device = () -> Conformance.open(provider);
    LayerRun.Result got = run(layer, mode, device).run(shape, input);
    assertEquals(exact.shape(), got.shape());
    compare("output", exact.output(), got.output());
    compare("gradient", exact.gradient(), got.gradient());
    exact.state().forEach((name, values) -> compare(name, values, got.state().get(name)));
  }

  private static LayerRun run(Layer layer, Mode mode, Supplier<Device> device) {
    LayerRun run = new LayerRun(layer);
    run = mode == Mode.EVALUATION ? run.evaluation() : run;
    return device == null ? run : run.on(device);
  }

  private static void compare(String what, double[] expected, double[] got) {
    double largest = 1;
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      worst = Math.max(worst, Math.abs(expected[i] - got[i]));
    }
    double allowed = ROUNDINGS * Math.ulp(1f) * largest;
    assertTrue(worst <= allowed, what + " is off by " + worst + ", allowed are " + allowed);
  }
}
