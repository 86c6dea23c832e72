package dev.lamina.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lamina.conformance.Conformance;
import dev.lamina.data.Dataset;
import dev.lamina.data.FittedPreprocessing;
import dev.lamina.data.Preprocessing;
import dev.lamina.device.Device;
import dev.lamina.device.DeviceProvider;
import dev.lamina.device.reference.ReferenceDevice;
import dev.lamina.loss.MeanSquaredError;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Each preprocessing in the program of each device, beside that of the reference device. */
class PreparedInputsOnDeviceTest {
  private static final int EXAMPLES = 19;

  @TestFactory
  Stream<DynamicTest> inputsAreThoseOfTheReferenceDevice() {
    return Conformance.devices().stream()
        .flatMap(provider ->
            PreparedInputsTest.kinds().stream()
                .map(preprocessing ->
                    DynamicTest.dynamicTest(provider.name() + " " + preprocessing, () -> on(provider, preprocessing))));
  }

  private static void on(DeviceProvider provider, Preprocessing preprocessing) {
    try (Arena arena = Arena.ofShared();
        // As it is used: what else may be rounded to TF32.
        Device device = Conformance.open(provider, wishes -> wishes.withExactProducts(false));
        Device oracle = new ReferenceDevice()) {
      Dataset data = PreparedInputsTest.images(arena, 60);
      FittedPreprocessing fitted = preprocessing.fit(data);
      HostTensor expected = prepared(oracle, Precision.FP64, fitted, data, arena);
      HostTensor got = prepared(device, Precision.FP32, fitted, data, arena);
      int width = Math.toIntExact(fitted.output().size());
      for (int i = 0; i < EXAMPLES * width; i++) {
        double bound = roundings(fitted, data.input(i / width), i % width);
        assertEquals(expected.get(i), got.get(i), bound, "value " + i % width + " of example " + i / width);
      }
    }
  }

  /** A model without layers and with a loss of regression predicts what layers would be given. */
  private static HostTensor prepared(
      Device device, Precision precision, FittedPreprocessing fitted, Dataset data, Arena arena) {
    PreparedInputs preparation = new PreparedInputs(fitted);
    ModelSpec spec =
        ModelSpec.of((x, _) -> x, data.inputType(), new MeanSquaredError())
            .preparation(preparation)
            .evaluationBatch(EXAMPLES)
            .precision(precision)
            .build();
    try (CompiledModel model = CompiledModel.compile(device, spec)) {
      model.initialise();
      int size = Math.toIntExact(data.inputType().shape().size());
      Shape batch = Shape.of(EXAMPLES, size);
      HostTensor raw = HostTensor.allocate(arena, new TensorType(batch, data.inputType().dtype()));
      for (int i = 0; i < raw.size(); i++) {
        raw.set(i, data.input(i / size).get(i % size));
      }
      HostTensor images = HostTensor.over(raw.segment(), data.inputType().batched(EXAMPLES));
      HostTensor prepared = HostTensor.allocate(arena, model.predictionType());
      model.predict(images, prepared);
      return prepared;
    }
  }

  /**
   * What 32-bit roundings can make of one value: of the number read, its factor, offset and difference, of the scale
   * and its product, or of a matrix entry, its product and all sums; each of half a unit in 24 bits.
   */
  private static double roundings(FittedPreprocessing fitted, HostTensor raw, int output) {
    double bound = 0;
    int size = Math.toIntExact(raw.size());
    for (int i = 0; i < size; i++) {
      double weight =
          fitted.components() != null
              ? fitted.components().get(output * size + i)
              : i != output
                  ? 0
                  : fitted.scale() == null ? 1 : fitted.scale().get(i % (int) fitted.scale().shape().size());
      double offset = fitted.offset() == null ? 0 : fitted.offset().get(i % (int) fitted.offset().shape().size());
      bound += Math.abs(weight) * (Math.abs(raw.get(i) * fitted.factor()) + Math.abs(offset));
    }
    int length = fitted.components() == null ? 1 : size;
    return bound * (length + 5) * Math.scalb(1.0, -24);
  }
}
