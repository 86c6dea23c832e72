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
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;

/**
 * Compiled kernels: in memory while the device is open, and in files from one run to the next, named by all that went
 * into them.
 */
final class ModuleCache implements AutoCloseable {
  private final CudaContext context;
  private final Nvrtc compiler;
  private final PrivateCache files;
  private final Nvrtc.Form form;
  private final List<String> common;
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
    int newest = compiler.newestArchitecture().orElse(context.capability());
    // A GPU newer than the compiler gets the newest assembly text there is, which its driver finishes.
    form = newest >= context.capability() ? Nvrtc.Form.CUBIN : Nvrtc.Form.PTX;
    common =
        List.of(
            form == Nvrtc.Form.CUBIN
                ? "--gpu-architecture=sm_" + context.capability()
                : "--gpu-architecture=compute_" + newest,
            "--std=c++17");
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
    List<String> options = new ArrayList<>(common);
    options.addAll(source.options);
    String name = name(source.text, options) + (form == Nvrtc.Form.CUBIN ? ".cubin" : ".ptx");
    byte[] code =
        files
            .get(name)
            .orElseGet(() -> {
              byte[] fresh = compiler.compile(entry, source.text, options, form);
              files.put(name, fresh);
              return fresh;
            });
    context.enter();
    CUmodule module = new CUmodule();
    context.check(cuModuleLoadData(module, code), "cuModuleLoadData of " + entry);
    return module;
  }

  private String name(String text, List<String> options) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update((compiler.version() + "\n" + String.join("\n", options) + "\n").getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  @Override
  public void close() {
    if (!context.isLost()) {
      context.enter();
      modules.values().forEach(module -> context.check(cuModuleUnload(module), "cuModuleUnload"));
    }
    modules.clear();
  }
}
