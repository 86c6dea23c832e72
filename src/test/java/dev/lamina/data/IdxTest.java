package dev.lamina.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxTest {
  private final Arena arena = Arena.ofConfined();
  @TempDir Path folder;

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void bytesAreReadPlainAndCompressedWhateverTheNameSays() throws IOException {
    byte[] data = new byte[300_000]; // more than two chunks
    new Random(1).nextBytes(data);
    byte[] file = IdxFiles.idx(8, new int[] {300, 50, 20}, data);
    for (byte[] stored : new byte[][] {file, IdxFiles.gzip(file)}) {
      HostTensor tensor = Idx.read(Files.write(folder.resolve("some-name.gz"), stored), arena);
      assertEquals(TensorType.of(DType.U8, 300, 50, 20), tensor.type());
      assertArrayEquals(data, tensor.segment().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void everyElementTypeOfTheFormatIsReadBigEndian() throws IOException {
    ByteBuffer eight = ByteBuffer.allocate(16).putDouble(-2.5).putDouble(1e300);
    assertValues(DType.I32, read(0x09, 2, (byte) -3, (byte) 127), -3, 127);
    assertValues(DType.I32, read(0x0B, 2, (byte) 0xff, (byte) 0xfe, (byte) 1, (byte) 0), -2, 256);
    assertValues(DType.I32, read(0x0C, 1, (byte) 0x80, (byte) 0, (byte) 0, (byte) 1), Integer.MIN_VALUE + 1);
    assertValues(DType.F32, read(0x0D, 1, ByteBuffer.allocate(4).putFloat(0.1f).array()), 0.1f);
    assertValues(DType.F64, read(0x0E, 2, eight.array()), -2.5, 1e300);
  }

  @Test
  void wideElementsContinueRightAcrossChunks() throws IOException {
    int count = 100_000;
    ByteBuffer data = ByteBuffer.allocate(4 * count);
    for (int i = 0; i < count; i++) {
      data.putInt(i * 7919);
    }
    HostTensor tensor = read(0x0C, count, data.array());
    for (int i = 0; i < count; i++) {
      assertEquals(i * 7919, tensor.get(i));
    }
  }

  @Test
  void filesOfAnotherKindAreNamedWithTheirFirstBytes() {
    assertLine("begins with 89504e47, where 00000803 is usual", (byte) 0x89, (byte) 'P', (byte) 'N', (byte) 'G');
    assertLine("begins with 00000701", (byte) 0, (byte) 0, (byte) 7, (byte) 1);
    assertLine("begins with 00000800", (byte) 0, (byte) 0, (byte) 8, (byte) 0);
    assertLine("begins with 000008ff", (byte) 0, (byte) 0, (byte) 8, (byte) -1);
    assertLine("0 bytes are too few");
    assertLine("ends within the header of 3 dimensions", (byte) 0, (byte) 0, (byte) 8, (byte) 3, (byte) 0);
  }

  @Test
  void absurdExtentsAreRefusedBeforeMemoryIsAskedFor() {
    int huge = Integer.MAX_VALUE;
    assertLine("impossible extents", IdxFiles.idx(8, new int[] {-1}));
    assertLine("impossible extents", IdxFiles.idx(8, new int[] {huge, huge, huge}));
    assertLine("impossible extents", IdxFiles.idx(14, new int[] {huge, huge}));
    assertLine("only 0 are there; the file is truncated", IdxFiles.idx(8, new int[] {huge, 10_000}));
    assertLine("the file is truncated", IdxFiles.gzip(IdxFiles.idx(8, new int[] {huge, 10_000})));
  }

  @Test
  void everyTruncationOfAPlainFileIsNoticed() {
    byte[] whole = IdxFiles.images(0, 2, 3, 3);
    for (int length = 0; length < whole.length; length++) {
      assertLine("truncated", Arrays.copyOf(whole, length));
    }
    assertLine("is 35 bytes long, but its header [2,3,3] announces 34; the file is corrupt", Arrays.copyOf(whole, 35));
  }

  @Test
  void everyTruncationOfACompressedFileIsNoticed() {
    byte[] whole = IdxFiles.gzip(IdxFiles.images(0, 2, 3, 3));
    for (int length = 3; length < whole.length; length++) {
      assertLine("truncated", Arrays.copyOf(whole, length));
    }
  }

  @Test
  void aCompressedFileWithTheWrongNumberOfBytesInsideIsNoticed() {
    byte[] data = IdxFiles.images(0, 2, 3, 3);
    assertLine(
        "announces 18 bytes of data, but only 17 are there", IdxFiles.gzip(Arrays.copyOf(data, data.length - 1)));
    assertLine("goes on after the 18 bytes", IdxFiles.gzip(Arrays.copyOf(data, data.length + 1)));
  }

  @Test
  void anyFlippedBitOfACompressedFilesContentIsNoticed() {
    byte[] data = new byte[2000];
    new Random(2).nextBytes(data);
    byte[] whole = IdxFiles.gzip(IdxFiles.idx(8, new int[] {2000}, data));
    // The bytes before hold flags, a time, and the beginning of a stored block with bits that nobody reads.
    for (int at = 11; at < whole.length; at += 97) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 0x10;
      assertThrows(BadInputException.class, () -> read(damaged), "bit flipped in byte " + at);
    }
    byte[] wrongSum = whole.clone();
    wrongSum[whole.length - 8] ^= 1;
    assertLine("the compressed data is corrupt", wrongSum);
  }

  @Test
  void aMissingFileIsOneLine() {
    Path missing = folder.resolve("train-images-idx3-ubyte");
    String line = assertThrows(BadInputException.class, () -> Idx.read(missing, arena)).getMessage();
    assertEquals("cannot read " + missing + ": there is no such file or folder", line);
  }

  private HostTensor read(int code, int count, byte... data) throws IOException {
    return read(IdxFiles.idx(code, new int[] {count}, data));
  }

  private HostTensor read(byte[] content) throws IOException {
    return Idx.read(Files.write(folder.resolve("file"), content), arena);
  }

  private static void assertValues(DType dtype, HostTensor tensor, double... values) {
    assertEquals(TensorType.of(dtype, values.length), tensor.type());
    for (int i = 0; i < values.length; i++) {
      assertEquals(values[i], tensor.get(i));
    }
  }

  private void assertLine(String expected, byte... content) {
    String line = assertThrows(BadInputException.class, () -> read(content)).getMessage();
    String file = folder.resolve("file").toString();
    assertTrue(line.startsWith(file + ": ") && line.contains(expected) && !line.contains("\n"), line);
  }
}
