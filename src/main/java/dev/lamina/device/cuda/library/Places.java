package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** The folders that may hold NVIDIA's libraries, those that a user names first. */
final class Places {
  /** What {@code --cuda-libs} sets. */
  static final String VARIABLE = "LAMINA_CUDA_LIBS";

  /** Below the folder of a toolkit or of an environment. */
  private static final List<String> LIBRARY_FOLDERS =
      List.of("lib64", "lib", "lib/x86_64-linux-gnu", "targets/x86_64-linux/lib");

  private static final List<String> SYSTEM_FOLDERS =
      List.of(
          "/usr/lib/wsl/lib",
          "/usr/lib/x86_64-linux-gnu",
          "/usr/lib64",
          "/usr/lib",
          "/usr/local/lib",
          "/usr/lib/x86_64-linux-gnu/nvidia/current",
          "/run/opengl-driver/lib",
          "/usr/local/nvidia/lib64",
          "/usr/local/nvidia/lib",
          "/usr/local/cuda/lib64",
          "/usr/local/cuda-13*/lib64",
          "/usr/local/cuda-12*/lib64",
          "/opt/cuda/lib64",
          "/usr/lib/cuda/lib64",
          "/usr/local/lib/python3*/dist-packages/nvidia/*/lib",
          "/usr/lib/python3*/dist-packages/nvidia/*/lib",
          "/usr/lib/python3*/site-packages/nvidia/*/lib",
          "/usr/lib64/python3*/site-packages/nvidia/*/lib");

  private final Surroundings surroundings;

  Places(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  /** A folder, and who named it. */
  record Place(Path folder, String why) {}

  /**
   * Every folder that exists, in the order in which they are searched.
   *
   * @throws IllegalArgumentException if the user named a folder that does not exist
   */
  List<Place> all() {
    List<Place> places = new ArrayList<>();
    surroundings
        .variable(VARIABLE)
        .ifPresent(paths -> {
          for (String path : paths.split(":", -1)) {
            if (path.isEmpty()) {
              continue;
            }
            Path folder = path.startsWith("/") ? surroundings.path(path) : Path.of(path).toAbsolutePath();
            if (!Files.isDirectory(folder)) {
              throw new IllegalArgumentException(
                  VARIABLE + " (--cuda-libs) names " + path + ", which is no folder; name one with NVIDIA's libraries");
            }
            add(places, folder, "", VARIABLE);
            LIBRARY_FOLDERS.forEach(below -> add(places, folder, below, VARIABLE));
            add(places, folder, "nvidia/*/lib", VARIABLE);
            add(places, folder, "*/lib", VARIABLE);
          }
        });
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      surroundings
          .variable(variable)
          .ifPresent(home -> LIBRARY_FOLDERS.forEach(below -> add(places, surroundings.path(home), below, variable)));
    }
    surroundings
        .variable("LD_LIBRARY_PATH")
        .ifPresent(paths -> {
          for (String path : paths.split(":", -1)) {
            if (!path.isEmpty()) {
              add(places, surroundings.path(path), "", "LD_LIBRARY_PATH");
            }
          }
        });
    for (String library : LinkerCache.read(surroundings.path("/etc/ld.so.cache"))) {
      if (library.contains("/libcu") || library.contains("/libnvrtc")) {
        add(places, surroundings.path(library).getParent(), "", "ldconfig");
      }
    }
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      surroundings
          .variable(variable)
          .ifPresent(home -> {
            add(places, surroundings.path(home), "lib/python3*/site-packages/nvidia/*/lib", variable);
            add(places, surroundings.path(home), "lib", variable);
          });
    }
    SYSTEM_FOLDERS.forEach(folder -> add(places, surroundings.root(), folder.substring(1), "system folder"));
    surroundings
        .variable("HOME")
        .ifPresent(home ->
            add(
                places,
                surroundings.path(home),
                ".local/lib/python3*/site-packages/nvidia/*/lib",
                "packages of python3"));
    return places;
  }

  /** The folders of the packages that {@code python3} would import. */
  List<Place> ofPython() {
    List<Place> places = new ArrayList<>();
    for (String folder : surroundings.python().get()) {
      add(places, surroundings.path(folder), "nvidia/*/lib", "packages of python3");
    }
    return places;
  }

  /** Adds the folders below {@code start} that match, each name of which may hold one star. */
  private static void add(List<Place> places, Path start, String pattern, String why) {
    List<Path> found = List.of(start);
    for (String name : pattern.split("/", -1)) {
      if (!name.isEmpty()) {
        found = found.stream().flatMap(folder -> children(folder, name).stream()).toList();
      }
    }
    for (Path folder : found) {
      boolean known = places.stream().anyMatch(place -> place.folder.equals(folder));
      if (Files.isDirectory(folder) && !known && !folder.endsWith("stubs")) {
        places.add(new Place(folder, why));
      }
    }
  }

  private static List<Path> children(Path folder, String name) {
    if (!name.contains("*")) {
      return List.of(folder.resolve(name));
    }
    var children = new TreeSet<Path>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, name)) {
      stream.forEach(children::add);
    } catch (IOException | java.nio.file.DirectoryIteratorException e) {
      return List.of();
    }
    // Newer versions of Python and CUDA first.
    return List.copyOf(children.descendingSet());
  }
}
