package dev.lamina.io;

import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Reads and writes safetensors, the public file format for named tensors: the header's length as a little-endian 64-bit
 * number, a JSON header, and the raw little-endian data. Files from here are read by the format's own libraries, and
 * theirs here, as long as the types are among {@link dev.lamina.tensor.DType}.
 */
public final class Safetensors {
  private static final int LENGTH_BYTES = Long.BYTES;

  /** The data begins at a multiple of this, so that a mapped file has aligned tensors. */
  private static final int ALIGNMENT = 64;

  /** The limit of the reference implementation. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  /** A byte buffer ends below 2 GiB; larger tensors are read and written in pieces. */
  private static final long PIECE_BYTES = 1 << 30;

  private Safetensors() {}

  /**
   * Writes tensors to {@code file}, all or nothing (see {@link AtomicFile}).
   *
   * @param tensors by name; reading gives them back in this order
   * @param metadata free text by key; may be empty
   * @throws BadInputException if the file cannot be written
   * @throws IllegalArgumentException if a tensor has the reserved name {@code __metadata__}
   */
  public static void write(Path file, SequencedMap<String, HostTensor> tensors, Map<String, String> metadata) {
    if (tensors.containsKey(SafetensorsHeader.METADATA)) {
      throw new IllegalArgumentException(
          "a tensor cannot be called " + SafetensorsHeader.METADATA + ": the format reserves the name");
    }
    SequencedMap<String, TensorType> types = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> types.put(name, tensor.type()));
    SafetensorsHeader header = SafetensorsHeader.layOut(types, metadata);
    AtomicFile.write(
        file,
        channel -> {
          byte[] json = header.toJson();
          int padded = Math.ceilDiv(LENGTH_BYTES + json.length, ALIGNMENT) * ALIGNMENT;
          byte[] start = Arrays.copyOf(json, padded - LENGTH_BYTES);
          Arrays.fill(start, json.length, start.length, (byte) ' ');
          AtomicFile.writeFully(channel, littleEndian(start.length));
          AtomicFile.writeFully(channel, ByteBuffer.wrap(start));
          for (Map.Entry<String, SafetensorsHeader.Entry> named : header.inFileOrder()) {
            writeData(channel, tensors.get(named.getKey()).segment());
          }
        });
  }

  /**
   * Reads all tensors of {@code file} into {@code arena}.
   *
   * @throws BadInputException if the file cannot be read or breaks the format's rules in any way
   */
  public static SafetensorsFile read(Path file, Arena arena) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      SafetensorsHeader header = readHeader(file.toString(), channel);
      SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
      header.entries().forEach((name, entry) -> tensors.put(name, HostTensor.allocate(arena, entry.type())));
      for (Map.Entry<String, SafetensorsHeader.Entry> named : header.inFileOrder()) {
        if (!readData(channel, tensors.get(named.getKey()).segment())) {
          throw new BadInputException(
              file + ": the file became shorter while it was read, in tensor '" + named.getKey() + "'; try again");
        }
      }
      return new SafetensorsFile(tensors, header.metadata());
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  /** The checked header; the channel is left at the first byte of the data. */
  private static SafetensorsHeader readHeader(String file, FileChannel channel) throws IOException {
    long size = channel.size();
    ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    if (!readFully(channel, length)) {
      throw new BadInputException(file + ": " + size + " bytes are too few for a safetensors file; is it truncated?");
    }
    long headerBytes = length.getLong(0);
    if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES) {
      throw new BadInputException(
          file
              + ": is no safetensors file: its header would be "
              + Long.toUnsignedString(headerBytes)
              + " bytes long, allowed are 2 to "
              + MAX_HEADER_BYTES);
    }
    if (headerBytes > size - LENGTH_BYTES) {
      throw new BadInputException(
          file
              + ": the header should be "
              + headerBytes
              + " bytes long, but only "
              + (size - LENGTH_BYTES)
              + " are there; the file is truncated, copy it again");
    }
    byte[] json = new byte[(int) headerBytes];
    readFully(channel, ByteBuffer.wrap(json));
    SafetensorsHeader header = SafetensorsHeader.parse(file, json);
    header.requireGapless(file, size - LENGTH_BYTES - headerBytes);
    return header;
  }

  private static ByteBuffer littleEndian(long value) {
    return ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value);
  }

  private static void writeData(FileChannel channel, MemorySegment data) throws IOException {
    for (long at = 0; at < data.byteSize(); at += PIECE_BYTES) {
      AtomicFile.writeFully(channel, data.asSlice(at, Math.min(PIECE_BYTES, data.byteSize() - at)).asByteBuffer());
    }
  }

  private static boolean readData(FileChannel channel, MemorySegment data) throws IOException {
    for (long at = 0; at < data.byteSize(); at += PIECE_BYTES) {
      if (!readFully(channel, data.asSlice(at, Math.min(PIECE_BYTES, data.byteSize() - at)).asByteBuffer())) {
        return false;
      }
    }
    return true;
  }

  private static boolean readFully(FileChannel channel, ByteBuffer target) throws IOException {
    while (target.hasRemaining()) {
      if (channel.read(target) < 0) {
        return false;
      }
    }
    return true;
  }
}
