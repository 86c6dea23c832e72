package dev.lamina.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ShapeTest {
  private final Shape shape = Shape.of(2, 3, 5, 7);

  @Test
  void anAxisHasElementsInFrontAndBehind() {
    assertEquals(1, shape.sizeBefore(0));
    assertEquals(6, shape.sizeBefore(2));
    assertEquals(7, shape.sizeBehind(2));
    assertEquals(1, shape.sizeBehind(3));
    assertEquals(105, shape.sliceSize());
    assertEquals(1, Shape.scalar().sliceSize());
  }

  @Test
  void aBatchHasItsCountInFront() {
    assertEquals(Shape.of(4, 2, 3, 5, 7), shape.batched(4));
    assertEquals(TensorType.of(DType.U8, 4), TensorType.of(DType.U8).batched(4));
  }
}
