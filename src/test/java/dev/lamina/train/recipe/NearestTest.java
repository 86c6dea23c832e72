package dev.lamina.train.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearestTest {

  @Test
  void distanceCountsLettersThatDiffer() {
    assertEquals(0, Nearest.distance("adam", "adam"));
    assertEquals(1, Nearest.distance("adm", "adam"));
    assertEquals(3, Nearest.distance("kitten", "sitting"));
    assertEquals(4, Nearest.distance("", "relu"));
    assertEquals(1, Nearest.distance("cup", "cpu"));
    assertEquals(2, Nearest.distance("aadmm", "adam"));
  }

  @Test
  void aCloseNameIsSuggestedAndAFarOneIsNot() {
    assertEquals("; did you mean 'relu'?", Nearest.hint("RELU", List.of("gelu", "relu")));
    assertEquals("; there is lr", Nearest.hint("xx", List.of("lr")));
    assertEquals("; did you mean 'lr'?", Nearest.hint("lx", List.of("lr")));
    assertEquals("; there are gelu, relu", Nearest.hint("convolution", List.of("gelu", "relu")));
  }
}
