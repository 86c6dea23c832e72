package dev.lamina.device.cuda.library;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes a shared object ask for other libraries than it was linked with: the names of needed libraries, of needed
 * versions and its own are replaced by names of the same length, and the hashes of versions with them. Nothing moves.
 *
 * <p>Linkers let strings share their bytes, whole or at their ends. So the result is read again, and refused unless
 * every string of the table reads as it did or as it was wished.
 */
final class Relinker {
  private static final Set<SharedObject.Kind> RENAMED =
      EnumSet.of(
          SharedObject.Kind.NEEDED,
          SharedObject.Kind.SONAME,
          SharedObject.Kind.NEEDED_FILE,
          SharedObject.Kind.NEEDED_VERSION);

  private static final int SYMBOL_SIZE = 24;

  private Relinker() {}

  /**
   * The library with other names.
   *
   * @param file what messages call it
   * @param original the library, which is not changed
   * @param renames new names by old ones; names that the library does not use are passed over
   * @throws ElfException if the library's layout is not known, or a name shares its bytes with another string
   * @throws IllegalArgumentException if a new name has another length than the old one
   */
  static byte[] relink(String file, byte[] original, Map<String, String> renames) {
    renames.forEach(Relinker::requireSameLength);
    SharedObject before = SharedObject.of(file, MemorySegment.ofArray(original));
    requireKnownLayout(before);
    ByteBuffer changed = ByteBuffer.wrap(original.clone()).order(ByteOrder.LITTLE_ENDIAN);
    for (SharedObject.Name name : before.names()) {
      requireHash(before, name);
      if (isRenamed(name, renames)) {
        String text = renames.get(name.text());
        changed.put(Math.toIntExact(name.offset()), text.getBytes(StandardCharsets.US_ASCII));
        if (name.kind() == SharedObject.Kind.NEEDED_VERSION) {
          changed.putInt(Math.toIntExact(name.hashOffset()), (int) hash(text));
        }
      }
    }
    SharedObject after = SharedObject.of(file, MemorySegment.ofArray(changed.array()));
    verify(before, after, renames);
    return changed.array();
  }

  /** The hash of the System V ABI for names of symbols and versions, as an unsigned number of 32 bits. */
  static long hash(String name) {
    long hash = 0;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash << 4) + name.charAt(i);
      hash ^= (hash & 0xf0000000L) >>> 24;
      hash &= 0x0fffffff;
    }
    return hash;
  }

  private static void requireSameLength(String from, String to) {
    if (from.length() != to.length()
        || from.isEmpty()
        || !StandardCharsets.US_ASCII.newEncoder().canEncode(to)
        || to.indexOf(0) >= 0) {
      throw new IllegalArgumentException("cannot rename '" + from + "' to '" + to + "': the lengths differ");
    }
  }

  private static boolean isRenamed(SharedObject.Name name, Map<String, String> renames) {
    return RENAMED.contains(name.kind()) && renames.containsKey(name.text());
  }

  private static void requireHash(SharedObject object, SharedObject.Name name) {
    ElfBytes bytes = object.file().bytes();
    if (name.hashOffset() >= 0 && bytes.u32(name.hashOffset()) != hash(name.text())) {
      throw bytes.refuse("the hash of version '" + name.text() + "' is not that of its name");
    }
  }

  private static void verify(SharedObject before, SharedObject after, Map<String, String> renames) {
    ElfBytes bytes = before.file().bytes();
    for (int i = 0; i < before.names().size(); i++) {
      SharedObject.Name name = before.names().get(i);
      String expected = isRenamed(name, renames) ? renames.get(name.text()) : name.text();
      String found = after.names().get(i).text();
      if (!found.equals(expected)) {
        throw sharing(bytes, name.text(), found);
      }
      requireHash(after, after.names().get(i));
    }
    List<String> symbols = symbols(before);
    List<String> symbolsAfter = symbols(after);
    for (int i = 0; i < symbols.size(); i++) {
      if (!symbols.get(i).equals(symbolsAfter.get(i))) {
        throw sharing(bytes, symbols.get(i), symbolsAfter.get(i));
      }
    }
  }

  private static ElfException sharing(ElfBytes bytes, String text, String found) {
    return bytes.refuse("renaming libraries would make '" + found + "' of '" + text + "', which shares their bytes");
  }

  private static List<String> symbols(SharedObject object) {
    ElfFile.Section table = section(object.file(), ElfFile.SECTION_DYNAMIC_SYMBOLS, "dynamic symbols");
    ElfBytes bytes = object.file().bytes();
    List<String> names = new ArrayList<>();
    for (long at = table.offset(); at < table.offset() + table.size(); at += SYMBOL_SIZE) {
      long index = bytes.u32(at);
      if (index >= object.stringsEnd() - object.strings()) {
        throw bytes.refuse("the name of the symbol at byte " + at + " is outside the string table");
      }
      names.add(bytes.string(object.strings() + index, object.stringsEnd()));
    }
    return names;
  }

  /** The section headers, which the dynamic linker never looks at, must say the same as what it does look at. */
  private static void requireKnownLayout(SharedObject object) {
    ElfFile file = object.file();
    ElfFile.Section dynamic = section(file, ElfFile.SECTION_DYNAMIC, "dynamic entries");
    requireEqual(file, dynamic.offset(), file.dynamicOffset(), "dynamic section");
    if (dynamic.link() <= 0 || dynamic.link() >= file.sections().size()) {
      throw file.bytes().refuse("its dynamic section has no string table");
    }
    ElfFile.Section strings = file.sections().get(dynamic.link());
    requireEqual(file, strings.offset(), object.strings(), "string table");
    requireEqual(file, strings.size(), object.stringsEnd() - object.strings(), "size of the string table");
    ElfFile.Section symbols = section(file, ElfFile.SECTION_DYNAMIC_SYMBOLS, "dynamic symbols");
    requireEqual(file, symbols.entrySize(), SYMBOL_SIZE, "size of a symbol");
    requireEqual(file, symbols.size() % SYMBOL_SIZE, 0, "remainder of the symbol table");
    requireEqual(file, symbols.offset(), offset(file, SharedObject.SYMBOL_TABLE), "symbol table");
    if (file.value(SharedObject.VERSIONS_NEEDED).isPresent()) {
      ElfFile.Section versions = section(file, (int) SharedObject.VERSIONS_NEEDED, "needed versions");
      requireEqual(file, versions.offset(), offset(file, SharedObject.VERSIONS_NEEDED), "table of needed versions");
    }
  }

  private static long offset(ElfFile file, long tag) {
    return file.offset(file.value(tag).orElse(-1L), 1, "a table");
  }

  private static ElfFile.Section section(ElfFile file, int type, String what) {
    List<ElfFile.Section> found = file.sections().stream().filter(section -> section.type() == type).toList();
    if (found.size() != 1) {
      throw file.bytes().refuse("expected one section of " + what + ", found " + found.size());
    }
    return found.getFirst();
  }

  private static void requireEqual(ElfFile file, long section, long dynamic, String what) {
    if (section != dynamic) {
      throw file.bytes()
          .refuse("has two opinions about its " + what + ": " + section + " by section, " + dynamic + " by segment");
    }
  }
}
