package dev.lamina.device.cpu;

import dev.lamina.graph.Op;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * An expression over the tiles of a product, run in place as soon as a tile has been stored, while it is in the
 * first-level cache. Its inputs are those of the fused operation and, behind them, the product itself.
 */
final class Epilogue {
  private Epilogue() {}

  /** The epilogue of {@code op}, whose anchor's output is {@code product}; null if there is none. */
  static MapKernel prepare(Op.Fused op, List<TensorType> inputs, TensorType product, ExprCompiler compiler) {
    return op.epilogue() == null
        ? null
        : compiler.map(List.of(op.epilogue()), with(inputs, product), List.of(DType.F32), product.shape());
  }

  /** Why there can be no such epilogue; empty if there can. */
  static Optional<String> unsupported(Op.Fused op, List<TensorType> inputs, TensorType product, ExprCompiler compiler) {
    if (op.prologue() != null) {
      return Optional.of("a prologue would be computed once for each tap and panel on the CPU device");
    }
    List<DType> floats = with(inputs, product).stream().map(TensorType::dtype).toList();
    Optional<String> reason = compiler.unsupported(List.of(op.epilogue()), floats, List.of(DType.F32));
    if (reason.isPresent()) {
      return reason;
    }
    return prepare(op, inputs, product, compiler).hasRectangles()
        ? Optional.empty()
        : Optional.of(
            "the CPU device computes it by tiles: all that rides along is dense, one value a channel, or one");
  }

  private static List<TensorType> with(List<TensorType> inputs, TensorType product) {
    List<TensorType> types = new ArrayList<>(inputs);
    types.add(product);
    return types;
  }

  /** Fixes the addresses of an epilogue; null for null. */
  static BoundMap bind(MapKernel epilogue, long[] inputs, long product) {
    if (epilogue == null) {
      return null;
    }
    long[] all = Arrays.copyOf(inputs, inputs.length + 1);
    all[inputs.length] = product;
    return epilogue.bind(all, new long[] {product});
  }
}
