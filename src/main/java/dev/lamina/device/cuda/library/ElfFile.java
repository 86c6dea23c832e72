package dev.lamina.device.cuda.library;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The tables of a shared object: 64-bit, little-endian, for x86-64, as in the "System V Application Binary Interface,
 * AMD64 Architecture Processor Supplement" and the generic part it extends.
 *
 * @param bytes the whole file
 * @param segments the program headers
 * @param sections the section headers; empty if they were stripped
 * @param dynamic the dynamic section up to its end mark
 * @param dynamicOffset where in the file it begins
 */
record ElfFile(
    ElfBytes bytes, List<Segment> segments, List<Section> sections, List<Dynamic> dynamic, long dynamicOffset) {
  static final int SECTION_DYNAMIC = 6;
  static final int SECTION_NO_BITS = 8;
  static final int SECTION_DYNAMIC_SYMBOLS = 11;

  private static final int HEADER = 64;
  private static final int SEGMENT_HEADER = 56;
  private static final int SECTION_HEADER = 64;
  private static final int DYNAMIC_ENTRY = 16;
  private static final int SEGMENT_LOAD = 1;
  private static final int SEGMENT_DYNAMIC = 2;

  /** From here on, e_shnum and e_phnum mean that the true number stands elsewhere. */
  private static final int EXTENDED_NUMBERS = 0xff00;

  /** One entry of the program headers; {@code fileSize} bytes at {@code offset} appear at {@code address}. */
  record Segment(int type, long offset, long address, long fileSize) {}

  /** One entry of the section headers. */
  record Section(int type, long address, long offset, long size, int link, long entrySize) {}

  /** One entry of the dynamic section. */
  record Dynamic(long tag, long value) {}

  /**
   * Reads the headers.
   *
   * @throws ElfException if the file is damaged or of another kind
   */
  static ElfFile read(ElfBytes bytes) {
    requireSharedObject(bytes);
    List<Segment> segments = segments(bytes);
    List<Section> sections = sections(bytes);
    List<Segment> tables = segments.stream().filter(segment -> segment.type == SEGMENT_DYNAMIC).toList();
    if (tables.size() != 1) {
      throw bytes.refuse("expected one dynamic section, found " + tables.size());
    }
    Segment table = tables.getFirst();
    return new ElfFile(bytes, segments, sections, dynamic(bytes, table), table.offset);
  }

  private static void requireSharedObject(ElfBytes bytes) {
    if (bytes.size() < HEADER || bytes.u32(0) != 0x464c457fL) {
      throw bytes.refuse("is not an ELF file");
    }
    int kind = bytes.u8(4);
    int order = bytes.u8(5);
    int type = bytes.u16(16);
    int machine = bytes.u16(18);
    if (kind != 2 || order != 1 || type != 3 || machine != 62) {
      throw bytes.refuse(
          "is not a 64-bit little-endian shared object for x86-64 (class %d, order %d, type %d, machine %d)"
              .formatted(kind, order, type, machine));
    }
    if (bytes.u8(6) != 1 || bytes.u32(20) != 1) {
      throw bytes.refuse("has an unknown version of the ELF format");
    }
  }

  private static List<Segment> segments(ElfBytes bytes) {
    long start = bytes.u63(32);
    int count = count(bytes, 54, SEGMENT_HEADER, 56, "program headers");
    bytes.checked(start, (long) count * SEGMENT_HEADER, "the table of program headers");
    List<Segment> segments = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      long at = start + (long) i * SEGMENT_HEADER;
      var segment = new Segment((int) bytes.u32(at), bytes.u63(at + 8), bytes.u63(at + 16), bytes.u63(at + 32));
      bytes.checked(segment.offset, segment.fileSize, "segment " + i);
      segments.add(segment);
    }
    return List.copyOf(segments);
  }

  private static List<Section> sections(ElfBytes bytes) {
    long start = bytes.u63(40);
    if (start == 0 && bytes.u16(60) == 0) {
      return List.of();
    }
    int count = count(bytes, 58, SECTION_HEADER, 60, "section headers");
    bytes.checked(start, (long) count * SECTION_HEADER, "the table of section headers");
    List<Section> sections = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      long at = start + (long) i * SECTION_HEADER;
      var section =
          new Section(
              (int) bytes.u32(at + 4),
              bytes.u63(at + 16),
              bytes.u63(at + 24),
              bytes.u63(at + 32),
              (int) bytes.u32(at + 40),
              bytes.u63(at + 56));
      if (section.type != 0 && section.type != SECTION_NO_BITS) {
        bytes.checked(section.offset, section.size, "section " + i);
      }
      sections.add(section);
    }
    return List.copyOf(sections);
  }

  /** The number of entries, after a look at how long one is. */
  private static int count(ElfBytes bytes, int lengthField, int length, int countField, String what) {
    int given = bytes.u16(lengthField);
    int count = bytes.u16(countField);
    if (given != length || count == 0 || count >= EXTENDED_NUMBERS) {
      throw bytes.refuse("has %d %s of %d bytes, expected some of %d".formatted(count, what, given, length));
    }
    return count;
  }

  private static List<Dynamic> dynamic(ElfBytes bytes, Segment table) {
    List<Dynamic> entries = new ArrayList<>();
    for (long at = table.offset; at + DYNAMIC_ENTRY <= table.offset + table.fileSize; at += DYNAMIC_ENTRY) {
      long tag = bytes.signed(at);
      if (tag == 0) {
        return List.copyOf(entries);
      }
      entries.add(new Dynamic(tag, bytes.signed(at + 8)));
    }
    throw bytes.refuse("its dynamic section has no end");
  }

  /**
   * The value of the one entry with this tag, or nothing.
   *
   * @throws ElfException if there are several
   */
  Optional<Long> value(long tag) {
    List<Long> values = values(tag);
    if (values.size() > 1) {
      throw bytes.refuse("has " + values.size() + " dynamic entries with tag " + tag + ", expected one");
    }
    return values.stream().findFirst();
  }

  /** The values of all entries with this tag, in their order. */
  List<Long> values(long tag) {
    return dynamic.stream().filter(entry -> entry.tag == tag).map(Dynamic::value).toList();
  }

  /** Where in the file the bytes lie that appear in memory at {@code address}. */
  long offset(long address, long length, String what) {
    for (Segment segment : segments) {
      long into = address - segment.address;
      if (segment.type == SEGMENT_LOAD
          && address >= segment.address
          && into <= segment.fileSize
          && length <= segment.fileSize - into) {
        return segment.offset + into;
      }
    }
    throw bytes.refuse(what + " at address 0x" + Long.toHexString(address) + " is not in the file");
  }
}
