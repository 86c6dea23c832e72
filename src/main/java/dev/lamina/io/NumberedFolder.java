package dev.lamina.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDate;
import java.time.ZoneId;

/** Folders of results: a new one for each day's next piece of work, and one piece of work at a time in each. */
public final class NumberedFolder {
  private NumberedFolder() {}

  /** The right to work in a folder, until it is closed. */
  @FunctionalInterface
  public interface Lock extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Makes {@code parent/<date>-<name>-<n>} with the first free number, or {@code <date>-<n>} for an empty name; at
   * once, so that nothing else that begins now takes the same.
   *
   * @throws BadInputException if it cannot be made
   */
  public static Path create(Path parent, String name) {
    String date = LocalDate.now(ZoneId.systemDefault()).toString();
    String prefix = name.isEmpty() ? date : date + "-" + name;
    for (int n = 1; ; n++) {
      Path path = parent.resolve(prefix + "-" + n);
      try {
        Files.createDirectories(parent);
        return Files.createDirectory(path);
      } catch (FileAlreadyExistsException e) {
        if (!Files.isDirectory(path)) {
          throw BadInputException.access("create the folder", path, e);
        }
      } catch (IOException e) {
        throw BadInputException.access("create the folder", path, e);
      }
    }
  }

  /**
   * Keeps others out of {@code folder} until the lock is closed, or the process ends in whatever way.
   *
   * @param work for the message: "training"
   * @throws BadInputException if somebody is in it
   */
  public static Lock lock(Path folder, String work) {
    Path file = folder.resolve(".lock");
    try {
      FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (isLocked(channel)) {
        return () -> release(file, channel);
      }
      channel.close();
    } catch (IOException e) {
      throw BadInputException.access("lock", file, e);
    }
    throw new BadInputException(
        folder + ": another " + work + " is running there; wait for it, or choose another folder");
  }

  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException _) {
      return false; // this very process holds it
    }
  }

  private static void release(Path file, FileChannel channel) {
    try (channel) {
      Files.deleteIfExists(file);
    } catch (IOException _) {
      // The end of the process lets go of it.
    }
  }

  /** Takes a new folder away again, if nothing was left in it. */
  public static void deleteIfEmpty(Path folder) {
    try {
      Files.deleteIfExists(folder);
    } catch (IOException _) {
      // There is something in it.
    }
  }
}
