package dev.lamina.device.cuda;

import dev.lamina.device.cuda.Launch.Argument;
import dev.lamina.graph.Op;
import dev.lamina.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;

/** Elementwise expressions: one launch, each input read once, each output written once. */
final class MapLaunches {
  private MapLaunches() {}

  static List<Launch> of(Op.Map map, List<TensorType> types, long[] inputs, long[] outputs) {
    if (map.shape().size() == 0) {
      return List.of();
    }
    CudaSource source = new CudaSource(map.exprs(), types, map.dtypes(), map.shape());
    int width = source.width(inputs, map.dtypes(), outputs);
    int held = source.held(width);
    Sizes sizes = new Sizes(map.shape().size());
    List<Argument> arguments = new ArrayList<>();
    arguments.add(sizes.index(map.shape().size()));
    source.reads().forEach(input -> arguments.add(new Argument.Address(inputs[input])));
    for (long output : outputs) {
      arguments.add(new Argument.Address(output));
    }
    source.periods().forEach(period -> arguments.add(new Argument.Int32(Math.toIntExact(period))));
    return List.of(
        new Launch(
            KernelText.withTypes(source.map(map.dtypes())),
            sizes.options(width, List.of("-DHELD=" + held, "--fmad=false")),
            "lamina_map",
            Launch.blocksFor(Math.ceilDiv(map.shape().size(), (long) width * held)),
            Launch.BLOCK,
            0,
            arguments));
  }
}
