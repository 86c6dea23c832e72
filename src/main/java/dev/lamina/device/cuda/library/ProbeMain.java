package dev.lamina.device.cuda.library;

import java.util.List;

/** The program of the process that touches NVIDIA's libraries first; {@link Probe} starts it and reads what it says. */
final class ProbeMain {
  /** What NVIDIA's libraries print themselves does not begin like this. */
  static final String MARK = "@lamina ";

  /** Comes before what is done next. */
  static final String DOING = "doing=";

  /** Comes before the reason why it cannot be done. */
  static final String FAILED = "failed=";

  /** The last line. */
  static final String DONE = "done";

  private ProbeMain() {}

  /** Loads the libraries of {@link CudaLibraries#arguments} and prints {@link CudaFacts#lines}. */
  public static void main(String[] args) {
    try {
      CudaLibraries libraries = CudaLibraries.ofArguments(List.of(args));
      var inside = Inside.load(PrivateCache.open(System.getenv()), libraries, ProbeMain::doing);
      inside.facts(libraries.nvrtc().path(), ProbeMain::doing).lines().forEach(ProbeMain::say);
    } catch (CudaUnavailableException | ElfException | LinkageError e) {
      say(FAILED + String.valueOf(e.getMessage()).replaceAll("\\s*\\R\\s*", " "));
    }
    say(DONE);
    // Not System.exit: what the libraries do when they are unloaded is not to decide about the result.
    Runtime.getRuntime().halt(0);
  }

  private static void doing(String what) {
    say(DOING + what);
  }

  private static void say(String line) {
    System.out.println(MARK + line);
    System.out.flush();
  }
}
