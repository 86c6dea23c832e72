package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * NVIDIA's libraries that go together: one of each, all for the same CUDA.
 *
 * @param driver libcuda.so.1
 * @param cublasLt what cuBLAS is built upon
 * @param cublas matrix products
 * @param nvrtc the compiler of kernels; its builtins lie beside it
 * @param cudnn convolutions; its parts lie beside it
 */
public record CudaLibraries(Library driver, Library cublasLt, Library cublas, Library nvrtc, Library cudnn) {

  /**
   * A library that was found.
   *
   * @param soname the name that other libraries ask for, for example libcublas.so.12
   * @param path of the file, absolute
   * @param version as its file name tells it: in full where the name is that of the package, else the first number
   * @param why it was taken: who named the folder
   * @param beside files of the same folder that belong to it
   */
  public record Library(String soname, Path path, String version, String why, List<Path> beside) {
    public Library {
      beside = List.copyOf(beside);
    }

    /** The number at the end of its name: 12 for libcublas.so.12. */
    public int major() {
      return Integer.parseInt(soname.substring(soname.lastIndexOf('.') + 1));
    }

    /** One found at {@code path}, with the version that the file behind its links has in its name. */
    static Library at(String soname, Path path, String why, List<Path> beside) {
      String stem = soname.substring(0, soname.lastIndexOf('.') + 1);
      String major = soname.substring(stem.length());
      String real = realName(path);
      String version = real.startsWith(stem) ? real.substring(stem.length()) : major;
      return new Library(soname, path.toAbsolutePath().normalize(), version, why, beside);
    }

    private static String realName(Path path) {
      try {
        return path.toRealPath().getFileName().toString();
      } catch (IOException e) {
        return path.getFileName().toString();
      }
    }
  }

  /** Of CUDA: 12 or 13. */
  public int cudaMajor() {
    return cublas.major();
  }

  /** Driver, cuBLAS, NVRTC and cuDNN, as they are listed. */
  public List<Library> all() {
    return List.of(driver, cublas, cublasLt, nvrtc, cudnn);
  }

  /** Every file, those that others need before them. */
  public List<Path> inLoadingOrder() {
    List<Path> files = new ArrayList<>(List.of(driver.path));
    files.addAll(nvrtc.beside);
    files.addAll(List.of(nvrtc.path, cublasLt.path, cublas.path));
    files.addAll(Dependencies.sorted(Stream.concat(cudnn.beside.stream(), Stream.of(cudnn.path)).toList()));
    return List.copyOf(files);
  }

  /** What a program's arguments can carry; {@link #ofArguments} makes the same of it, but for who named the folders. */
  List<String> arguments() {
    return Stream.of(driver, cublasLt, cublas, nvrtc, cudnn)
        .map(library -> {
          List<String> parts = new ArrayList<>(List.of(library.soname, library.path.toString()));
          library.beside.forEach(path -> parts.add(path.toString()));
          return String.join("\n", parts);
        })
        .toList();
  }

  static CudaLibraries ofArguments(List<String> arguments) {
    List<Library> libraries =
        arguments.stream()
            .map(argument -> {
              List<String> parts = argument.lines().toList();
              List<Path> beside = parts.stream().skip(2).map(Path::of).toList();
              return Library.at(parts.get(0), Path.of(parts.get(1)), "argument", beside);
            })
            .toList();
    return new CudaLibraries(libraries.get(0), libraries.get(1), libraries.get(2), libraries.get(3), libraries.get(4));
  }
}
