package dev.lamina.device.cuda.library;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Relinked natives, read again by GNU readelf. */
class RelinkerTest {
  private static final String CUDNN = "libJCudnn-11.7.0-linux-x86_64.so";
  private static final String CUBLAS = "libJCublas2-12.6.0-linux-x86_64.so";

  @TempDir private Path folder;

  @ParameterizedTest
  @FieldSource("dev.lamina.device.cuda.library.ShippedNatives#FILES")
  void everyShippedNativeAsksForTheLibrariesItIsToldTo(String file) throws IOException, InterruptedException {
    Tools.require("readelf", "binutils");
    byte[] original = ShippedNatives.bytes(file);
    String before = readelf(original);
    for (Map<String, String> renames : ShippedNatives.RENAMES) {
      String expected = replaceAll(before, renames);
      assertEquals(expected, readelf(Relinker.relink(file, original, renames)), renames::toString);
    }
  }

  /** Else the test above would prove only that nothing happens. */
  @Test
  void someNativesDependOnTheNamesInQuestion() {
    assertEquals(List.of("libcudnn.so.8"), libraries(CUDNN, "libcudnn"));
    assertEquals(List.of("libcublas.so.12"), libraries(CUBLAS, "libcublas"));
    assertEquals(List.of("libcuda.so.1"), libraries("libJCudaDriver-12.6.0-linux-x86_64.so", "libcuda"));
  }

  @ParameterizedTest
  @FieldSource("dev.lamina.device.cuda.library.ShippedNatives#FILES")
  void namesThatStayLeaveEveryByteAsItWas(String file) {
    byte[] original = ShippedNatives.bytes(file);
    assertArrayEquals(original, Relinker.relink(file, original, ShippedNatives.renames("12", "8")));
    assertArrayEquals(original, Relinker.relink(file, original, Map.of("libabsent.so.1", "libabsent.so.2")));
  }

  @ParameterizedTest
  @FieldSource("dev.lamina.device.cuda.library.ShippedNatives#FILES")
  void thereAndBackIsTheOriginal(String file) {
    byte[] original = ShippedNatives.bytes(file);
    byte[] newer = Relinker.relink(file, original, ShippedNatives.renames("13", "9"));
    Map<String, String> back =
        Map.of(
            "libcublas.so.13", "libcublas.so.12",
            "libnvrtc.so.13", "libnvrtc.so.12",
            "libcudnn.so.9", "libcudnn.so.8");
    assertArrayEquals(original, Relinker.relink(file, newer, back));
  }

  @Test
  void onlyNamesAndHashesChange() {
    byte[] original = ShippedNatives.bytes(CUDNN);
    byte[] newer = Relinker.relink(CUDNN, original, ShippedNatives.renames("12", "9"));
    List<Integer> changed = new ArrayList<>();
    for (int i = 0; i < original.length; i++) {
      if (original[i] != newer[i]) {
        changed.add(i);
      }
    }
    // One digit of one string that the needed library, its file and its version share, and one byte of one hash.
    assertEquals(2, changed.size(), changed::toString);
    assertEquals('9', newer[changed.getFirst()]);
    assertEquals(original[changed.getLast()] + 1, newer[changed.getLast()]);
  }

  /** What linkers wrote into libraries that need these versions of the C library. */
  @Test
  void hashesAreThoseOfTheSystemVAbi() {
    assertEquals(0, Relinker.hash(""));
    assertEquals(0x61, Relinker.hash("a"));
    assertEquals(0x09691a75, Relinker.hash("GLIBC_2.2.5"));
    assertEquals(0x06969195, Relinker.hash("GLIBC_2.15"));
  }

  @Test
  void aStringThatSharesItsEndIsNotChangedAlongWithIt() {
    byte[] shared = ShippedNatives.bytes(CUBLAS);
    SharedObject object = SharedObject.of(CUBLAS, MemorySegment.ofArray(shared));
    long soname =
        object.names().stream()
            .filter(name -> name.kind() == SharedObject.Kind.NEEDED && name.text().equals("libcublas.so.12"))
            .findFirst()
            .orElseThrow()
            .offset();
    setDynamic(shared, object, 29, soname - object.strings() + 3);
    assertTrue(
        SharedObject.of(CUBLAS, MemorySegment.ofArray(shared)).names().stream()
            .anyMatch(name -> name.text().equals("cublas.so.12")));
    var refusal =
        assertThrows(
            ElfException.class, () -> Relinker.relink(CUBLAS, shared, Map.of("libcublas.so.12", "libcublas.so.13")));
    assertEquals(
        CUBLAS + ": renaming libraries would make 'cublas.so.13' of 'cublas.so.12', which shares their bytes",
        refusal.getMessage());
  }

  @Test
  void aSymbolThatSharesItsEndIsNotChangedAlongWithIt() {
    byte[] shared = ShippedNatives.bytes(CUBLAS);
    SharedObject object = SharedObject.of(CUBLAS, MemorySegment.ofArray(shared));
    long needed =
        object.names().stream()
            .filter(name -> name.text().equals("libcublas.so.12"))
            .findFirst()
            .orElseThrow()
            .offset();
    int symbols = Math.toIntExact(object.file().value(SharedObject.SYMBOL_TABLE).orElseThrow());
    little(shared).putInt(symbols + 24 * 7, Math.toIntExact(needed - object.strings() + 13));
    var refusal =
        assertThrows(
            ElfException.class, () -> Relinker.relink(CUBLAS, shared, Map.of("libcublas.so.12", "libcublas.so.13")));
    assertTrue(refusal.getMessage().contains("'13' of '12'"), refusal.getMessage());
  }

  @Test
  void aWrongHashIsAnUnknownLayout() {
    byte[] broken = ShippedNatives.bytes(CUDNN);
    SharedObject object = SharedObject.of(CUDNN, MemorySegment.ofArray(broken));
    SharedObject.Name version =
        object.names().stream().filter(name -> name.hashOffset() >= 0).findFirst().orElseThrow();
    broken[Math.toIntExact(version.hashOffset())]++;
    var refusal = assertThrows(ElfException.class, () -> Relinker.relink(CUDNN, broken, Map.of()));
    assertTrue(refusal.getMessage().contains("the hash of version '" + version.text() + "'"), refusal.getMessage());
  }

  @Test
  void headersThatDisagreeAreAnUnknownLayout() {
    byte[] broken = ShippedNatives.bytes(CUDNN);
    SharedObject object = SharedObject.of(CUDNN, MemorySegment.ofArray(broken));
    setDynamic(broken, object, 10, object.stringsEnd() - object.strings() + 1);
    var refusal = assertThrows(ElfException.class, () -> Relinker.relink(CUDNN, broken, Map.of()));
    assertTrue(refusal.getMessage().contains("two opinions about its size of the string table"), refusal.getMessage());
  }

  @Test
  void namesOfAnotherLengthAreRefused() {
    byte[] original = ShippedNatives.bytes(CUDNN);
    assertThrows(
        IllegalArgumentException.class,
        () -> Relinker.relink(CUDNN, original, Map.of("libcudnn.so.8", "libcudnn.so.10")));
    assertThrows(
        IllegalArgumentException.class,
        () -> Relinker.relink(CUDNN, original, Map.of("libcudnn.so.8", "libcudnn.so.é")));
  }

  private static List<String> libraries(String file, String prefix) {
    SharedObject object = SharedObject.of(file, MemorySegment.ofArray(ShippedNatives.bytes(file)));
    assertEquals(file, object.soname().orElseThrow());
    assertFalse(object.needed().isEmpty());
    return object.needed().stream().filter(name -> name.startsWith(prefix)).toList();
  }

  private static void setDynamic(byte[] file, SharedObject object, long tag, long value) {
    int index = object.file().dynamic().stream().map(ElfFile.Dynamic::tag).toList().indexOf(tag);
    little(file).putLong(Math.toIntExact(object.file().dynamicOffset()) + 16 * index + 8, value);
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Headers, dynamic section, versions and symbols as text; blanks and the widths of columns do not matter. */
  private String readelf(byte[] library) throws IOException, InterruptedException {
    Files.write(folder.resolve("library.so"), library);
    String text =
        Tools.run(folder, List.of("readelf", "--wide", "-h", "-S", "-l", "-d", "-V", "--dyn-syms", "library.so"));
    assertFalse(text.contains("readelf: "), text);
    return text.replaceAll("[ \\t]+", " ");
  }

  private static String replaceAll(String text, Map<String, String> renames) {
    Matcher matcher =
        Pattern.compile(String.join("|", renames.keySet().stream().map(Pattern::quote).toList())).matcher(text);
    return matcher.replaceAll(found -> Matcher.quoteReplacement(renames.get(found.group())));
  }
}
