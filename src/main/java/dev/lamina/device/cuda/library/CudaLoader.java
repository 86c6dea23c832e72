package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Path;
import java.util.Map;

/**
 * Defines JCuda's classes and those of the CUDA device itself, because natives belong to the loader of the class that
 * asks for them, and only a loader can say where they lie. Everything else, the device's interface included, comes from
 * its parent.
 */
final class CudaLoader extends ClassLoader {
  private static final String DEVICE = "dev.lamina.device.cuda.";

  static {
    registerAsParallelCapable();
  }

  private final Map<String, Path> natives;

  /**
   * A loader over the same class path as {@code parent}.
   *
   * @param natives files by the names that {@link System#loadLibrary} gets
   */
  CudaLoader(ClassLoader parent, Map<String, Path> natives) {
    super("cuda", parent);
    this.natives = Map.copyOf(natives);
  }

  /** The classes of which there are none outside. */
  static boolean isInside(String name) {
    return name.startsWith("jcuda.")
        || name.startsWith(DEVICE)
            && !name.startsWith(DEVICE + "library.")
            && !name.equals(DEVICE + "CudaProvider")
            && !name.startsWith(DEVICE + "CudaProvider$");
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!isInside(name)) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> known = findLoadedClass(name);
      return known == null ? define(name) : known;
    }
  }

  private Class<?> define(String name) throws ClassNotFoundException {
    try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] bytes = in.readAllBytes();
      return defineClass(name, bytes, 0, bytes.length);
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }

  @Override
  protected String findLibrary(String name) {
    Path file = natives.get(name);
    return file == null ? null : file.toString();
  }

  /** Hides the natives in the jar: JCuda would copy them to a folder that all users share, or load what lies there. */
  @Override
  public URL getResource(String name) {
    return name.startsWith("lib/libJ") ? null : super.getResource(name);
  }
}
