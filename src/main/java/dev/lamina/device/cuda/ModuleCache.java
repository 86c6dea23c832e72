package dev.lamina.device.cuda;

import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuModuleUnload;

import dev.lamina.device.cuda.library.PrivateCache;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;

/**
 * Compiled kernels: in memory while the device is open, and in files from one run to the next, named by all that went
 * into them.
 */
final class ModuleCache implements AutoCloseable {
  private static final String LANGUAGE = "--std=c++17";

  private final CudaContext context;
  private final Nvrtc compiler;
  private final PrivateCache files;
  private final Nvrtc.Target target;
  private final Map<Source, CUmodule> modules = new HashMap<>();

  /** A text and the options it is compiled with. */
  private record Source(String text, List<String> options) {}

  /**
   * An empty cache.
   *
   * @param files where compiled kernels are kept
   */
  ModuleCache(CudaContext context, Nvrtc compiler, PrivateCache files) {
    this.context = context;
    this.compiler = compiler;
    this.files = files;
    target = Nvrtc.Target.of(context.capability(), compiler.architectures());
  }

  /**
   * The entry point {@code entry} of a source text.
   *
   * @throws CudaException if it does not compile or load
   */
  CUfunction function(String text, List<String> options, String entry) {
    CUmodule module = modules.computeIfAbsent(new Source(text, List.copyOf(options)), source -> load(source, entry));
    CUfunction function = new CUfunction();
    context.check(cuModuleGetFunction(function, module, entry), "cuModuleGetFunction of " + entry);
    return function;
  }

  private CUmodule load(Source source, String entry) {
    List<String> options = new ArrayList<>(List.of(LANGUAGE));
    options.addAll(source.options);
    String name = name(source.text, options);
    Optional<byte[]> kept = files.get(name);
    context.enter();
    CUmodule module = new CUmodule();
    // What the driver refuses of the files may have been damaged there.
    if (kept.isEmpty() || load(module, kept.get()) != CUresult.CUDA_SUCCESS) {
      byte[] fresh = compiler.compile(entry, source.text, options, target);
      files.keep(name, fresh);
      context.check(load(module, fresh), "cuModuleLoadData of " + entry);
    }
    return module;
  }

  private static int load(CUmodule module, byte[] code) {
    try (var _ = Recordings.none()) {
      return cuModuleLoadData(module, code);
    }
  }

  private String name(String text, List<String> options) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      String how = String.join("\n", compiler.version(), target.option(), String.join("\n", options), "");
      digest.update(how.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8))) + target.suffix();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  @Override
  public void close() {
    if (!context.isLost()) {
      context.enter();
      try (var _ = Recordings.none()) {
        modules.values().forEach(module -> context.check(cuModuleUnload(module), "cuModuleUnload"));
      }
    }
    modules.clear();
  }
}
