package dev.lamina.device.cuda.library;

import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** The class loader with everything loaded, and the way in: its classes have the same names as ones outside. */
final class Inside {
  private static final String ENTRY = "dev.lamina.device.cuda.CudaEntry";

  /** Parts of cuDNN for recurrent layers and attention, which ask for libraries that a small system may lack. */
  private static final Pattern NOT_NEEDED = Pattern.compile("libcudnn_(adv|ext)");

  private final ClassLoader loader;

  private Inside(ClassLoader loader) {
    this.loader = loader;
  }

  /**
   * Loads NVIDIA's libraries and JCuda's natives. Those of NVIDIA come first and by their paths: whoever asks for one
   * by name afterwards gets the one that is loaded.
   *
   * @param doing is told what comes next
   * @throws CudaUnavailableException if natives cannot be made
   * @throws UnsatisfiedLinkError if a library cannot be loaded
   */
  static Inside load(PrivateCache cache, CudaLibraries libraries, Consumer<String> doing) {
    doing.accept("preparing JCuda's natives");
    Map<String, Path> natives = Natives.install(cache, libraries);
    var inside = new Inside(new CudaLoader(Inside.class.getClassLoader(), natives));
    List<Path> files = new ArrayList<>(libraries.inLoadingOrder());
    files.addAll(natives.values());
    for (Path file : files) {
      doing.accept("loading " + file);
      try {
        inside.call(ENTRY, "load", new Class<?>[] {Path.class}, file);
      } catch (UnsatisfiedLinkError e) {
        if (!NOT_NEEDED.matcher(file.getFileName().toString()).lookingAt()) {
          throw e;
        }
      }
    }
    return inside;
  }

  /** Asks driver, libraries and GPUs. */
  CudaFacts facts(Path nvrtc, Consumer<String> doing) {
    return (CudaFacts) call(ENTRY, "facts", new Class<?>[] {Path.class, Consumer.class}, nvrtc, doing);
  }

  /** A new object of a class inside, by its public constructor with these parameters. */
  Object create(String name, Class<?>[] types, Object... arguments) {
    try {
      return Class.forName(name, true, loader).getConstructor(types).newInstance(arguments);
    } catch (InvocationTargetException e) {
      throw unwrapped(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(name + " is not as expected", e);
    }
  }

  private Object call(String name, String method, Class<?>[] types, Object... arguments) {
    try {
      return Class.forName(name, true, loader).getMethod(method, types).invoke(null, arguments);
    } catch (InvocationTargetException e) {
      throw unwrapped(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(name + "." + method + " is not as expected", e);
    }
  }

  /** What was thrown inside; errors are thrown here. */
  private static RuntimeException unwrapped(InvocationTargetException e) {
    if (e.getCause() instanceof Error error) {
      throw error;
    }
    return e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
  }
}
