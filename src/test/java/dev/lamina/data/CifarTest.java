package dev.lamina.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CifarTest {
  private final Arena arena = Arena.ofShared();
  @TempDir Path folder;

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void planesBecomePixelsAndBatchesFollowEachOther() throws IOException {
    writeCifar10(folder);
    DataSource source = DataSource.open(folder);
    Dataset train = source.train(arena);
    assertEquals("CIFAR-10", source.name());
    assertEquals(10, train.size());
    assertEquals(TensorType.of(DType.U8, 32, 32, 3), train.inputType());
    for (int i = 0; i < 10; i++) {
      assertEquals(i, train.label(i));
      HostTensor image = train.input(i);
      for (int y = 0; y < 32; y++) {
        for (int x = 0; x < 32; x++) {
          for (int c = 0; c < 3; c++) {
            assertEquals(pixel(i, c, y, x), image.get((y * 32 + x) * 3 + c));
          }
        }
      }
    }
    assertEquals(1, source.test(arena).size());
    assertEquals(9, source.test(arena).label(0));
  }

  @Test
  void namesOfClassesComeFromTheirFile() throws IOException {
    writeCifar10(folder);
    assertEquals("3", DataSource.open(folder).train(arena).classNames().get(3));
    Files.writeString(
        folder.resolve("batches.meta.txt"), "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
    assertEquals("cat", DataSource.open(folder).train(arena).classNames().get(3));
    Files.writeString(folder.resolve("batches.meta.txt"), "airplane\n");
    assertLine("batches.meta.txt: has 1 class names, CIFAR-10 has 10");
  }

  @Test
  void theFolderThatTheArchiveUnpacksToIsFoundInside() throws IOException {
    writeCifar10(Files.createDirectory(folder.resolve("cifar-10-batches-bin")));
    assertEquals(10, DataSource.open(folder).train(arena).size());
  }

  @Test
  void ofTheTwoLabelsOfCifar100TheFineOneCounts() throws IOException {
    Files.write(folder.resolve("train.bin"), concat(record(0, 19, 99), record(1, 3, 42)));
    Files.write(folder.resolve("test.bin"), record(2, 0, 7));
    Files.writeString(
        folder.resolve("fine_label_names.txt"),
        IntStream.range(0, 100).mapToObj(i -> "fine " + i).collect(Collectors.joining("\n")));
    DataSource source = DataSource.open(folder);
    Dataset train = source.train(arena);
    assertEquals("CIFAR-100", source.name());
    assertEquals(99, train.label(0));
    assertEquals(42, train.label(1));
    assertEquals("fine 42", train.classNames().get(train.label(1)));
    assertEquals(pixel(1, 2, 31, 31), train.input(1).get(3071));
    assertEquals(7, source.test(arena).label(0));
  }

  @Test
  void aMissingBatchIsNamed() throws IOException {
    writeCifar10(folder);
    Files.delete(folder.resolve("data_batch_4.bin"));
    assertLine("holds CIFAR-10, but data_batch_4.bin is missing");
  }

  @Test
  void aFileThatIsNoMultipleOfARecordIsNamedWhenTheFolderIsOpened() throws IOException {
    writeCifar10(folder);
    Files.write(folder.resolve("data_batch_2.bin"), Arrays.copyOf(record(0, 1), 3072));
    assertLine("data_batch_2.bin: is 3072 bytes long, no multiple of the 3073 bytes of a CIFAR-10 record");
    Files.write(folder.resolve("data_batch_2.bin"), new byte[0]);
    assertLine("data_batch_2.bin: is 0 bytes long");
  }

  @Test
  void aLabelThatIsNoClassIsNamedWithItsPlace() throws IOException {
    writeCifar10(folder);
    Files.write(folder.resolve("data_batch_3.bin"), concat(record(0, 1), record(0, 10)));
    DataSource source = DataSource.open(folder);
    String line = assertThrows(BadInputException.class, () -> source.train(arena)).getMessage();
    assertTrue(line.contains("data_batch_3.bin: label 10 at index 1 is out of range: CIFAR-10 has 10 classes"), line);
  }

  @Test
  void thePythonVersionIsRecognised() throws IOException {
    Files.write(folder.resolve("data_batch_1"), new byte[] {(byte) 0x80, 2});
    assertLine("holds CIFAR in its Python version; get the binary version");
  }

  private static void writeCifar10(Path folder) throws IOException {
    for (int i = 0; i < 5; i++) {
      Files.write(
          folder.resolve("data_batch_" + (i + 1) + ".bin"), concat(record(2 * i, 2 * i), record(2 * i + 1, 2 * i + 1)));
    }
    Files.write(folder.resolve("test_batch.bin"), record(50, 9));
  }

  /** Labels and the image number {@code image}, plane by plane. */
  private static byte[] record(int image, int... labels) {
    byte[] bytes = new byte[labels.length + 3072];
    for (int i = 0; i < labels.length; i++) {
      bytes[i] = (byte) labels[i];
    }
    for (int i = 0; i < 3072; i++) {
      bytes[labels.length + i] = (byte) pixel(image, i / 1024, i / 32 % 32, i % 32);
    }
    return bytes;
  }

  private static int pixel(int image, int channel, int y, int x) {
    return (image * 31 + channel * 101 + y * 7 + x) & 0xff;
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      bytes.writeBytes(part);
    }
    return bytes.toByteArray();
  }

  private void assertLine(String expected) {
    String line = assertThrows(BadInputException.class, () -> DataSource.open(folder)).getMessage();
    assertTrue(line.contains(folder.toString()) && line.contains(expected) && !line.contains("\n"), line);
  }
}
