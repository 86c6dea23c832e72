package dev.lamina.nn.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.nn.Layer;
import dev.lamina.nn.LayerRun;
import dev.lamina.nn.Parameters;
import dev.lamina.nn.Scope.Mode;
import dev.lamina.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArchitecturesTest {

  /** Counts worked out by hand from the papers' tables. */
  @ParameterizedTest
  @CsvSource({
    // 6·25+6 + 16·150+16 + 400·120+120 + 120·84+84 + 84·10+10
    "lenet, 28, 1, 61706",
    // Three channels of colour: 6·75+6
    "lenet, 32, 3, 62006",
    // 16·9+32 + 32·144+64 + 7·7·32·10+10
    "small-cnn, 28, 1, 20538",
    // 784·256+256 + 256·128+128 + 128·10+10
    "mlp, 28, 1, 235146",
    // 32·(9+288)+128, 64·(288+576)+256, 128·(576+1152)+512, then 1152·256+256 and 256·10+10
    "vgg-small, 28, 1, 584618",
    // Idelbayev's table for option A with parameters of batch norm: 269,722; and 2,752 for the projections
    "resnet20, 32, 3, 272474",
    // Two channels of colour less in the first convolution: 288
    "resnet20, 28, 1, 272186"
  })
  void theyHaveTheParametersOfTheirPapers(String name, int size, int channels, long expected) {
    Parameters parameters = new Parameters();
    Layer model = Architectures.create(name, 10, Shape.of(size, size, channels));
    assertEquals(Shape.of(4, 10), LayerRun.trace(model, Mode.TRAINING, parameters, 4, size, size, channels).shape());
    assertEquals(expected, parameters.count());
    assertEquals(Shape.of(4, 10), LayerRun.trace(model, Mode.EVALUATION, parameters, 4, size, size, channels).shape());
  }

  /** The counts of torchvision's models of these names. */
  @ParameterizedTest
  @CsvSource({"resnet18, 11689512", "resnet34, 21797672", "resnet50, 25557032", "vgg16, 138357544"})
  void networksForImageNetHaveTheParametersOfTorchvision(String name, long expected) {
    Parameters parameters = new Parameters();
    Layer model = Architectures.create(name, 1000, Shape.of(224, 224, 3));
    assertEquals(Shape.of(2, 1000), LayerRun.trace(model, Mode.TRAINING, parameters, 2, 224, 224, 3).shape());
    assertEquals(expected, parameters.count());
  }

  @Test
  void eachNameMakesANetworkAndOthersAreRefused() {
    for (String name : Architectures.names()) {
      assertTrue(Architectures.create(name, 3, Shape.of(32, 32, 3)).layers().size() > 3);
    }
    var unknown =
        assertThrows(IllegalArgumentException.class, () -> Architectures.create("resnet", 3, Shape.of(32, 32, 3)));
    assertTrue(unknown.getMessage().contains("resnet20"), unknown.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Architectures.create("lenet", 3, Shape.of(10)));
    assertEquals(
        Shape.of(2, 3),
        LayerRun.trace(Architectures.create("mlp", 3, Shape.of(10)), Mode.TRAINING, new Parameters(), 2, 10).shape());
  }
}
