package dev.lamina.benchmarks.compare;

import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A function in TorchScript, for what DJL's own interface does not reach: gradients of single operations, updates in
 * place, a whole step without a crossing between Java and C++ for each operation. The interpreter runs the same kernels
 * as PyTorch's eager mode; its optimiser is off.
 */
final class TorchScript {
  private final PtSymbolBlock block;
  private final ParameterStore nothing;

  /**
   * Compiles a function of tensors.
   *
   * @param parameters names of its arguments
   * @param results how many tensors it returns
   * @param body its statements
   */
  TorchScript(PtNDManager manager, List<String> parameters, int results, String body) {
    String arguments = parameters.stream().map(name -> name + ": Tensor").collect(Collectors.joining(", "));
    String type =
        results == 1 ? "Tensor" : "Tuple[" + String.join(", ", java.util.Collections.nCopies(results, "Tensor")) + "]";
    String code =
        """
        class M(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          def forward(self: __torch__.M, %s) -> %s:
        %s
        """
            .formatted(arguments, type, body.indent(4).stripTrailing());
    try {
      block = JniUtils.loadModule(manager, new ByteArrayInputStream(archive(code)), false, false);
    } catch (IOException | RuntimeException e) {
      throw new IllegalStateException("PyTorch does not take this function:\n" + code, e);
    }
    nothing = new ParameterStore(manager, false);
  }

  /** Calls it; the results belong to the arguments' manager. */
  NDList call(NDList arguments) {
    return block.forward(nothing, arguments, true);
  }

  /** A module without state as {@code torch.jit.save} writes it: an archive of the code and two pickles. */
  private static byte[] archive(String code) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      zip.setMethod(ZipOutputStream.STORED);
      store(zip, "version", "10\n");
      // Protocol 2: a new __torch__.M without arguments, its state {"training": true}.
      store(zip, "data.pkl", "\u0080\u0002c__torch__\nM\n)\u0081}(X\u0008\0\0\0training\u0088ub.");
      // An empty tuple.
      store(zip, "constants.pkl", "\u0080\u0002).");
      store(zip, "code/__torch__.py", code);
    }
    return bytes.toByteArray();
  }

  private static void store(ZipOutputStream zip, String name, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    var sum = new CRC32();
    sum.update(bytes);
    var entry = new ZipEntry("archive/" + name);
    entry.setSize(bytes.length);
    entry.setCompressedSize(bytes.length);
    entry.setCrc(sum.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
