package dev.lamina.device.cuda;

import dev.lamina.device.Step;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** What cuDNN's legacy calls have for a convolution. */
final class LegacyConvolutions implements ConvolutionSource {
  private final Cudnn cudnn;

  LegacyConvolutions(Cudnn cudnn) {
    this.cudnn = cudnn;
  }

  @Override
  public List<ConvolutionCandidate> candidates(ConvolutionRequest request, Consumer<String> refusals) {
    if (!request.shape().isSymmetric()) {
      refusals.accept("the legacy calls pad opposite sides alike");
      return List.of();
    }
    LegacyDirection direction = LegacyDirection.of(cudnn, request.shape(), request.math());
    return direction.algorithms().stream()
        .filter(algorithm -> algorithm.workspaceBytes() <= request.budget())
        .filter(algorithm -> algorithm.deterministic() || !request.deterministic())
        .<ConvolutionCandidate>map(algorithm -> new Candidate(direction, algorithm))
        .toList();
  }

  @Override
  public Optional<ConvolutionCandidate> remembered(ConvolutionRequest request, ConvolutionPlans.Choice choice) {
    if (!(choice instanceof ConvolutionPlans.Legacy(int algorithm, long workspaceBytes))) {
      return Optional.empty();
    }
    LegacyDirection direction = LegacyDirection.of(cudnn, request.shape(), request.math());
    return Optional.of(
        new Candidate(direction, new LegacyDirection.Algorithm(algorithm, workspaceBytes, request.deterministic())));
  }

  private record Candidate(LegacyDirection direction, LegacyDirection.Algorithm algorithm)
      implements ConvolutionCandidate {
    @Override
    public ConvolutionPlans.Choice choice() {
      return new ConvolutionPlans.Legacy(algorithm.number(), algorithm.workspaceBytes());
    }

    @Override
    public Step bind(Operands operands) {
      var pointers =
          new LegacyDirection.Operands(
              new Address.Plain(operands.first()),
              new Address.Plain(operands.second()),
              new Address.Plain(operands.result()),
              new Address.Plain(operands.workspace()));
      return () -> direction.run(algorithm, pointers);
    }

    /** Its descriptors are shared by all algorithms and go with the handle. */
    @Override
    public void close() {}
  }
}
