package dev.lamina.device.cuda.library;

import dev.lamina.device.cuda.library.CudaLibraries.Library;
import dev.lamina.device.cuda.library.Places.Place;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Finds NVIDIA's libraries, and which of them go together: CUDA 12 with cuDNN 8.9 or 9, CUDA 13 with cuDNN 9. Whether a
 * cuDNN 9 was built for CUDA 12 or 13 its name does not tell, so there can be several combinations to try.
 */
final class Search {
  private static final String DRIVER = "libcuda.so.1";
  private static final List<Integer> CUDA = List.of(13, 12);

  private final List<Place> places;
  private final List<String> rejected = new ArrayList<>();

  private Search(List<Place> places) {
    this.places = places;
  }

  /**
   * What is not there.
   *
   * @param what its name
   * @param install what to do about it
   */
  record Missing(String what, String install) {}

  /**
   * What was found.
   *
   * @param combinations what may work, the preferred one first
   * @param found libraries, where there is no combination: the first of each
   * @param missing what a combination lacks; empty if there is one
   * @param rejected files with a right name that cannot be used, each with the reason
   */
  record Result(List<CudaLibraries> combinations, List<Library> found, List<Missing> missing, List<String> rejected) {}

  /**
   * Looks into all places; into those of {@code python3} only if there is a driver, and something else is missing.
   *
   * @throws IllegalArgumentException if the user named a folder that does not exist
   */
  static Result in(Surroundings surroundings) {
    Result result = new Search(new Places(surroundings).all()).result();
    boolean hasDriver = result.missing.stream().noneMatch(missing -> missing.what.equals(DRIVER));
    if (result.combinations.isEmpty() && hasDriver) {
      var places = new Places(surroundings);
      result = new Search(Stream.of(places.all(), places.ofPython()).flatMap(List::stream).toList()).result();
    }
    return result;
  }

  /**
   * The same with the places of {@code python3} in front, for when what the others have does not work; nothing if the
   * user has named a place.
   */
  static Result pythonFirst(Surroundings surroundings) {
    if (surroundings.variable(Places.VARIABLE).isPresent()) {
      return new Result(List.of(), List.of(), List.of(), List.of());
    }
    var places = new Places(surroundings);
    return new Search(Stream.of(places.ofPython(), places.all()).flatMap(List::stream).toList()).result();
  }

  private Result result() {
    List<Library> drivers = libraries("libcuda", List.of(1), "");
    List<Library> cublas = libraries("libcublas", CUDA, "");
    List<Library> cublasLt = libraries("libcublasLt", CUDA, "");
    List<Library> nvrtc = libraries("libnvrtc", CUDA, "libnvrtc-builtins.so.");
    List<Library> cudnn = libraries("libcudnn", List.of(9, 8), "libcudnn_");
    List<CudaLibraries> combinations = new ArrayList<>();
    for (int cuda : new LinkedHashSet<>(cublas.stream().map(Library::major).toList())) {
      Library products = first(cublas, cuda).orElseThrow();
      Optional<Library> light = besideOrFirst(products, cublasLt);
      Optional<Library> compiler = first(nvrtc, cuda);
      for (Library convolutions : cudnn) {
        if (!drivers.isEmpty() && light.isPresent() && compiler.isPresent() && goTogether(cuda, convolutions)) {
          combinations.add(new CudaLibraries(drivers.getFirst(), light.get(), products, compiler.get(), convolutions));
        }
      }
    }
    List<Library> found =
        Stream.of(drivers, cublas, cublasLt, nvrtc, cudnn).flatMap(list -> list.stream().limit(1)).toList();
    List<Missing> missing =
        combinations.isEmpty() ? missing(drivers, cublas, cublasLt, nvrtc, cudnn) : List.<Missing>of();
    return new Result(combinations, found, missing, List.copyOf(rejected));
  }

  /** NVIDIA's support matrix: cuDNN 8.9 was never built for CUDA 13. */
  private static boolean goTogether(int cuda, Library cudnn) {
    return cuda == 12 || cudnn.major() >= 9;
  }

  private static Optional<Library> first(List<Library> libraries, int major) {
    return libraries.stream().filter(library -> library.major() == major).findFirst();
  }

  private static Optional<Library> besideOrFirst(Library library, List<Library> others) {
    return others.stream()
        .filter(
            other -> other.major() == library.major() && library.path().getParent().equals(other.path().getParent()))
        .findFirst()
        .or(() -> first(others, library.major()));
  }

  /** What has to be installed for the CUDA of which something is there already; for CUDA 12 if nothing is. */
  private List<Missing> missing(
      List<Library> drivers, List<Library> cublas, List<Library> cublasLt, List<Library> nvrtc, List<Library> cudnn) {
    List<Missing> missing = new ArrayList<>();
    if (drivers.isEmpty()) {
      missing.add(
          new Missing(
              DRIVER,
              "install NVIDIA's driver: apt-get install nvidia-driver (in a container: docker run --gpus all)"));
    }
    int cuda = Stream.concat(cublas.stream(), nvrtc.stream()).map(Library::major).findFirst().orElse(12);
    String suffix = cuda == 12 ? "-cu12" : "";
    if (first(cublas, cuda).isEmpty() || first(cublasLt, cuda).isEmpty()) {
      missing.add(new Missing("libcublas.so." + cuda, "pip install nvidia-cublas" + suffix));
    }
    if (first(nvrtc, cuda).isEmpty()) {
      missing.add(new Missing("libnvrtc.so." + cuda, "pip install nvidia-cuda-nvrtc" + suffix));
    }
    if (cudnn.stream().noneMatch(library -> goTogether(cuda, library))) {
      cudnn.forEach(
          library -> rejected.add(library.path() + ": cuDNN " + library.major() + " is not for CUDA " + cuda));
      missing.add(new Missing("libcudnn.so.9", "pip install nvidia-cudnn-cu" + cuda));
    }
    return missing;
  }

  /** All files of that name in the order of the places, the newer of two in one folder first, each file once. */
  private List<Library> libraries(String stem, List<Integer> majors, String beside) {
    List<Library> found = new ArrayList<>();
    var files = new LinkedHashSet<Path>();
    for (Place place : places) {
      for (int major : majors) {
        String soname = stem + ".so." + major;
        Path file = place.folder().resolve(soname);
        if (Files.isRegularFile(file) && files.add(real(file))) {
          try {
            requireName(file, soname);
            found.add(Library.at(soname, file, place.why(), beside(place.folder(), beside, major)));
          } catch (ElfException e) {
            rejected.add(e.getMessage());
          }
        }
      }
    }
    return found;
  }

  private static void requireName(Path file, String soname) {
    String name = SharedObject.read(file).soname().orElse("");
    if (!name.equals(soname)) {
      throw new ElfException(file.toString(), "calls itself '" + name + "', expected " + soname);
    }
  }

  /** {@code libcudnn_ops.so.9} and the like for cuDNN, {@code libnvrtc-builtins.so.12.6} for NVRTC; each file once. */
  private static List<Path> beside(Path folder, String prefix, int major) {
    if (prefix.isEmpty()) {
      return List.of();
    }
    var files = new TreeSet<Path>();
    String pattern = prefix.endsWith(".") ? prefix + major + ".*" : prefix + "*.so." + major;
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, pattern)) {
      stream.forEach(files::add);
    } catch (IOException | java.nio.file.DirectoryIteratorException e) {
      return List.of();
    }
    var reals = new LinkedHashSet<Path>();
    return files.stream().filter(file -> reals.add(real(file))).map(Path::toAbsolutePath).toList();
  }

  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file;
    }
  }
}
