package dev.lamina.device.cuda.library;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a shared object is called, what it wants, and which names that are, read from its dynamic section (tags and
 * tables as in the Linux Standard Base, "Symbol Versioning").
 */
final class SharedObject {
  static final long STRING_TABLE = 5;
  static final long SYMBOL_TABLE = 6;
  static final long VERSIONS_NEEDED = 0x6ffffffeL;

  private static final long NEEDED = 1;
  private static final long STRING_TABLE_SIZE = 10;
  private static final long SONAME = 14;
  private static final long VERSIONS_NEEDED_COUNT = 0x6fffffffL;
  private static final long VERSIONS_DEFINED = 0x6ffffffcL;
  private static final long VERSIONS_DEFINED_COUNT = 0x6ffffffdL;

  /** Search paths, and the names of filters and auditors: they too are strings of the same table. */
  private static final List<Long> OTHER_STRINGS =
      List.of(15L, 29L, 0x6ffffefbL, 0x6ffffefcL, 0x7ffffffdL, 0x7fffffffL, 0x6ffffefaL);

  private static final int NEED_SIZE = 16;
  private static final int DEFINITION_SIZE = 20;

  /** Far more than any library has; tables of a damaged file could claim anything. */
  private static final int MOST_NAMES = 1 << 14;

  /** Who refers to a string. */
  enum Kind {
    NEEDED,
    SONAME,
    NEEDED_FILE,
    NEEDED_VERSION,
    DEFINED_VERSION,
    OTHER
  }

  /**
   * A reference to a string.
   *
   * @param offset of the string in the file
   * @param hashOffset where the hash of the string stands, for a version; else -1
   */
  record Name(Kind kind, String text, long offset, long hashOffset) {}

  private final ElfFile file;
  private final long strings;
  private final long stringsEnd;
  private final List<Name> names = new ArrayList<>();

  private SharedObject(ElfFile file) {
    this.file = file;
    long address = required(STRING_TABLE, "string table");
    long size = required(STRING_TABLE_SIZE, "size of its string table");
    file.bytes().checked(0, size, "a string table");
    this.strings = file.offset(address, size, "the string table");
    this.stringsEnd = strings + size;
    for (ElfFile.Dynamic entry : file.dynamic()) {
      Kind kind = entry.tag() == NEEDED ? Kind.NEEDED : entry.tag() == SONAME ? Kind.SONAME : Kind.OTHER;
      if (kind != Kind.OTHER || OTHER_STRINGS.contains(entry.tag())) {
        add(kind, entry.value(), -1);
      }
    }
    readVersionsNeeded();
    readVersionsDefined();
  }

  /**
   * Reads a file's names.
   *
   * @throws ElfException if it is damaged, or no shared object for x86-64
   */
  static SharedObject of(String name, MemorySegment bytes) {
    return new SharedObject(ElfFile.read(new ElfBytes(name, bytes)));
  }

  /**
   * Reads the names of a library on disk, of which only the pages with tables are touched.
   *
   * @throws ElfException as {@link #of}, and if the file cannot be read
   */
  static SharedObject read(Path path) {
    try (Arena arena = Arena.ofConfined();
        FileChannel channel = FileChannel.open(path)) {
      return of(path.toString(), channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
    } catch (java.io.IOException e) {
      throw new ElfException(path.toString(), "cannot be read: " + e.getMessage());
    }
  }

  ElfFile file() {
    return file;
  }

  /** Where the string table begins in the file. */
  long strings() {
    return strings;
  }

  /** The first byte behind the string table. */
  long stringsEnd() {
    return stringsEnd;
  }

  /** Every reference to a string, but those of symbols, in the order of the tables. */
  List<Name> names() {
    return List.copyOf(names);
  }

  /** The name by which other libraries ask for it. */
  Optional<String> soname() {
    return texts(Kind.SONAME).stream().findFirst();
  }

  /** The names of the libraries that are loaded with it. */
  List<String> needed() {
    return texts(Kind.NEEDED);
  }

  /** The versions of symbols that it has. */
  List<String> versionsDefined() {
    return texts(Kind.DEFINED_VERSION);
  }

  private List<String> texts(Kind kind) {
    return names.stream().filter(name -> name.kind == kind).map(Name::text).toList();
  }

  private long required(long tag, String what) {
    return file.value(tag).orElseThrow(() -> file.bytes().refuse("does not say where to find the " + what));
  }

  private void add(Kind kind, long index, long hashOffset) {
    if (index < 0 || index >= stringsEnd - strings) {
      throw file.bytes().refuse("refers to byte " + index + " of a string table of " + (stringsEnd - strings));
    }
    if (names.size() == MOST_NAMES) {
      throw file.bytes().refuse("has more than " + MOST_NAMES + " names in its dynamic section");
    }
    long offset = strings + index;
    names.add(new Name(kind, file.bytes().string(offset, stringsEnd), offset, hashOffset));
  }

  /** A list of {@code Verneed}, one for each file, each with a list of {@code Vernaux}, one for each version. */
  private void readVersionsNeeded() {
    Optional<Long> address = file.value(VERSIONS_NEEDED);
    if (address.isEmpty()) {
      return;
    }
    ElfBytes bytes = file.bytes();
    long at = file.offset(address.get(), NEED_SIZE, "the table of needed versions");
    long count = required(VERSIONS_NEEDED_COUNT, "number of needed versions");
    for (long i = 0; i < count; i++) {
      requireVersion(at, "needed");
      int versions = bytes.u16(at + 2);
      add(Kind.NEEDED_FILE, bytes.u32(at + 4), -1);
      long entry = at + bytes.u32(at + 8);
      for (int j = 0; j < versions; j++) {
        add(Kind.NEEDED_VERSION, bytes.u32(entry + 8), entry);
        entry = next(entry, bytes.u32(entry + 12), NEED_SIZE, j + 1 < versions);
      }
      at = next(at, bytes.u32(at + 12), NEED_SIZE, i + 1 < count);
    }
  }

  /** A list of {@code Verdef}, each with a list of {@code Verdaux}: its own name first, then those it extends. */
  private void readVersionsDefined() {
    Optional<Long> address = file.value(VERSIONS_DEFINED);
    if (address.isEmpty()) {
      return;
    }
    ElfBytes bytes = file.bytes();
    long at = file.offset(address.get(), DEFINITION_SIZE, "the table of defined versions");
    long count = required(VERSIONS_DEFINED_COUNT, "number of defined versions");
    for (long i = 0; i < count; i++) {
      requireVersion(at, "defined");
      long entry = at + bytes.u32(at + 12);
      add(Kind.DEFINED_VERSION, bytes.u32(entry), at + 8);
      at = next(at, bytes.u32(at + 16), DEFINITION_SIZE, i + 1 < count);
    }
  }

  private void requireVersion(long at, String what) {
    if (file.bytes().u16(at) != 1) {
      throw file.bytes().refuse("its table of " + what + " versions has an unknown layout");
    }
  }

  /** Forward only, and past the entry itself: no chain can be endless. */
  private long next(long at, long step, int size, boolean wanted) {
    if (wanted && step < size) {
      throw file.bytes().refuse("a table of versions ends, or turns back, at byte " + at);
    }
    return at + step;
  }
}
