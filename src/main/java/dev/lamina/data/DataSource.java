package dev.lamina.data;

import dev.lamina.io.BadInputException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A training set and a test set somewhere. Opening one finds the files and checks what can be checked quickly; the
 * examples are decoded when they are asked for, so that training can begin before the test set has been read. The two
 * methods may be called from different threads.
 */
public sealed interface DataSource permits Mnist, IdxFolder, Cifar {

  /** What reports call it. */
  String name();

  /**
   * Decodes the training examples into {@code arena}.
   *
   * @throws BadInputException if a file turns out to be broken
   */
  Dataset train(Arena arena);

  /**
   * Decodes the test examples into {@code arena}.
   *
   * @throws BadInputException if a file turns out to be broken
   */
  Dataset test(Arena arena);

  /**
   * Opens what the user names: {@code mnist} for the images in the jar, or a folder with IDX files or with the binary
   * files of CIFAR-10 or CIFAR-100.
   *
   * @throws BadInputException if there is no such data, or parts of it are missing
   */
  static DataSource open(String name) {
    return name.equals("mnist") ? new Mnist() : open(Path.of(name));
  }

  /**
   * Opens a folder, whose files tell the format.
   *
   * @throws BadInputException if there is no data in it, or parts of it are missing
   */
  static DataSource open(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new BadInputException(
          Files.exists(folder)
              ? folder + " is a file; data is 'mnist' or a folder with IDX or CIFAR files"
              : "there is no data '" + folder + "'; it must be 'mnist' or a folder with IDX or CIFAR files");
    }
    return Cifar.find(folder)
        .or(() -> IdxFolder.find(folder))
        .orElseThrow(() ->
            new BadInputException(
                "there is no data in " + folder + ": looked for " + IdxFolder.LOOKED_FOR + ", " + Cifar.LOOKED_FOR));
  }
}
