package dev.lamina.device.cuda.library;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the driver and the libraries say of themselves.
 *
 * @param driver the CUDA version of the driver, 12060 for 12.6
 * @param cublas version, 12.6.4
 * @param cudnn version as a number: 8907 for 8.9.7, 90501 for 9.5.1
 * @param cudnnCuda the CUDA version that cuDNN was built with, as {@code driver}
 * @param nvrtc version, 12.6
 * @param gpus by their numbers in {@code --device cuda:1}
 */
public record CudaFacts(int driver, String cublas, int cudnn, int cudnnCuda, String nvrtc, List<Gpu> gpus) {
  public CudaFacts {
    gpus = List.copyOf(gpus);
  }

  /**
   * One GPU.
   *
   * @param name its product name
   * @param capability compute capability, 90 for 9.0
   * @param free bytes that nobody has taken
   * @param total bytes
   * @param display whether it seems to drive a display, which needs memory of its own
   * @param problem why it cannot be used; empty if it can
   */
  public record Gpu(String name, int capability, long free, long total, boolean display, String problem) {

    /** Name, compute capability and memory in one line. */
    public String description() {
      String what = String.format(Locale.ROOT, "%s, compute capability %d.%d", name, capability / 10, capability % 10);
      return problem.isEmpty()
          ? String.format(
              Locale.ROOT,
              "%s, %.1f of %.1f GiB free%s",
              what,
              gib(free),
              gib(total),
              display ? ", drives a display" : "")
          : what + ", cannot be used: " + problem;
    }

    private static double gib(long bytes) {
      return bytes / (double) (1L << 30);
    }
  }

  /** {@code 12.6} for 12060. */
  static String cudaVersion(int number) {
    return number / 1000 + "." + number % 1000 / 10;
  }

  /** cuDNN's version with points; the number got a digit more with 9. */
  String cudnnVersion() {
    int major = cudnn >= 90000 ? cudnn / 10000 : cudnn / 1000;
    int rest = cudnn >= 90000 ? cudnn % 10000 : cudnn % 1000;
    return major + "." + rest / 100 + "." + rest % 100;
  }

  /** One fact to a line, {@code key=value}; {@link #ofLines} reads it. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add("driver=" + driver);
    lines.add("cublas=" + cublas);
    lines.add("cudnn=" + cudnn);
    lines.add("cudnn-cuda=" + cudnnCuda);
    lines.add("nvrtc=" + nvrtc);
    for (Gpu gpu : gpus) {
      String name = gpu.name.replaceAll("\\p{Cntrl}", " ");
      lines.add(
          "gpu="
              + gpu.capability
              + ","
              + gpu.free
              + ","
              + gpu.total
              + ","
              + gpu.display
              + ","
              + gpu.problem
              + ","
              + name);
    }
    return lines;
  }

  static CudaFacts ofLines(List<String> lines) {
    List<Gpu> gpus =
        values(lines, "gpu").stream()
            .map(text -> {
              String[] parts = text.split(",", 6);
              return new Gpu(
                  parts[5],
                  Integer.parseInt(parts[0]),
                  Long.parseLong(parts[1]),
                  Long.parseLong(parts[2]),
                  Boolean.parseBoolean(parts[3]),
                  parts[4]);
            })
            .toList();
    return new CudaFacts(
        Integer.parseInt(values(lines, "driver").getFirst()),
        values(lines, "cublas").getFirst(),
        Integer.parseInt(values(lines, "cudnn").getFirst()),
        Integer.parseInt(values(lines, "cudnn-cuda").getFirst()),
        values(lines, "nvrtc").getFirst(),
        gpus);
  }

  private static List<String> values(List<String> lines, String key) {
    return lines.stream()
        .filter(line -> line.startsWith(key + "="))
        .map(line -> line.substring(key.length() + 1))
        .toList();
  }
}
