package dev.lamina.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import dev.lamina.train.pretrain.CompiledRbm;
import dev.lamina.train.pretrain.ContrastiveDivergence;
import dev.lamina.train.pretrain.RbmSpec;
import dev.lamina.train.pretrain.VisibleUnits;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Restricted Boltzmann machines, sampled states included, on each device beside the reference. */
class RbmConformanceTest {
  private static final int BATCH = 21;
  private static final int VISIBLE = 11;
  private static final int HIDDEN = 7;
  private static final int UPDATES = 4;
  private static final double RATE = 0.1;
  private static final double MOMENTUM = 0.5;

  @TestFactory
  Stream<DynamicTest> machinesLearnAsOnTheReferenceDevice() {
    return Conformance.devices().stream()
        .flatMap(provider ->
            Stream.of(VisibleUnits.values())
                .map(units -> DynamicTest.dynamicTest(provider.name() + " " + units, () -> on(provider, units))));
  }

  private static void on(DeviceProvider provider, VisibleUnits units) {
    try (Arena arena = Arena.ofShared();
        Device device = Conformance.open(provider);
        Device oracle = new ReferenceDevice()) {
      Learned expected = learned(oracle, units, arena);
      Learned got = learned(device, units, arena);
      // Values of Gaussian units, noise included, stay below 8 here; those of binary ones are at most 1.
      double largest = units == VisibleUnits.GAUSSIAN ? 8 : 1;
      // Sums over examples and units, and some ten roundings of each term, in 24 bits; momentum repeats a part of each.
      double sums = (BATCH + VISIBLE + HIDDEN + 10) * Math.scalb(1.0, -24) * largest * largest;
      double bound = UPDATES * RATE / (1 - MOMENTUM) * sums;
      expected.weights.forEach((name, values) -> {
        double moved = 0;
        for (int i = 0; i < values.size(); i++) {
          assertEquals(values.get(i), got.weights.get(name).get(i), bound, name + " " + i);
          moved += Math.abs(values.get(i));
        }
        assertNotEquals(0, moved, name);
      });
      assertEquals(expected.error, got.error, sums);
      assertEquals(expected.energy, got.energy, VISIBLE * sums);
    }
  }

  private record Learned(Map<String, HostTensor> weights, double error, double energy) {}

  private static Learned learned(Device device, VisibleUnits units, Arena arena) {
    RbmSpec spec =
        new RbmSpec(
            "machine",
            units,
            HIDDEN,
            TensorType.f32(VISIBLE),
            (inputs, _) -> inputs,
            new ContrastiveDivergence(2, true),
            1e-3,
            BATCH,
            BATCH,
            DType.F32,
            5);
    SplittableRandom random = new SplittableRandom(9);
    HostTensor data = HostTensor.allocate(arena, TensorType.f32(BATCH, VISIBLE));
    for (int i = 0; i < data.size(); i++) {
      data.set(i, units == VisibleUnits.BINARY ? random.nextInt(2) : random.nextGaussian());
    }
    HostTensor ones = HostTensor.allocate(arena, TensorType.f32(BATCH)).fill(1);
    try (CompiledRbm rbm = new CompiledRbm(device, spec)) {
      rbm.measure(data, ones);
      rbm.begin(rbm.takeMeasures());
      rbm.pace(RATE, MOMENTUM);
      for (int i = 0; i < UPDATES; i++) {
        rbm.update(data);
      }
      rbm.judge(data, ones);
      return new Learned(rbm.weights(arena), rbm.takeReconstructionError(), rbm.takeFreeEnergy());
    }
  }
}
