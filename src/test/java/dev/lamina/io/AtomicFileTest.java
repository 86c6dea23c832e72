package dev.lamina.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  @Test
  void replacesTheWholeFileAndLeavesNothingElseBehind() throws IOException {
    Path file = folder.resolve("notes.txt");
    AtomicFile.writeText(file, "a long first version");
    AtomicFile.writeText(file, "zweite Fassung: ä");
    assertEquals("zweite Fassung: ä", Files.readString(file));
    assertEquals(List.of(file), filesIn(folder));
  }

  @Test
  void aFailureHalfwayKeepsTheOldFileAndRemovesTheTemporaryOne() throws IOException {
    Path file = folder.resolve("model.safetensors");
    AtomicFile.writeText(file, "old");
    var failure =
        assertThrows(
            BadInputException.class,
            () ->
                AtomicFile.write(
                    file,
                    channel -> {
                      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
                      assertEquals(2, filesIn(folder).size(), "the half-written file lies beside the old one");
                      throw new IOException("No space left on device");
                    }));
    assertEquals("cannot write " + file + ": No space left on device", failure.getMessage());
    assertEquals("old", Files.readString(file));
    assertEquals(List.of(file), filesIn(folder));
  }

  @Test
  void aProgrammingErrorInTheContentAlsoKeepsTheOldFile() throws IOException {
    Path file = folder.resolve("model.safetensors");
    AtomicFile.writeText(file, "old");
    assertThrows(
        IllegalStateException.class,
        () ->
            AtomicFile.write(
                file,
                _ -> {
                  throw new IllegalStateException("tensor is closed");
                }));
    assertEquals("old", Files.readString(file));
    assertEquals(List.of(file), filesIn(folder));
  }

  @Test
  void theFileCanBeReadByThoseWhoCanReadAnyNewFileHere() throws IOException {
    Path plain = Files.createFile(folder.resolve("plain"));
    Path atomic = folder.resolve("atomic");
    AtomicFile.writeText(atomic, "");
    assertEquals(Files.getPosixFilePermissions(plain), Files.getPosixFilePermissions(atomic));
  }

  @Test
  void aMissingFolderAndAFolderInThePlaceOfTheFileAreOneLineEach() throws IOException {
    Path missing = folder.resolve("nowhere/file");
    assertEquals(
        "cannot write " + missing + ": there is no such file or folder",
        assertThrows(BadInputException.class, () -> AtomicFile.writeText(missing, "x")).getMessage());
    Path taken = Files.createDirectory(folder.resolve("taken"));
    assertEquals(
        "cannot write " + taken + ": it is a folder; name a file",
        assertThrows(BadInputException.class, () -> AtomicFile.writeText(taken, "x")).getMessage());
  }

  @Test
  void aWritableFolderIsCreatedAndLeftEmpty() {
    Path runs = folder.resolve("runs/first");
    AtomicFile.requireWritable(runs, 1000);
    assertTrue(Files.isDirectory(runs));
    assertEquals(List.of(), filesIn(runs));
  }

  @Test
  void aFileInTheWayOfTheFolderIsNamed() throws IOException {
    Path file = Files.createFile(folder.resolve("runs"));
    for (Path wanted : List.of(file, file.resolve("first"))) {
      String line = assertThrows(BadInputException.class, () -> AtomicFile.requireWritable(wanted, 0)).getMessage();
      assertTrue(line.startsWith("cannot ") && line.contains(file.toString()), line);
      assertFalse(line.contains("\n"), line);
    }
    assertTrue(Files.isRegularFile(file), "and is not touched");
  }

  @Test
  void aDiskWithTooLittleSpaceIsFoundBeforeAnythingIsWritten() {
    String line =
        assertThrows(BadInputException.class, () -> AtomicFile.requireWritable(folder, Long.MAX_VALUE)).getMessage();
    assertTrue(
        line.matches("the disk of .* is too full: 9223372036854775807 bytes are needed and \\d+ are free; .*"), line);
    assertEquals(List.of(), filesIn(folder));
  }

  @Test
  void aMessageStaysOneLineWhateverItsPartsHold() {
    assertEquals("first second", new BadInputException("first\n  second").getMessage());
  }

  private static List<Path> filesIn(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
