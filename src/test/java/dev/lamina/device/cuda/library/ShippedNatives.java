package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;

/** The natives of JCuda that the class path holds, and the names to which they can be relinked. */
final class ShippedNatives {
  static final List<String> FILES =
      List.of(
          "libJCudaDriver-12.6.0-linux-x86_64.so",
          "libJCudaRuntime-12.6.0-linux-x86_64.so",
          "libJNvrtc-12.6.0-linux-x86_64.so",
          "libJNvPTXCompiler-12.6.0-linux-x86_64.so",
          "libJCublas-12.6.0-linux-x86_64.so",
          "libJCublas2-12.6.0-linux-x86_64.so",
          "libJCudnn-11.7.0-linux-x86_64.so");

  /** By CUDA 12 or 13 and cuDNN 8 or 9. */
  static final List<Map<String, String>> RENAMES =
      List.of(renames("12", "8"), renames("12", "9"), renames("13", "8"), renames("13", "9"));

  private ShippedNatives() {}

  static Map<String, String> renames(String cuda, String cudnn) {
    return Map.of(
        "libcublas.so.12", "libcublas.so." + cuda,
        "libnvrtc.so.12", "libnvrtc.so." + cuda,
        "libcudnn.so.8", "libcudnn.so." + cudnn);
  }

  static byte[] bytes(String file) {
    try (InputStream in = ShippedNatives.class.getResourceAsStream("/lib/" + file)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
