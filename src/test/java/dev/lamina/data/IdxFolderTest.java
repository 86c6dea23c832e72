package dev.lamina.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxFolderTest {
  private final Arena arena = Arena.ofShared();
  @TempDir Path folder;

  @BeforeEach
  void write() throws IOException {
    IdxFiles.writeDataset(folder);
  }

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void theFourFilesBecomeATrainingAndATestSet() {
    DataSource source = DataSource.open(folder.toString());
    Dataset train = source.train(arena);
    Dataset test = source.test(arena);
    assertEquals(4, train.size());
    assertEquals(2, test.size());
    assertEquals(TensorType.of(DType.U8, 2, 3, 1), train.inputType());
    assertEquals(List.of("0", "1", "2"), train.classNames());
    assertEquals(2, train.label(0));
    assertEquals(1, test.label(0));
    assertEquals(6 + 4, train.input(1).get(4));
    assertEquals(106, test.input(1).get(0));
  }

  @Test
  void otherUsualNamesAreKnownToo() throws IOException {
    rename("train-images-idx3-ubyte", "emnist-letters-train-images.idx3-ubyte");
    rename("t10k-labels-idx1-ubyte", "emnist-letters-test-labels-idx1-ubyte");
    assertEquals(4, DataSource.open(folder).train(arena).size());
    assertEquals(2, DataSource.open(folder).test(arena).size());
  }

  @Test
  void channelsAndVectorsAreTakenAsTheyAre() throws IOException {
    replace("train-images-idx3-ubyte", IdxFiles.images(0, 4, 2, 2, 3));
    replace("t10k-images-idx3-ubyte.gz", IdxFiles.images(0, 2, 2, 2, 3));
    assertEquals(TensorType.of(DType.U8, 2, 2, 3), DataSource.open(folder).train(arena).inputType());
    replace("train-images-idx3-ubyte", IdxFiles.images(0, 4, 7));
    replace("t10k-images-idx3-ubyte.gz", IdxFiles.images(0, 2, 7));
    assertEquals(TensorType.of(DType.U8, 7), DataSource.open(folder).train(arena).inputType());
  }

  @Test
  void theUnpackedFileIsPreferredToItsPackedTwin() throws IOException {
    Files.write(folder.resolve("train-images-idx3-ubyte.gz"), new byte[] {1, 2, 3});
    assertEquals(4, DataSource.open(folder).train(arena).size());
  }

  @Test
  void namesOfClassesCanLieBeside() throws IOException {
    Files.writeString(folder.resolve("classes.txt"), "shirt\nshoe\nhat\ncoat\n\n");
    assertEquals(List.of("shirt", "shoe", "hat", "coat"), DataSource.open(folder).train(arena).classNames());
    Files.writeString(folder.resolve("classes.txt"), "shirt\nshoe\n");
    assertLine("train-labels-idx1-ubyte.gz: label 2 at index 0 is out of range: there are 2 classes, counted from 0");
  }

  @Test
  void eachMissingFileIsNamed() throws IOException {
    Files.delete(folder.resolve("t10k-images-idx3-ubyte.gz"));
    assertLine("but no test images (t10k-images-idx3-ubyte); put the missing file there");
    Files.delete(folder.resolve("train-labels-idx1-ubyte.gz"));
    assertLine("but no training labels (train-labels-idx1-ubyte)");
  }

  @Test
  void twoDataSetsInOneFolderAreARiddle() throws IOException {
    replace("fashion-train-images-idx3-ubyte", IdxFiles.images(0, 4, 2, 3));
    assertLine("two candidates for the same data, fashion-train-images-idx3-ubyte and train-images-idx3-ubyte");
  }

  @Test
  void aFolderWithoutDataSaysWhatWasLookedFor() throws IOException {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    String line = assertThrows(BadInputException.class, () -> DataSource.open(empty)).getMessage();
    assertTrue(line.startsWith("there is no data in " + empty + ": looked for train-images-idx3-ubyte, "), line);
    assertTrue(line.contains("data_batch_1.bin") && line.contains("train.bin"), line);
    assertFalse(line.contains("\n"), line);
  }

  @Test
  void neitherFolderNorMnistIsOneLine() throws IOException {
    assertEquals(
        "there is no data 'minst'; it must be 'mnist' or a folder with IDX or CIFAR files",
        assertThrows(BadInputException.class, () -> DataSource.open("minst")).getMessage());
    Path file = folder.resolve("train-images-idx3-ubyte");
    assertEquals(
        file + " is a file; data is 'mnist' or a folder with IDX or CIFAR files",
        assertThrows(BadInputException.class, () -> DataSource.open(file.toString())).getMessage());
  }

  @Test
  void countsThatDoNotFitAreFoundWhenTheFolderIsOpened() throws IOException {
    replace("t10k-labels-idx1-ubyte", IdxFiles.labels(1, 2, 0));
    assertLine("t10k-labels-idx1-ubyte: has 3 labels for the 2 images of t10k-images-idx3-ubyte.gz");
  }

  @Test
  void testImagesOfAnotherSizeAreFoundWhenTheFolderIsOpened() throws IOException {
    replace("t10k-images-idx3-ubyte.gz", IdxFiles.images(0, 2, 3, 2));
    assertLine("the test images are U8[2,3,2], but the training images U8[4,2,3]");
  }

  @Test
  void swappedFilesAreFoundWhenTheFolderIsOpened() throws IOException {
    replace("train-images-idx3-ubyte", IdxFiles.labels(1, 2, 3, 4));
    assertLine("train-images-idx3-ubyte: holds U8[4], no images");
    replace("train-images-idx3-ubyte", IdxFiles.images(0, 4, 2, 3));
    replace("train-labels-idx1-ubyte.gz", IdxFiles.images(0, 4, 2, 3));
    assertLine("train-labels-idx1-ubyte.gz: holds U8[4,2,3], no labels");
  }

  @Test
  void imagesWithoutImagesAndPlanesFirstAreRefused() throws IOException {
    replace("train-images-idx3-ubyte", IdxFiles.images(0, 0, 2, 3));
    assertLine("holds no images, its header says [0,2,3]");
    replace("train-images-idx3-ubyte", IdxFiles.images(0, 4, 3, 8, 8));
    assertLine("images of 8 channels, from [4,3,8,8]; channels must come last");
  }

  @Test
  void aLabelThatIsNoClassIsNamedWithItsPlace() throws IOException {
    replace("train-labels-idx1-ubyte.gz", IdxFiles.gzip(IdxFiles.labels(2, 0, 200, 1)));
    assertLine("train-labels-idx1-ubyte.gz: label 200 at index 2 is out of range: only 4 different labels occur");
    replace("train-labels-idx1-ubyte.gz", IdxFiles.idx(9, new int[] {4}, (byte) 0, (byte) 1, (byte) -1, (byte) 2));
    assertLine("label -1 at index 2 is out of range: there are 3 classes");
    replace("train-labels-idx1-ubyte.gz", IdxFiles.labels(2, 0, 1, 1));
    replace("t10k-labels-idx1-ubyte", IdxFiles.labels(0, 3));
    assertLine("t10k-labels-idx1-ubyte: label 3 at index 1 is out of range: there are 3 classes");
  }

  @Test
  void truncatedImagesAreFoundWhenOpenedIfPlainAndWhenReadIfCompressed() throws IOException {
    byte[] packed = IdxFiles.gzip(IdxFiles.images(100, 2, 2, 3));
    replace("t10k-images-idx3-ubyte.gz", Arrays.copyOf(packed, packed.length - 4));
    DataSource source = DataSource.open(folder);
    assertTrue(assertThrows(BadInputException.class, () -> source.test(arena)).getMessage().contains("is truncated"));
    replace("train-images-idx3-ubyte", Arrays.copyOf(IdxFiles.images(0, 4, 2, 3), 30));
    assertLine("train-images-idx3-ubyte: its header [4,2,3] announces 24 bytes of data, but only 14 are there");
  }

  private void replace(String name, byte[] content) throws IOException {
    Files.write(folder.resolve(name), content);
  }

  private void rename(String from, String to) throws IOException {
    Files.move(folder.resolve(from), folder.resolve(to));
  }

  private void assertLine(String expected) {
    String line = assertThrows(BadInputException.class, () -> DataSource.open(folder)).getMessage();
    assertTrue(line.contains(folder.toString()) && line.contains(expected) && !line.contains("\n"), line);
  }
}
