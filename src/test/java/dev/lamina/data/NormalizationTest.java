package dev.lamina.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class NormalizationTest {
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void bytesAreMeasuredChannelByChannelInUnitsOf255() {
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, 2, 1, 2, 3));
    double[] values = {0, 255, 10, 255, 255, 20, 0, 255, 30, 255, 255, 40};
    for (int i = 0; i < values.length; i++) {
      images.set(i, values[i]);
    }
    Normalization normalization = Normalization.fit(withoutTargets(images));
    assertEquals(List.of(0.5, 1.0, 25 / 255.0), normalization.mean());
    assertEquals(0.5, normalization.std().get(0));
    assertEquals(1.0, normalization.std().get(1), "a channel that never changes is only shifted");
    assertEquals(Math.sqrt(125) / 255, normalization.std().get(2), 1e-16);
  }

  @Test
  void onlyTheExamplesOfTheViewCount() {
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, 3, 1, 1, 1));
    images.set(0, 51);
    images.set(1, 102);
    images.set(2, 255);
    assertEquals(List.of(76.5 / 255), Normalization.fit(withoutTargets(images).take(2)).mean());
  }

  @Test
  void aLargeMeanDoesNotEatTheDeviationOfFloats() {
    HostTensor vectors = HostTensor.allocate(arena, TensorType.f32(1000, 2));
    Random random = new Random(4);
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
      vectors.set(2L * i, 65536 + random.nextInt(2));
      sum += vectors.get(2L * i) - 65536;
      vectors.set(2L * i + 1, 0.1);
    }
    double p = sum / 1000;
    Normalization normalization = Normalization.fit(withoutTargets(vectors));
    assertEquals(65536 + p, normalization.mean().get(0), 1000 * Math.ulp(65536.0));
    assertEquals(Math.sqrt(p * (1 - p)), normalization.std().get(0), 1e-9);
    assertEquals(1.0, normalization.std().get(1), "0.1f a thousand times over has no deviation, rounding or not");
  }

  @Test
  void valuesThatAreNoNumbersAreNamedWithTheirPlace() {
    HostTensor vectors = HostTensor.of(arena, Shape.of(2, 2), 1, 2, 3, Float.NaN);
    String line =
        assertThrows(IllegalArgumentException.class, () -> Normalization.fit(withoutTargets(vectors))).getMessage();
    assertEquals("data: value 1 of example 1 is NaN; remove the example or repair it", line);
  }

  @Test
  void nothingCanBeMeasuredWithoutExamples() {
    HostTensor vectors = HostTensor.allocate(arena, TensorType.f32(0, 2));
    assertThrows(IllegalArgumentException.class, () -> Normalization.fit(withoutTargets(vectors)));
  }

  @Test
  void itSurvivesJson() {
    JsonMapper json = JsonMapper.shared();
    Normalization normalization = new Normalization(List.of(0.1, 1 / 3.0), List.of(1e-7, 2.0));
    assertEquals(normalization, json.readValue(json.writeValueAsString(normalization), Normalization.class));
  }

  @Test
  void impossibleOnesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Normalization(List.of(), List.of()));
    assertThrows(IllegalArgumentException.class, () -> new Normalization(List.of(0.0), List.of(1.0, 1.0)));
    for (double std : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(IllegalArgumentException.class, () -> new Normalization(List.of(0.0), List.of(std)));
    }
    assertTrue(Normalization.identity(3).std().equals(List.of(1.0, 1.0, 1.0)));
  }

  private Dataset withoutTargets(HostTensor inputs) {
    return Dataset.withTargets("data", inputs, HostTensor.allocate(arena, TensorType.f32(inputs.shape().dim(0))));
  }
}
