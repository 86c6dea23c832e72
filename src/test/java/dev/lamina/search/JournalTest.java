package dev.lamina.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a disk that takes a few bytes at a time, and has an end. */
class JournalTest {
  private static final String LINE = "{\"trial\": 1, \"stage\": 1}\n";

  @TempDir Path folder;

  private String appended(int times, long room) throws IOException {
    Path file = folder.resolve("trials.jsonl");
    try (FileChannel real =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
        FileChannel channel = new SmallDisk(real, room)) {
      for (int i = 0; i < times; i++) {
        Journal.append(channel, StandardCharsets.UTF_8.encode(LINE));
      }
    }
    return Files.readString(file);
  }

  @Test
  void aLineIsWrittenWhole() throws IOException {
    assertEquals(LINE + LINE, appended(2, Long.MAX_VALUE));
  }

  @Test
  void aLineForWhichThereIsNoRoomLeavesNothingBehind() throws IOException {
    assertThrows(IOException.class, () -> appended(2, LINE.length() + 10));
    assertEquals(LINE + LINE, appended(1, Long.MAX_VALUE));
  }

  private static final class SmallDisk extends FileChannel {
    private static final int AT_ONCE = 7;

    private final FileChannel real;
    private final long room;

    SmallDisk(FileChannel real, long room) {
      this.real = real;
      this.room = room;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      long left = room - real.size();
      if (left <= 0) {
        throw new IOException("no space left");
      }
      ByteBuffer part = bytes.slice(bytes.position(), (int) Math.min(Math.min(left, AT_ONCE), bytes.remaining()));
      int written = real.write(part);
      bytes.position(bytes.position() + written);
      return written;
    }

    @Override
    public long size() throws IOException {
      return real.size();
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
      real.truncate(size);
      return this;
    }

    @Override
    public void force(boolean metaData) throws IOException {
      real.force(metaData);
    }

    @Override
    protected void implCloseChannel() {}

    @Override
    public int read(ByteBuffer bytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] parts, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(ByteBuffer bytes, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] parts, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer bytes, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel position(long at) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) {
      throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
      throw new UnsupportedOperationException();
    }
  }
}
