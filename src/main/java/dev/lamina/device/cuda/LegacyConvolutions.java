package dev.lamina.device.cuda;

import dev.lamina.device.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What cuDNN's legacy calls have for a convolution. What they refuse is no way to compute it, and no more than that.
 */
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
    List<ConvolutionCandidate> candidates = new ArrayList<>();
    try (LegacyCalls question = calls(request)) {
      for (LegacyCalls.Algorithm algorithm : question.algorithms(refusals)) {
        if (algorithm.workspaceBytes() <= request.budget() && (algorithm.deterministic() || !request.deterministic())) {
          candidates.add(new Candidate(calls(request), algorithm));
        }
      }
    } catch (CudaException e) {
      refusals.accept(e.refusal());
    } catch (ArrayIndexOutOfBoundsException e) {
      // JCudnn copies as many entries as a counter says that cuDNN does not set when it refuses.
      refusals.accept("the legacy calls refuse, in no words");
    }
    return candidates;
  }

  @Override
  public Optional<ConvolutionCandidate> remembered(ConvolutionRequest request, ConvolutionPlans.Choice choice) {
    if (!(choice instanceof ConvolutionPlans.Legacy(int number, long workspaceBytes))) {
      return Optional.empty();
    }
    var algorithm = new LegacyCalls.Algorithm(number, workspaceBytes, request.deterministic());
    try {
      return Optional.of(new Candidate(calls(request), algorithm));
    } catch (CudaException e) {
      e.refusal();
      return Optional.empty();
    }
  }

  private LegacyCalls calls(ConvolutionRequest request) {
    return new LegacyCalls(cudnn, request.shape(), request.math());
  }

  /** A way with descriptors of its own. */
  private record Candidate(LegacyCalls calls, LegacyCalls.Algorithm algorithm) implements ConvolutionCandidate {
    @Override
    public ConvolutionPlans.Choice choice() {
      return new ConvolutionPlans.Legacy(algorithm.number(), algorithm.workspaceBytes());
    }

    @Override
    public Step bind(Operands operands) {
      var pointers =
          new LegacyCalls.Operands(
              new Address.Plain(operands.first()),
              new Address.Plain(operands.second()),
              new Address.Plain(operands.result()),
              new Address.Plain(operands.workspace()));
      return () -> calls.run(algorithm, pointers);
    }

    @Override
    public void close() {
      calls.close();
    }
  }
}
