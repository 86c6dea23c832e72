package dev.lamina.train;

import dev.lamina.device.RunningGraph;
import dev.lamina.graph.Tensor;
import dev.lamina.nn.Scope;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Sees which units of some layers of ReLUs live, batch after batch, in training as it stands now. It takes forward
 * passes only, and changes no variable.
 */
final class UnitSurvey implements AutoCloseable {
  private final RunningGraph probe;
  private final SequencedMap<String, boolean[]> living = new LinkedHashMap<>();
  private long examples;

  /** Of those of {@code layers}, by their paths, that are ReLUs. */
  UnitSurvey(CompiledModel model, Set<String> layers) {
    ModelTrace.Pass pass = model.trace().trainingUnchanged();
    for (Scope.Applied layer : pass.applied()) {
      if (layers.contains(layer.path()) && ReluUnits.areIn(layer.layer())) {
        Tensor peaks = ReluUnits.peaks(pass, layer);
        pass.graph().output(layer.path(), peaks.cast(DType.F32));
        living.put(layer.path(), new boolean[peaks.shape().last()]);
      }
    }
    probe = model.probe(pass.graph());
  }

  /** Takes a batch into account. */
  void see(HostTensor images) {
    probe.stage("images", images);
    probe.run();
    examples += images.shape().dim(0);
    living.forEach((layer, units) -> {
      double[] peaks = probe.read(layer);
      for (int i = 0; i < units.length; i++) {
        units[i] |= !(peaks[i] <= 0);
      }
    });
  }

  /** What was seen so far. */
  List<DeadUnits> dead() {
    return living.entrySet().stream().map(layer -> dead(layer.getKey(), layer.getValue())).toList();
  }

  private DeadUnits dead(String layer, boolean[] units) {
    int dead = 0;
    for (boolean lives : units) {
      dead += lives ? 0 : 1;
    }
    return new DeadUnits(layer, units.length, dead, examples);
  }

  @Override
  public void close() {
    probe.close();
  }
}
