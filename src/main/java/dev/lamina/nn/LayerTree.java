package dev.lamina.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A model seen as a tree, whose leaves are the layers that hold no others. */
public final class LayerTree {
  private LayerTree() {}

  /** {@code layer} with each leaf replaced by what {@code change} makes of it. */
  public static Layer map(Layer layer, UnaryOperator<Layer> change) {
    return switch (layer) {
      case Sequential(List<Layer> layers) -> new Sequential(mapAll(layers, change));
      case Residual(Layer body, Layer shortcut) ->
          new Residual(map(body, change), shortcut == null ? null : map(shortcut, change));
      case Parallel(List<Layer> branches, Parallel.Merge merge) -> new Parallel(mapAll(branches, change), merge);
      case Named(String name, Layer named) -> new Named(name, map(named, change));
      default -> change.apply(layer);
    };
  }

  private static List<Layer> mapAll(List<Layer> layers, UnaryOperator<Layer> change) {
    return layers.stream().map(layer -> map(layer, change)).toList();
  }

  /** The leaves of {@code layer} in the order of the data's way. */
  public static List<Layer> leaves(Layer layer) {
    List<Layer> leaves = new ArrayList<>();
    map(
        layer,
        leaf -> {
          leaves.add(leaf);
          return leaf;
        });
    return leaves;
  }
}
