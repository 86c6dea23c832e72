package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Reads IDX, the file format of MNIST and its relatives, plain or compressed with gzip (told apart by content). */
public final class Idx {
  /** What is decoded at a time: fits in L2 between inflating it and copying it on; a multiple of every element. */
  private static final int CHUNK_BYTES = 1 << 17;

  private static final int COMPRESSED_CHUNK_BYTES = 1 << 16;

  /** Deflate makes at most 258 bytes of two bits. */
  private static final long MAX_GZIP_RATIO = 1032;

  /** How IDX begins: their element and rank follow. */
  private static final byte[] PLAIN = {0, 0};

  private static final byte[] GZIP = {0x1f, (byte) 0x8b};

  private Idx() {}

  /**
   * Reads {@code file} into {@code arena}: unsigned bytes as U8, signed integers as I32, floats as F32 or F64.
   *
   * @throws BadInputException if it cannot be read, is no IDX file, or is shorter or longer than its header says
   */
  public static HostTensor read(Path file, Arena arena) {
    try (InputStream in = Files.newInputStream(file)) {
      return read(file.toString(), in, Files.size(file), arena);
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  /**
   * Reads an IDX file from a stream.
   *
   * @param file how messages call it
   * @param raw the file's bytes, compressed or not
   * @param fileBytes the file's length: an absurd header is noticed before memory is asked for
   * @throws BadInputException if it is no IDX file, or is shorter or longer than its header says
   */
  static HostTensor read(String file, InputStream raw, long fileBytes, Arena arena) {
    return reading(
        file,
        raw,
        (in, gzip) -> {
          IdxHeader header = IdxHeader.read(file, in);
          requireLength(file, header, gzip, fileBytes);
          HostTensor tensor = HostTensor.allocate(arena, header.type());
          byte[] chunk = new byte[CHUNK_BYTES];
          long elements = header.shape().size();
          int perChunk = CHUNK_BYTES / header.element().bytes();
          for (long at = 0; at < elements; at += perChunk) {
            int count = (int) Math.min(perChunk, elements - at);
            int wanted = count * header.element().bytes();
            int got = in.readNBytes(chunk, 0, wanted);
            if (got < wanted) {
              throw truncated(file, header, at * header.element().bytes() + got);
            }
            store(header.element(), chunk, count, tensor, at);
          }
          if (in.read() >= 0) {
            throw new BadInputException(
                file
                    + ": goes on after the "
                    + header.dataBytes()
                    + " bytes of data that its header "
                    + header.shape()
                    + " announces; the file is corrupt");
          }
          return tensor;
        });
  }

  /**
   * The header alone, with the length checked as far as it can be without decoding.
   *
   * @throws BadInputException if it cannot be read or is no IDX file
   */
  static IdxHeader header(Path file) {
    try (InputStream raw = Files.newInputStream(file)) {
      long fileBytes = Files.size(file);
      return reading(
          file.toString(),
          raw,
          (in, gzip) -> {
            IdxHeader header = IdxHeader.read(file.toString(), in);
            requireLength(file.toString(), header, gzip, fileBytes);
            return header;
          });
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  /** Whether {@code file} begins as IDX files do, compressed or not; no picture does. */
  public static boolean isLikely(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] magic = in.readNBytes(2);
      return Arrays.equals(magic, PLAIN) || Arrays.equals(magic, GZIP);
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  /**
   * The examples of a file [n, …], over one piece of memory; grey images may be without their channel.
   *
   * @param example what each must be
   * @throws BadInputException if they are something else
   */
  public static List<HostTensor> examples(Path file, TensorType example, Arena arena) {
    HostTensor all = read(file, arena);
    if (all.shape().rank() == 3 && example.shape().rank() == 3) {
      all = Mnist.withChannel(all);
    }
    int[] dims = all.shape().dims();
    int[] own = Arrays.copyOfRange(dims, Math.min(1, dims.length), dims.length);
    TensorType actual = TensorType.of(all.type().dtype(), own);
    if (dims.length == 0 || !actual.equals(example)) {
      throw new BadInputException(file + ": holds " + all.type() + ", expected [n] inputs " + example);
    }
    HostTensor inputs = all;
    return IntStream.range(0, dims[0])
        .mapToObj(i -> HostTensor.over(inputs.segment().asSlice(i * example.bytes(), example.bytes()), example))
        .toList();
  }

  /** What is done with the uncompressed bytes. */
  private interface Reading<T> {
    T from(InputStream in, boolean gzip) throws IOException;
  }

  private static <T> T reading(String file, InputStream raw, Reading<T> reading) {
    BufferedInputStream in = new BufferedInputStream(raw, COMPRESSED_CHUNK_BYTES);
    try {
      in.mark(2);
      boolean gzip = Arrays.equals(in.readNBytes(2), GZIP);
      in.reset();
      return reading.from(gzip ? new GZIPInputStream(in, COMPRESSED_CHUNK_BYTES) : in, gzip);
    } catch (EOFException e) {
      throw new BadInputException(
          file + ": the compressed data ends too early; the file is truncated, get it again", e);
    } catch (ZipException e) {
      throw new BadInputException(file + ": the compressed data is corrupt (" + e.getMessage() + "); get it again", e);
    } catch (IOException e) {
      throw new BadInputException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static void requireLength(String file, IdxHeader header, boolean gzip, long fileBytes) {
    long wanted = header.headerBytes() + header.dataBytes();
    if (gzip ? wanted / MAX_GZIP_RATIO > fileBytes : wanted > fileBytes) {
      throw truncated(file, header, Math.max(0, fileBytes - header.headerBytes()));
    }
    if (!gzip && wanted < fileBytes) {
      throw new BadInputException(
          file
              + ": is "
              + fileBytes
              + " bytes long, but its header "
              + header.shape()
              + " announces "
              + wanted
              + "; the file is corrupt");
    }
  }

  private static BadInputException truncated(String file, IdxHeader header, long got) {
    return new BadInputException(
        file
            + ": its header "
            + header.shape()
            + " announces "
            + header.dataBytes()
            + " bytes of data, but only "
            + got
            + " are there; the file is truncated, get it again");
  }

  /** Elements at ..at+count of the tensor, from big-endian bytes. */
  private static void store(IdxHeader.Element element, byte[] chunk, int count, HostTensor tensor, long at) {
    if (element == IdxHeader.Element.U8) {
      MemorySegment.copy(chunk, 0, tensor.segment(), ValueLayout.JAVA_BYTE, at, count);
      return;
    }
    ByteBuffer bytes = ByteBuffer.wrap(chunk);
    for (int i = 0; i < count; i++) {
      tensor.set(
          at + i,
          switch (element) {
            case U8 -> chunk[i] & 0xff;
            case I8 -> chunk[i];
            case I16 -> bytes.getShort(2 * i);
            case I32 -> bytes.getInt(4 * i);
            case F32 -> bytes.getFloat(4 * i);
            case F64 -> bytes.getDouble(8 * i);
          });
    }
  }
}
