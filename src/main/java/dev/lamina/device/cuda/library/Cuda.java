package dev.lamina.device.cuda.library;

import dev.lamina.device.Device;
import dev.lamina.device.DeviceOptions;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What this process knows of CUDA. There is one for a process because there can be one: the virtual machine binds a JNI
 * library to a single class loader, and the dynamic linker a name to a single library.
 */
public final class Cuda {
  private static final Cuda OF_THIS_PROCESS = new Cuda();
  private static final String DEVICE = "dev.lamina.device.cuda.CudaDevice";

  /** By the folder that the user named. */
  private final Map<String, CudaSurvey> surveys = new HashMap<>();

  private Optional<Loaded> loaded = Optional.empty();

  private record Loaded(CudaLibraries libraries, Inside inside) {}

  private Cuda() {}

  /** The one of this process. */
  public static Cuda ofThisProcess() {
    return OF_THIS_PROCESS;
  }

  /** Whether the device itself is on the class path. */
  public static boolean hasDevice() {
    return Cuda.class.getClassLoader().getResource(DEVICE.replace('.', '/') + ".class") != null;
  }

  /**
   * What this machine has; looked up once.
   *
   * @param folder where the user says that libraries are; empty for wherever they are
   */
  public synchronized CudaSurvey survey(String folder) {
    return surveys.computeIfAbsent(
        folder,
        _ -> {
          Map<String, String> variables = new HashMap<>(System.getenv());
          if (!folder.isEmpty()) {
            variables.put(Places.VARIABLE, folder);
          }
          return CudaSurvey.of(Surroundings.ofThisProcess(variables), new Probe());
        });
  }

  /**
   * Opens a GPU; the libraries are loaded with the first one.
   *
   * @param ordinal its number
   * @throws CudaUnavailableException if libraries cannot be loaded, or others are
   */
  public synchronized Device open(CudaLibraries libraries, int ordinal, DeviceOptions options) {
    if (loaded.isEmpty()) {
      try {
        Inside inside = Inside.load(PrivateCache.open(System.getenv()), libraries, _ -> {});
        loaded = Optional.of(new Loaded(libraries, inside));
      } catch (UnsatisfiedLinkError e) {
        throw new CudaUnavailableException("cannot load a library: " + e.getMessage(), e);
      }
    }
    Loaded first = loaded.get();
    if (!first.libraries.equals(libraries)) {
      throw new CudaUnavailableException(
          "this process uses "
              + first.libraries.cudnn().path()
              + " already and cannot change to "
              + libraries.cudnn().path());
    }
    return (Device)
        first.inside.create(
            DEVICE, new Class<?>[] {CudaLibraries.class, int.class, DeviceOptions.class}, libraries, ordinal, options);
  }
}
