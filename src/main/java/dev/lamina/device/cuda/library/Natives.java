package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JCuda's native libraries, which lie in the jar. */
final class Natives {
  /** JCuda's loader asks for all of its natives with the version of jcuda, also for JCudnn, which has another. */
  private static final String ASKED = "-12.6.0-linux-x86_64";

  private static final List<Native> ALL =
      List.of(
          new Native("JCudaDriver" + ASKED, "JCudaDriver" + ASKED),
          new Native("JCublas2" + ASKED, "JCublas2" + ASKED),
          new Native("JCudnn" + ASKED, "JCudnn-11.7.0-linux-x86_64"));

  /** The libraries that the natives were linked with. */
  private static final String CUBLAS = "libcublas.so.12";

  private static final String CUDNN = "libcudnn.so.8";

  private Natives() {}

  /** By what name it is asked for, and by which it lies in the jar. */
  private record Native(String asked, String shipped) {}

  /**
   * Puts natives that need {@code libraries} into the cache.
   *
   * @return files by the names that {@link System#loadLibrary} gets, in the order in which they can be loaded
   * @throws CudaUnavailableException if that fails
   */
  static Map<String, Path> install(PrivateCache cache, CudaLibraries libraries) {
    Map<String, String> renames = Map.of(CUBLAS, libraries.cublas().soname(), CUDNN, libraries.cudnn().soname());
    Map<String, Path> files = new LinkedHashMap<>();
    for (Native library : ALL) {
      String file = "lib" + library.shipped + ".so";
      files.put(library.asked, cache.file(file, Relinker.relink(file, shipped(file), renames)));
    }
    return files;
  }

  private static byte[] shipped(String file) {
    try (InputStream in = Natives.class.getResourceAsStream("/lib/" + file)) {
      if (in == null) {
        throw new CudaUnavailableException("this build of Lamina does not hold " + file);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new CudaUnavailableException("cannot read " + file + " from the jar: " + e.getMessage(), e);
    }
  }
}
