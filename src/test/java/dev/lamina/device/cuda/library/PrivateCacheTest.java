package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(value = OS.LINUX, disabledReason = "CUDA is supported on Linux alone")
class PrivateCacheTest {
  private static final byte[] CONTENT = bytes(1);

  @TempDir private Path home;

  @Test
  void itLiesWhereTheXdgSpecificationSays() {
    assertEquals(home.resolve(".cache/lamina"), open().folder());
    Path other = home.resolve("other");
    Map<String, String> variables = Map.of("HOME", home.toString(), "XDG_CACHE_HOME", other.toString());
    assertEquals(other.resolve("lamina"), PrivateCache.open(variables).folder());
    Map<String, String> relative = Map.of("HOME", home.toString(), "XDG_CACHE_HOME", "other");
    assertEquals(home.resolve(".cache/lamina"), PrivateCache.open(relative).folder());
    assertRefused("neither HOME nor XDG_CACHE_HOME", () -> PrivateCache.open(Map.of()));
  }

  @Test
  void nobodyElseCanReadOrWriteIt() throws IOException {
    PrivateCache cache = open();
    assertEquals("rwx------", mode(cache.folder()));
    Path file = cache.file("a.so", CONTENT);
    assertEquals("rwx------", mode(file));
    assertArrayEquals(CONTENT, Files.readAllBytes(file));
  }

  @Test
  void oneThatOthersCanWriteIsRefused() throws IOException {
    PrivateCache cache = open();
    for (String mode : List.of("rwxrwx---", "rwx----w-")) {
      Files.setPosixFilePermissions(cache.folder(), PosixFilePermissions.fromString(mode));
      assertRefused("others can write into the cache", this::open);
      assertRefused("chmod 700", () -> cache.file("a.so", CONTENT));
    }
  }

  @Test
  void oneOfAnotherUserIsRefused() throws IOException {
    Path folder = open().folder();
    int user = (Integer) Files.getAttribute(folder, "unix:uid");
    var foreign = new PrivateCache(folder, user + 1);
    assertRefused("belongs to another user", foreign::create);
    assertRefused("belongs to another user", () -> foreign.file("a.so", CONTENT));
  }

  @Test
  void aFileInItsPlaceIsRefused() throws IOException {
    Files.createDirectories(home.resolve(".cache"));
    Files.createFile(home.resolve(".cache/lamina"));
    assertRefused("is not a folder", this::open);
    Files.delete(home.resolve(".cache/lamina"));
    Files.delete(home.resolve(".cache"));
    Files.createFile(home.resolve(".cache"));
    assertRefused("cannot create the cache", this::open);
  }

  @Test
  void filesOfOtherContentAreReplaced() throws IOException {
    PrivateCache cache = open();
    Path file = cache.file("a.so", CONTENT);
    Object inode = Files.getAttribute(file, "unix:ino");
    assertEquals(file, cache.file("a.so", CONTENT));
    assertEquals(inode, Files.getAttribute(file, "unix:ino"), "a good file is left alone");
    byte[] damaged = CONTENT.clone();
    damaged[100]++;
    for (byte[] other : List.of(damaged, new byte[0], bytes(2))) {
      Files.write(file, other);
      assertArrayEquals(CONTENT, Files.readAllBytes(cache.file("a.so", CONTENT)));
    }
    assertNotEquals(file, cache.file("a.so", bytes(2)), "another content has another name");
  }

  @Test
  void linksAreReplacedEvenIfTheContentIsRight() throws IOException {
    PrivateCache cache = open();
    Path file = cache.file("a.so", CONTENT);
    Path elsewhere = home.resolve("elsewhere");
    Files.move(file, elsewhere);
    Files.createSymbolicLink(file, elsewhere);
    cache.file("a.so", CONTENT);
    assertFalse(Files.isSymbolicLink(file));
  }

  @Test
  void manyAtOnceDoNotDisturbEachOther() throws Exception {
    PrivateCache cache = open();
    byte[] large = new byte[1 << 20];
    new Random(3).nextBytes(large);
    try (var threads = Executors.newFixedThreadPool(8)) {
      for (int round = 0; round < 5; round++) {
        large[0]++;
        Callable<byte[]> writer = () -> Files.readAllBytes(cache.file("b.so", large));
        for (Future<byte[]> read : threads.invokeAll(Stream.generate(() -> writer).limit(16).toList())) {
          assertArrayEquals(large, read.get());
        }
      }
    }
    try (Stream<Path> files = Files.list(cache.folder())) {
      List<String> names = files.map(path -> path.getFileName().toString()).toList();
      assertEquals(5, names.size(), names::toString);
      assertEquals(List.of(), names.stream().filter(name -> name.endsWith(".tmp")).collect(Collectors.toList()));
    }
  }

  private PrivateCache open() {
    return PrivateCache.open(Map.of("HOME", home.toString()));
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private static byte[] bytes(int seed) {
    byte[] bytes = new byte[5000];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static void assertRefused(String reason, org.junit.jupiter.api.function.Executable action) {
    var refusal = assertThrows(CudaUnavailableException.class, action);
    assertTrue(refusal.getMessage().contains(reason), refusal.getMessage());
    assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
  }
}
