package dev.lamina.device.cuda.library;

import dev.lamina.device.cuda.library.CudaLibraries.Library;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Whether this machine has GPUs that can be used, and why not. */
public sealed interface CudaSurvey {
  /** One that does not load can be due to its neighbours; a machine has hardly more than two of each. */
  int MOST_COMBINATIONS = 6;

  /** Libraries, versions and GPUs, or what is missing: lines for somebody who asks. */
  List<String> details();

  /** There is at least one GPU that works with these libraries. */
  record Usable(CudaLibraries libraries, CudaFacts facts, List<String> details) implements CudaSurvey {
    /** Why the GPU of this number cannot be used; empty if it can. */
    public Optional<String> problem(int ordinal) {
      return CudaSurvey.problem(libraries, facts, ordinal);
    }
  }

  /** There is none. */
  record Unusable(String reason, List<String> details) implements CudaSurvey {}

  /** Looks at this machine: searches libraries, then tries the combinations of them until one works. */
  static CudaSurvey of(Surroundings surroundings, Probe probe) {
    Optional<String> unsupported = surroundings.unsupported();
    if (unsupported.isPresent()) {
      return new Unusable(unsupported.get(), List.of());
    }
    Search.Result result;
    try {
      result = Search.in(surroundings);
    } catch (IllegalArgumentException e) {
      return new Unusable(e.getMessage(), List.of());
    }
    if (result.combinations().isEmpty()) {
      return new Unusable(missing(result.missing()), withMissing(result));
    }
    Map<CudaLibraries, String> failures = new LinkedHashMap<>();
    return firstUsable(result, surroundings, probe, failures)
        .or(() -> firstUsable(Search.pythonFirst(surroundings), surroundings, probe, failures))
        .orElseGet(() -> unusable(failures));
  }

  /** Tries combinations that are no failures yet, and adds those that turn out to be. */
  private static Optional<CudaSurvey> firstUsable(
      Search.Result found, Surroundings surroundings, Probe probe, Map<CudaLibraries, String> failures) {
    List<CudaLibraries> untried =
        found.combinations().stream().filter(libraries -> !failures.containsKey(libraries)).toList();
    for (CudaLibraries libraries : untried.subList(0, Math.min(MOST_COMBINATIONS, untried.size()))) {
      switch (probe.ask(libraries)) {
        case Probe.Outcome.Failed(String reason) -> failures.put(libraries, reason);
        case Probe.Outcome.Answered(CudaFacts facts) -> {
          Optional<String> problem = problem(libraries, facts);
          if (problem.isEmpty()) {
            return Optional.of(new Usable(libraries, facts, details(surroundings, libraries, facts)));
          }
          failures.put(libraries, problem.get());
        }
      }
    }
    return Optional.empty();
  }

  private static Unusable unusable(Map<CudaLibraries, String> failures) {
    List<String> details = new ArrayList<>();
    failures.forEach((libraries, reason) -> {
      libraries.all().forEach(library -> details.add(line(library, library.version())));
      details.add("these do not work: " + reason);
    });
    return new Unusable(failures.values().iterator().next(), details);
  }

  /** Why libraries that answer cannot be used all the same. */
  static Optional<String> problem(CudaLibraries libraries, CudaFacts facts) {
    int cuda = libraries.cudaMajor();
    if (facts.driver() / 1000 < cuda) {
      return Optional.of(
          "NVIDIA's driver is one for CUDA %s and the libraries are those of CUDA %d: update the driver%s"
              .formatted(
                  CudaFacts.cudaVersion(facts.driver()),
                  cuda,
                  cuda == 13 && facts.driver() >= 12000
                      ? ", or pip install nvidia-cublas-cu12 nvidia-cuda-nvrtc-cu12 nvidia-cudnn-cu12"
                      : ""));
    }
    if (facts.cudnn() < 8900) {
      return Optional.of(
          "cuDNN " + facts.cudnnVersion() + " is too old, 8.9 is needed: pip install nvidia-cudnn-cu" + cuda);
    }
    if (facts.cudnnCuda() / 1000 != cuda) {
      return Optional.of(
          "%s was built for CUDA %s and the other libraries are those of CUDA %d: pip install nvidia-cudnn-cu%d"
              .formatted(libraries.cudnn().path(), CudaFacts.cudaVersion(facts.cudnnCuda()), cuda, cuda));
    }
    return facts.gpus().isEmpty()
        ? Optional.of("NVIDIA's driver shows no GPU; is CUDA_VISIBLE_DEVICES empty?")
        : Optional.empty();
  }

  /** Why a GPU of a machine with usable libraries cannot be used all the same. */
  static Optional<String> problem(CudaLibraries libraries, CudaFacts facts, int ordinal) {
    if (ordinal >= facts.gpus().size()) {
      return Optional.of("there is no GPU %d, the last one is cuda:%d".formatted(ordinal, facts.gpus().size() - 1));
    }
    CudaFacts.Gpu gpu = facts.gpus().get(ordinal);
    int least = libraries.cudaMajor() >= 13 ? 75 : 50;
    if (!gpu.problem().isEmpty()) {
      return Optional.of(gpu.name() + ": " + gpu.problem());
    }
    return gpu.capability() < least
        ? Optional.of(
            "%s: CUDA %d needs compute capability %d.%d or more"
                .formatted(gpu.description(), libraries.cudaMajor(), least / 10, least % 10))
        : Optional.empty();
  }

  private static String missing(List<Search.Missing> missing) {
    // Without a driver nothing else matters; all that pip brings can be had with one command.
    Search.Missing first = missing.getFirst();
    if (!first.install().startsWith("pip")) {
      return first.what() + " was not found; " + first.install();
    }
    return missing.stream().map(Search.Missing::what).collect(Collectors.joining(", "))
        + (missing.size() == 1 ? " was" : " were")
        + " not found; pip install "
        + missing.stream()
            .map(entry -> entry.install().substring("pip install ".length()))
            .collect(Collectors.joining(" "));
  }

  private static List<String> withMissing(Search.Result result) {
    List<String> lines = new ArrayList<>();
    result.found().forEach(library -> lines.add(line(library, library.version())));
    result.missing().forEach(entry -> lines.add("%-16s missing: %s".formatted(entry.what(), entry.install())));
    result.rejected().forEach(reason -> lines.add("not used: " + reason));
    return lines;
  }

  private static List<String> details(Surroundings surroundings, CudaLibraries libraries, CudaFacts facts) {
    List<String> lines = new ArrayList<>();
    String driver = "for CUDA " + CudaFacts.cudaVersion(facts.driver());
    lines.add(
        line(libraries.driver(), kernelModule(surroundings).map(version -> version + " " + driver).orElse(driver)));
    lines.add(line(libraries.cublas(), facts.cublas()));
    lines.add(line(libraries.nvrtc(), facts.nvrtc()));
    lines.add(line(libraries.cudnn(), facts.cudnnVersion()));
    return lines;
  }

  private static String line(Library library, String version) {
    return "%-16s %s, %s (%s)".formatted(library.soname(), version, library.path(), library.why());
  }

  /** The version by which NVIDIA calls a driver, 560.35.03. */
  private static Optional<String> kernelModule(Surroundings surroundings) {
    Path file = surroundings.path("/proc/driver/nvidia/version");
    try {
      Matcher version =
          Pattern.compile("\\b\\d{3}\\.\\d+(\\.\\d+)?\\b").matcher(Files.readString(file, StandardCharsets.UTF_8));
      return version.find() ? Optional.of(version.group()) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
