package dev.lamina.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Writes files so that a reader, or a crash at any moment, finds either the whole old file or the whole new one. The
 * new content goes to a temporary file in the same folder, is forced to the disk, and takes the name over in one step;
 * after a failure the old file is as it was and the temporary one is gone.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** Produces a file's content. */
  @FunctionalInterface
  public interface Content {
    /** Writes everything to {@code channel}, which is at the beginning of an empty file. */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Replaces {@code target}, or creates it; its folder must exist.
   *
   * @throws BadInputException if the file cannot be written
   */
  public static void write(Path target, Content content) {
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || Files.isDirectory(target)) {
      throw new BadInputException(
          "cannot write " + target + ": it is a folder; name a file", new FileSystemException(target.toString()));
    }
    Path temporary = temporaryIn(folder, target.getFileName().toString());
    try {
      writeForced(temporary, content);
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw BadInputException.access("write", target, e);
    } finally {
      deleteQuietly(temporary);
    }
    forceFolder(folder);
  }

  /** {@link #write} of a text in UTF-8. */
  public static void writeText(Path target, CharSequence text) {
    write(target, channel -> writeFully(channel, StandardCharsets.UTF_8.encode(text.toString())));
  }

  /** Writes all that remains of {@code bytes}. */
  public static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /**
   * Makes sure, before hours of work, that results can be stored: creates {@code folder} with its parents where
   * missing, writes a small file there, and looks at the free space.
   *
   * @param bytes how much is going to be written at least
   * @throws BadInputException if the folder cannot be created or written, or has less space than {@code bytes}
   */
  public static void requireWritable(Path folder, long bytes) {
    try {
      Files.createDirectories(folder);
    } catch (FileAlreadyExistsException e) {
      throw new BadInputException(
          "cannot write to " + folder + ": " + e.getFile() + " is a file; choose another folder", e);
    } catch (IOException e) {
      throw BadInputException.access("create the folder", folder, e);
    }
    Path probe = temporaryIn(folder, "probe");
    try {
      // Not FileStore, which looks for a mount point: below another root there may be none. 0 if the system cannot
      // tell.
      long free = folder.toFile().getUsableSpace();
      if (free > 0 && free < bytes) {
        throw new BadInputException(
            "the disk of "
                + folder
                + " is too full: "
                + bytes
                + " bytes are needed and "
                + free
                + " are free; make room or choose another folder",
            new FileSystemException(folder.toString(), null, "too little space"));
      }
      writeForced(probe, channel -> writeFully(channel, ByteBuffer.allocate(1)));
    } catch (IOException e) {
      throw BadInputException.access("write to the folder", folder, e);
    } finally {
      deleteQuietly(probe);
    }
  }

  /** Not {@code Files.createTempFile}: its files stay private to the user after they take the final name. */
  private static Path temporaryIn(Path folder, String name) {
    return folder.resolve("." + name + "." + UUID.randomUUID() + ".tmp");
  }

  private static void writeForced(Path file, Content content) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      content.writeTo(channel);
      channel.force(true);
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException _) {
      // The failure that matters is already on its way; what is left is a hidden file.
    }
  }

  /** Makes the new name itself survive a power cut, where the system can (Linux, macOS). */
  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException _) {
      // Windows opens no folders; the file is complete all the same.
    }
  }
}
