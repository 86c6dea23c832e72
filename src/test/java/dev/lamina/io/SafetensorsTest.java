package dev.lamina.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
  private final Arena arena = Arena.ofShared();
  @TempDir Path folder;

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void whatIsWrittenComesBackBitForBitInTheSameOrder() {
    SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
    Random random = new Random(1);
    for (DType dtype : DType.values()) {
      for (int[] dims : new int[][] {{3, 5}, {}, {0, 4}, {7}}) {
        HostTensor tensor = HostTensor.allocate(arena, TensorType.of(dtype, dims));
        byte[] bits = new byte[(int) tensor.type().bytes()];
        random.nextBytes(bits);
        tensor.segment().copyFrom(MemorySegment.ofArray(bits));
        tensors.put("layer \"" + dtype + "\"/ü." + dims.length + "." + tensor.size(), tensor);
      }
    }
    Map<String, String> metadata = Map.of("format", "pt", "note", "two\nlines, \"quoted\", ü");
    Path file = folder.resolve("all.safetensors");
    Safetensors.write(file, tensors, metadata);
    SafetensorsFile read = Safetensors.read(file, arena);
    assertEquals(metadata, read.metadata());
    assertEquals(List.copyOf(tensors.keySet()), List.copyOf(read.tensors().keySet()));
    read.tensors()
        .forEach((name, tensor) -> {
          assertEquals(tensors.get(name).type(), tensor.type());
          assertEquals(-1, tensors.get(name).segment().mismatch(tensor.segment()), name);
        });
  }

  @Test
  void aFileWithoutTensorsIsAFileToo() {
    Path file = folder.resolve("empty.safetensors");
    Safetensors.write(file, new LinkedHashMap<>(), Map.of());
    assertEquals(Map.of(), Safetensors.read(file, arena).tensors());
  }

  @Test
  void theBytesAreThoseOfThePublicFormat() throws IOException {
    SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
    tensors.put("mask", HostTensor.allocate(arena, TensorType.of(DType.U8, 3)).fill(7));
    tensors.put("weight", HostTensor.of(arena, Shape.of(1, 2), 1f, -2f));
    Path file = folder.resolve("model.safetensors");
    Safetensors.write(file, tensors, Map.of("k", "v"));

    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int length = (int) bytes.getLong();
    assertEquals(0, (8 + length) % 64, "the data is aligned");
    String header = new String(bytes.array(), 8, length, StandardCharsets.UTF_8);
    assertEquals(
        "{\"__metadata__\":{\"k\":\"v\"},\"mask\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]},"
            + "\"weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}",
        header.stripTrailing());
    bytes.position(8 + length);
    assertEquals(1f, bytes.getFloat());
    assertEquals(-2f, bytes.getFloat());
    assertEquals(0x070707, bytes.getShort() | bytes.get() << 16);
    assertEquals(0, bytes.remaining(), "nothing follows");
  }

  @Test
  void aHandMadeFileOfAnotherWriterIsRead() throws IOException {
    Path file =
        write(
            """
            {"b":{"shape":[2],"data_offsets":[1,9],"dtype":"I32"},"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}\
            """,
            new byte[] {(byte) 200, 1, 0, 0, 0, -1, -1, -1, -1});
    SafetensorsFile read = Safetensors.read(file, arena);
    assertEquals(200, read.tensors().get("a").get(0));
    assertEquals(1, read.tensors().get("b").get(0));
    assertEquals(-1, read.tensors().get("b").get(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}                  | not valid safetensors JSON",
        "['a']                                                                 | the header should be START_OBJECT",
        "{'a':3}                                                               | 'a' should be START_OBJECT",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} x              | not valid safetensors JSON",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} {}             | more text after the header",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} |"
            + " Duplicate",
        "{'__metadata__':{'k':'1','k':'2'}}                                    | Duplicate",
        "{'__metadata__':{'k':1}}                                              | __metadata__ 'k' should be"
            + " VALUE_STRING",
        "{'a':{'dtype':'I64','shape':[1],'data_offsets':[0,8]}}                | tensor 'a' has the type I64, known are"
            + " [F32,",
        "{'a':{'dtype':7,'shape':[1],'data_offsets':[0,8]}}                    | 'dtype' of tensor 'a' should be"
            + " VALUE_STRING",
        "{'a':{'dtype':'F32','shape':[1.5],'data_offsets':[0,8]}}              | 'shape' of tensor 'a' should be"
            + " VALUE_NUMBER_INT",
        "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}}               | impossible shape [-2]",
        "{'a':{'dtype':'F32','shape':[4294967298],'data_offsets':[0,8]}}       | impossible shape [4294967298]",
        "{'a':{'dtype':'F32','shape':[2147483647,2147483647,2147483647],'data_offsets':[0,8]}} | impossible shape",
        "{'a':{'dtype':'F64','shape':[2147483647,2147483647],'data_offsets':[0,8]}} | impossible shape",
        "{'a':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,8]}} | not valid safetensors JSON",
        "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}}                | F32[3], which is 12 bytes, but its"
            + " data_offsets are [0, 8]",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}}                | but its data_offsets are [8, 0]",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[-8,0]}}               | but its data_offsets are [-8, 0]",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,16]}}             | needs dtype, shape and two"
            + " data_offsets",
        "{'a':{'dtype':'F32','data_offsets':[0,8]}}                            | needs dtype, shape and two"
            + " data_offsets",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'order':'C'}}    | unknown key 'order' of tensor 'a'",
        "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,12]}}               | ends at byte 12 of the data, but only"
            + " 8 bytes are there",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}                | 4 bytes after the last tensor belong"
            + " to none",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}                | tensor 'a' leaves a hole after the"
            + " header",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'b':{'dtype':'U8','shape':[3],'data_offsets':[5,8]}} |"
            + " 'b' leaves a hole after tensor 'a'",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} |"
            + " 'b' overlaps tensor 'a'",
      })
  void everyBrokenHeaderIsOneLineThatNamesFileAndTrouble(String header, String expected) throws IOException {
    assertLine(write(header.replace('\'', '"'), new byte[8]), expected);
  }

  @Test
  void everyTruncationIsNoticed() throws IOException {
    SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
    tensors.put("weight", HostTensor.of(arena, Shape.of(2, 2), 1, 2, 3, 4));
    Path file = folder.resolve("model.safetensors");
    Safetensors.write(file, tensors, Map.of());
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertLine(file, "truncated");
    }
    Files.write(file, Arrays.copyOf(whole, whole.length + 1));
    assertLine(file, "1 bytes after the last tensor belong to none");
  }

  @Test
  void aFileOfAnotherKindIsRecognisedByItsAbsurdHeaderLength() throws IOException {
    assertLine(Files.writeString(folder.resolve("picture.png"), "\211PNG\r\n\032\n and more"), "no safetensors file");
    assertLine(
        Files.write(folder.resolve("minus"), new byte[] {-1, -1, -1, -1, -1, -1, -1, -1}),
        "18446744073709551615 bytes long");
    assertLine(Files.write(folder.resolve("zeros"), new byte[100]), "no safetensors file");
  }

  @Test
  void invalidUtf8InTheHeaderIsAnError() throws IOException {
    Path file = write("{\"?\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", new byte[8]);
    byte[] bytes = Files.readAllBytes(file);
    bytes[10] = (byte) 0xff;
    Files.write(file, bytes);
    assertLine(file, "not valid safetensors JSON");
  }

  @Test
  void aMissingFileIsOneLine() {
    Path file = folder.resolve("missing.safetensors");
    assertLine(file, "there is no such file or folder");
  }

  @Test
  void theReservedNameIsRefused() {
    SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
    tensors.put("__metadata__", HostTensor.allocate(arena, TensorType.f32(1)));
    assertThrows(IllegalArgumentException.class, () -> Safetensors.write(folder.resolve("x"), tensors, Map.of()));
  }

  private Path write(String header, byte[] data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json).put(data);
    return Files.write(folder.resolve("hand-made.safetensors"), bytes.array());
  }

  private void assertLine(Path file, String expected) {
    String line = assertThrows(BadInputException.class, () -> Safetensors.read(file, arena)).getMessage();
    assertTrue(line.contains(file.toString()) && line.contains(expected) && !line.contains("\n"), line);
  }
}
