package dev.lamina.search;

import dev.lamina.io.AtomicFile;
import dev.lamina.io.BadInputException;
import dev.lamina.io.NumberedFolder;
import dev.lamina.train.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A folder in which one search leaves everything: {@code search.yaml}, {@code trials.jsonl}, {@code parameters.png},
 * and the run folder of every trial.
 *
 * @param path of the folder
 */
public record SearchFolder(Path path) {
  private static final Path SEARCHES = Path.of("searches");

  /**
   * A new folder that can be written.
   *
   * @param wanted by the user; null for {@code searches/<date>-<n>}
   * @throws BadInputException if it holds a search or a run already, or cannot be written
   */
  public static SearchFolder create(String wanted) {
    SearchFolder folder = new SearchFolder(wanted == null ? NumberedFolder.create(SEARCHES, "") : Path.of(wanted));
    if (Files.exists(folder.plan())) {
      throw new BadInputException(
          folder.path
              + " holds a search already; continue it with --resume "
              + folder.path
              + ", or choose another folder");
    }
    if (Files.exists(new RunFolder(folder.path).recipe())) {
      throw new BadInputException(
          folder.path + " holds a run already; choose another folder for the search with --out");
    }
    AtomicFile.requireWritable(folder.path, 1 << 20);
    return folder;
  }

  /**
   * The folder of an earlier search.
   *
   * @throws BadInputException if it is none
   */
  public static SearchFolder open(Path path) {
    SearchFolder folder = new SearchFolder(path);
    if (!Files.isRegularFile(folder.plan())) {
      throw new BadInputException(path + " is no search: there is no search.yaml in it");
    }
    return folder;
  }

  /** Keeps other searches out of the folder until it is closed, or the process ends in whatever way. */
  public NumberedFolder.Lock lock() {
    return NumberedFolder.lock(path, "search");
  }

  /** What is searched, complete. */
  public Path plan() {
    return path.resolve("search.yaml");
  }

  /** What came of it so far. */
  public Journal journal() {
    return new Journal(path.resolve("trials.jsonl"));
  }

  /** Validation figures by each parameter. */
  public Path plot() {
    return path.resolve("parameters.png");
  }

  /** Where the training of a trial goes. */
  public RunFolder trial(int number) {
    return new RunFolder(path.resolve(String.format(Locale.ROOT, "trial-%03d", number)));
  }

  /**
   * Where one part of a trial's cross-validation goes.
   *
   * @param fold counted from 1
   */
  public RunFolder fold(int number, int fold) {
    return new RunFolder(trial(number).path().resolve("fold-" + fold));
  }
}
