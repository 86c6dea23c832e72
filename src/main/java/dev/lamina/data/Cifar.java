package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * CIFAR-10 or CIFAR-100 in their binary version (Krizhevsky, "Learning multiple layers of features from tiny images",
 * 2009): 32 × 32 colour images, each a record of label bytes and three planes. Of CIFAR-100's two labels the fine one
 * is taken.
 */
public final class Cifar implements DataSource {
  static final String LOOKED_FOR =
      "data_batch_1.bin to data_batch_5.bin and test_batch.bin (CIFAR-10), train.bin and" + " test.bin (CIFAR-100)";
  private static final int SIDE = 32;
  private static final int CHANNELS = 3;
  private static final int PIXELS = SIDE * SIDE;
  private static final int IMAGE_BYTES = PIXELS * CHANNELS;

  private final Path folder;
  private final Kind kind;
  private final List<String> classNames;

  private enum Kind {
    CIFAR_10("CIFAR-10", "cifar-10-batches-bin", 1, 10, "batches.meta.txt", "test_batch.bin"),
    CIFAR_100("CIFAR-100", "cifar-100-binary", 2, 100, "fine_label_names.txt", "test.bin");

    private final String title;
    private final String usualFolder;
    private final int labelBytes; // the last of them is the label
    private final int classes;
    private final String namesFile;
    private final String testFile;

    Kind(String title, String usualFolder, int labelBytes, int classes, String namesFile, String testFile) {
      this.title = title;
      this.usualFolder = usualFolder;
      this.labelBytes = labelBytes;
      this.classes = classes;
      this.namesFile = namesFile;
      this.testFile = testFile;
    }

    private int recordBytes() {
      return labelBytes + IMAGE_BYTES;
    }

    private List<String> trainFiles() {
      return switch (this) {
        case CIFAR_10 -> IntStream.rangeClosed(1, 5).mapToObj(i -> "data_batch_" + i + ".bin").toList();
        case CIFAR_100 -> List.of("train.bin");
      };
    }

    private List<String> files() {
      return Stream.concat(trainFiles().stream(), Stream.of(testFile)).toList();
    }
  }

  private Cifar(Path folder, Kind kind) {
    this.folder = folder;
    this.kind = kind;
    for (String file : kind.files()) {
      if (!Files.isRegularFile(folder.resolve(file))) {
        throw new BadInputException(folder + " holds " + kind.title + ", but " + file + " is missing; put it there");
      }
      requireRecords(folder.resolve(file));
    }
    this.classNames = readClassNames();
  }

  /**
   * The data set in {@code folder}, or in the subfolder that the archive unpacks to; empty if there is none.
   *
   * @throws BadInputException if files are missing or have a length that cannot be
   */
  static Optional<DataSource> find(Path folder) {
    for (Kind kind : Kind.values()) {
      for (Path place : List.of(folder, folder.resolve(kind.usualFolder))) {
        if (kind.files().stream().anyMatch(file -> Files.isRegularFile(place.resolve(file)))) {
          return Optional.of(new Cifar(place, kind));
        }
      }
    }
    if (Files.exists(folder.resolve("data_batch_1")) || Files.exists(folder.resolve("batches.meta"))) {
      throw new BadInputException(folder + " holds CIFAR in its Python version; get the binary version (files *.bin)");
    }
    return Optional.empty();
  }

  private int requireRecords(Path file) {
    try {
      long bytes = Files.size(file);
      if (bytes == 0 || bytes % kind.recordBytes() != 0) {
        throw new BadInputException(
            file
                + ": is "
                + bytes
                + " bytes long, no multiple of the "
                + kind.recordBytes()
                + " bytes of a "
                + kind.title
                + " record; the file is truncated or corrupt, get it again");
      }
      return Math.toIntExact(bytes / kind.recordBytes());
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  private List<String> readClassNames() {
    Path file = folder.resolve(kind.namesFile);
    if (!Files.exists(file)) {
      return Labels.numbered(kind.classes);
    }
    List<String> names = Labels.readNames(file);
    if (names.size() != kind.classes) {
      throw new BadInputException(
          file + ": has " + names.size() + " class names, " + kind.title + " has " + kind.classes);
    }
    return names;
  }

  @Override
  public String name() {
    return kind.title;
  }

  @Override
  public Dataset train(Arena arena) {
    return read(kind.trainFiles(), kind.title, arena);
  }

  @Override
  public Dataset test(Arena arena) {
    return read(List.of(kind.testFile), kind.title + " test", arena);
  }

  private Dataset read(List<String> names, String title, Arena arena) {
    List<Path> files = names.stream().map(folder::resolve).toList();
    int count = files.stream().mapToInt(this::requireRecords).sum();
    HostTensor images = HostTensor.allocate(arena, TensorType.of(DType.U8, count, SIDE, SIDE, CHANNELS));
    HostTensor labels = HostTensor.allocate(arena, TensorType.of(DType.I32, count));
    int at = 0;
    for (Path file : files) {
      at += readRecords(file, images, labels, at);
    }
    return Dataset.labelled(title, images, labels, classNames);
  }

  /** Decodes one file to the places from {@code at} on and says how many there were. */
  private int readRecords(Path file, HostTensor images, HostTensor labels, int at) {
    int records = requireRecords(file);
    byte[] stored = new byte[kind.recordBytes()];
    byte[] image = new byte[IMAGE_BYTES];
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      for (int i = 0; i < records; i++) {
        if (in.readNBytes(stored, 0, stored.length) < stored.length) {
          throw new BadInputException(file + ": the file became shorter while it was read; try again");
        }
        int label = stored[kind.labelBytes - 1] & 0xff;
        if (label >= kind.classes) {
          throw new BadInputException(
              file
                  + ": label "
                  + label
                  + " at index "
                  + i
                  + " is out of range: "
                  + kind.title
                  + " has "
                  + kind.classes
                  + " classes, counted from 0");
        }
        labels.set(at + i, label);
        interleave(stored, kind.labelBytes, image);
        MemorySegment.copy(
            image, 0, images.segment(), ValueLayout.JAVA_BYTE, (long) (at + i) * IMAGE_BYTES, IMAGE_BYTES);
      }
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
    return records;
  }

  /** From planes [c][h][w], which begin at {@code offset}, to pixels [h][w][c]. */
  private static void interleave(byte[] planes, int offset, byte[] pixels) {
    for (int pixel = 0; pixel < PIXELS; pixel++) {
      for (int channel = 0; channel < CHANNELS; channel++) {
        pixels[pixel * CHANNELS + channel] = planes[offset + channel * PIXELS + pixel];
      }
    }
  }
}
