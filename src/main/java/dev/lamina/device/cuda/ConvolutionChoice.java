package dev.lamina.device.cuda;

import dev.lamina.device.OutOfDeviceMemoryException;
import dev.lamina.device.Step;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Chooses the way to compute a convolution: the fastest on this GPU, or the one expected to be where bits count. */
final class ConvolutionChoice {
  /** Odd, for a median; more would not tell apart what is within a few percent. */
  private static final int RUNS = 5;

  /** A first run so much slower than the best way is no accident. */
  private static final double HOPELESS = 2;

  /** What takes so many times as long as the fastest is as fast, and may win by its workspace. */
  private static final double AS_FAST = 1.02;

  private final CudaContext context;
  private final List<ConvolutionSource> sources;
  private final ConvolutionPlans plans;
  private final String machine;
  private final LongSupplier available;
  private final Map<ConvolutionRequest, List<Long>> expected = new HashMap<>();

  /**
   * Chooses among what {@code sources} have, and remembers it in {@code plans}.
   *
   * @param machine what a choice is good for: the GPU and the version of cuDNN
   * @param available tells how many bytes may be allocated on the GPU
   */
  ConvolutionChoice(
      CudaContext context,
      List<ConvolutionSource> sources,
      ConvolutionPlans plans,
      String machine,
      LongSupplier available) {
    this.context = context;
    this.sources = sources;
    this.plans = plans;
    this.machine = machine;
    this.available = available;
  }

  /**
   * The way to compute {@code request}, which the caller closes; empty if there is none.
   *
   * @param refusals is told what cuDNN refuses, and why
   */
  Optional<ConvolutionCandidate> of(ConvolutionRequest request, Consumer<String> refusals) {
    String key = machine + "/" + request.key();
    return remembered(key, request).or(() -> search(key, request, refusals));
  }

  /**
   * The workspace that {@link #of} is going to need: that of a remembered choice, else of the way that is expected most
   * of, for nothing is run to find out. Empty if there is no way.
   */
  OptionalLong expectedWorkspace(ConvolutionRequest request) {
    Optional<ConvolutionPlans.Choice> known = fitting(machine + "/" + request.key(), request);
    if (known.isPresent()) {
      return OptionalLong.of(known.get().workspaceBytes());
    }
    List<Long> workspaces = expected.computeIfAbsent(request, this::workspaces);
    if (workspaces.isEmpty()) {
      return OptionalLong.empty();
    }
    long most = Math.max(room(request), Collections.min(workspaces));
    return workspaces.stream().mapToLong(bytes -> bytes).filter(bytes -> bytes <= most).findFirst();
  }

  /** What the ways need, the one first that is expected most of. */
  private List<Long> workspaces(ConvolutionRequest request) {
    // The legacy calls, which come last, know theirs without preparing each.
    for (ConvolutionSource source : sources.reversed()) {
      List<ConvolutionCandidate> candidates = source.candidates(request, _ -> {});
      candidates.forEach(ConvolutionCandidate::close);
      if (!candidates.isEmpty()) {
        return candidates.stream().map(ConvolutionChoice::workspace).toList();
      }
    }
    return List.of();
  }

  /**
   * Bytes that a workspace may take beside the operands. Where the same bits must come out each time there is no such
   * bound: who else uses the GPU would decide on them.
   */
  private long room(ConvolutionRequest request) {
    return request.deterministic()
        ? Long.MAX_VALUE
        : available.getAsLong() - ConvolutionScratch.operandBytes(request.shape());
  }

  /** The choice that is remembered, if there is room for it today. */
  private Optional<ConvolutionPlans.Choice> fitting(String key, ConvolutionRequest request) {
    return plans.find(key).filter(choice -> choice.workspaceBytes() == 0 || choice.workspaceBytes() <= room(request));
  }

  private Optional<ConvolutionCandidate> remembered(String key, ConvolutionRequest request) {
    return fitting(key, request)
        .flatMap(choice -> sources.stream().flatMap(source -> source.remembered(request, choice).stream()).findFirst());
  }

  private Optional<ConvolutionCandidate> search(String key, ConvolutionRequest request, Consumer<String> refusals) {
    List<ConvolutionCandidate> candidates = new ArrayList<>();
    Optional<ConvolutionCandidate> best = Optional.empty();
    try {
      sources.forEach(source -> candidates.addAll(source.candidates(request, refusals)));
      if (!candidates.isEmpty()) {
        // If there is room for none, the one that takes least is refused in words about memory.
        long most =
            Math.max(room(request), candidates.stream().mapToLong(ConvolutionChoice::workspace).min().orElse(0));
        List<ConvolutionCandidate> fitting =
            candidates.stream().filter(candidate -> workspace(candidate) <= most).toList();
        best = fastest(request, fitting, refusals);
        // What won for want of memory need not win when there is more.
        if (fitting.size() == candidates.size()) {
          best.ifPresent(candidate -> plans.put(key, candidate.choice()));
        }
      }
    } finally {
      for (ConvolutionCandidate candidate : candidates) {
        if (best.filter(kept -> kept == candidate).isEmpty()) {
          candidate.close();
        }
      }
    }
    return best;
  }

  private static long workspace(ConvolutionCandidate candidate) {
    return candidate.choice().workspaceBytes();
  }

  private Optional<ConvolutionCandidate> fastest(
      ConvolutionRequest request, List<ConvolutionCandidate> candidates, Consumer<String> refusals) {
    long workspace = candidates.stream().mapToLong(ConvolutionChoice::workspace).max().orElse(0);
    try (var scratch = new ConvolutionScratch(context, request.shape(), workspace);
        var timer = new ConvolutionTimer(context, RUNS)) {
      return best(request, candidates, scratch, timer, refusals);
    }
  }

  /** Times depend on chance, so where the same bits must come out each time, it is the first that runs. */
  private static Optional<ConvolutionCandidate> best(
      ConvolutionRequest request,
      List<ConvolutionCandidate> candidates,
      ConvolutionScratch scratch,
      ConvolutionTimer timer,
      Consumer<String> refusals) {
    Map<ConvolutionCandidate, Double> times = new LinkedHashMap<>();
    Optional<OutOfDeviceMemoryException> memory = Optional.empty();
    double least = Double.POSITIVE_INFINITY;
    for (ConvolutionCandidate candidate : candidates) {
      try {
        Step step = candidate.bind(scratch.operands());
        double time = timer.milliseconds(step, "cuDNN's " + request.shape(), HOPELESS * least);
        times.put(candidate, time);
        least = Math.min(least, time);
      } catch (CudaException e) {
        // What cuDNN offers need not run everywhere.
        refusals.accept(e.refusal());
        continue;
      } catch (OutOfDeviceMemoryException e) {
        memory = Optional.of(e);
        continue;
      }
      if (request.deterministic()) {
        break;
      }
    }
    if (times.isEmpty() && memory.isPresent()) {
      throw memory.get();
    }
    double most = least * AS_FAST;
    return times.entrySet().stream()
        .filter(entry -> entry.getValue() <= most)
        .map(Map.Entry::getKey)
        .min(Comparator.comparingLong(ConvolutionChoice::workspace).thenComparing(times::get));
  }
}
