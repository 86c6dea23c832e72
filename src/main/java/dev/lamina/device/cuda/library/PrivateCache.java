package dev.lamina.device.cuda.library;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A folder of files that can be made again, which nobody else can write: code is loaded from it. By the XDG base
 * directory specification it is {@code lamina} in {@code XDG_CACHE_HOME}, or in {@code ~/.cache}.
 *
 * <p>Files are complete or absent: they are written under another name and renamed, so processes that write the same
 * one at the same time do not disturb each other.
 */
public final class PrivateCache {
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
  private static final String ADVICE = "set XDG_CACHE_HOME to a folder of yours";

  /** Enough of a SHA-256 to tell files apart by name; the whole one is checked. */
  private static final int NAME_DIGITS = 16;

  private final Path folder;
  private final int user;

  PrivateCache(Path folder, int user) {
    this.folder = folder;
    this.user = user;
  }

  /**
   * The cache of this user, which is created with mode 0700 if it is not there.
   *
   * @throws CudaUnavailableException if there is no place for it, or others can write there
   */
  public static PrivateCache open(Map<String, String> variables) {
    String given = variables.getOrDefault("XDG_CACHE_HOME", "");
    String home = variables.getOrDefault("HOME", "");
    if (!given.startsWith("/") && !home.startsWith("/")) {
      throw new CudaUnavailableException(
          "there is no place for a cache: neither HOME nor XDG_CACHE_HOME names a folder");
    }
    Path base = given.startsWith("/") ? Path.of(given) : Path.of(home, ".cache");
    var cache = new PrivateCache(base.resolve("lamina"), userOfThisProcess());
    cache.create();
    return cache;
  }

  private static int userOfThisProcess() {
    try {
      return user(Path.of("/proc/self"));
    } catch (IOException e) {
      throw new CudaUnavailableException("cannot find out who this process belongs to: " + e.getMessage(), e);
    }
  }

  private static int user(Path path) throws IOException {
    return (Integer) Files.getAttribute(path, "unix:uid");
  }

  /** The folder itself. */
  public Path folder() {
    return folder;
  }

  /**
   * A file of exactly this content.
   *
   * @param name the end of its name; a part of the content's SHA-256 comes before it
   * @throws CudaUnavailableException if it can neither be found nor written
   */
  public Path file(String name, byte[] content) {
    byte[] hash = sha256(content);
    Path file = folder.resolve(HexFormat.of().formatHex(hash).substring(0, NAME_DIGITS) + "-" + name);
    try {
      requirePrivate();
      if (!holds(file, content.length, hash)) {
        write(file, content);
      }
      return file;
    } catch (IOException e) {
      throw failure("write " + file, e);
    }
  }

  /** What was {@linkplain #keep kept} under {@code name}; empty if there is nothing, or it cannot be read. */
  public Optional<byte[]> get(String name) {
    Path file = folder.resolve(name);
    try {
      return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
          ? Optional.of(Files.readAllBytes(file))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * Keeps {@code content} under exactly this name, in place of what was there, if it can be written: on a full disk it
   * has to be made again the next time.
   *
   * @throws CudaUnavailableException if others can write into the folder by now
   */
  public void keep(String name, byte[] content) {
    try {
      requirePrivate();
      write(folder.resolve(name), content);
    } catch (IOException _) {
      // What was to be kept is there all the same.
    }
  }

  void create() {
    try {
      Files.createDirectories(folder.toAbsolutePath().getParent());
      try {
        Files.createDirectory(folder, OWNER_ONLY);
      } catch (java.nio.file.FileAlreadyExistsException e) {
        // Of an earlier run, or of another process just now.
      }
      requirePrivate();
    } catch (IOException e) {
      throw failure("create the cache " + folder, e);
    }
  }

  private void requirePrivate() throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new CudaUnavailableException("the cache " + folder + " is not a folder: remove it, or " + ADVICE);
    }
    if (user(folder) != user) {
      throw new CudaUnavailableException("the cache " + folder + " belongs to another user: " + ADVICE);
    }
    Set<PosixFilePermission> mode = Files.getPosixFilePermissions(folder);
    if (mode.contains(PosixFilePermission.GROUP_WRITE) || mode.contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new CudaUnavailableException("others can write into the cache " + folder + ": chmod 700 " + folder);
    }
  }

  private static boolean holds(Path file, long size, byte[] hash) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && Files.size(file) == size
        && MessageDigest.isEqual(hash, sha256(Files.readAllBytes(file)));
  }

  private void write(Path file, byte[] content) throws IOException {
    Path temporary = Files.createTempFile(folder, "." + file.getFileName(), ".tmp", OWNER_ONLY);
    try {
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(content);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static byte[] sha256(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static CudaUnavailableException failure(String deed, IOException e) {
    return new CudaUnavailableException("cannot " + deed + " (" + e + "): " + ADVICE, e);
  }
}
