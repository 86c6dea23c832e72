package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.HostTensor;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Class indices and class names as they come from files. */
final class Labels {
  private Labels() {}

  /** {@code 0} to {@code classes − 1}, for classes without names. */
  static List<String> numbered(int classes) {
    return IntStream.range(0, classes).mapToObj(Integer::toString).toList();
  }

  /** The names in a text file, one a line; empty lines at the end do not count. */
  static List<String> readNames(Path file) {
    try {
      List<String> lines = Files.readAllLines(file).stream().map(String::strip).toList();
      int end = lines.size();
      while (end > 0 && lines.get(end - 1).isEmpty()) {
        end--;
      }
      return lines.subList(0, end);
    } catch (CharacterCodingException e) {
      throw new BadInputException(file + ": is no text in UTF-8; it should hold the class names, one a line", e);
    } catch (IOException e) {
      throw BadInputException.access("read", file, e);
    }
  }

  /** The same values as I32, from bytes or I32. */
  static HostTensor toI32(HostTensor labels, Arena arena) {
    if (labels.type().dtype() == DType.I32) {
      return labels;
    }
    HostTensor converted = HostTensor.allocate(arena, new TensorType(labels.shape(), DType.I32));
    converted.segment().copyFrom(MemorySegment.ofArray(values(labels)));
    return converted;
  }

  /** The values, from bytes or I32. */
  static int[] values(HostTensor labels) {
    if (labels.type().dtype() == DType.I32) {
      return labels.segment().toArray(ValueLayout.JAVA_INT);
    }
    byte[] bytes = labels.segment().toArray(ValueLayout.JAVA_BYTE);
    int[] values = new int[bytes.length];
    Arrays.setAll(values, i -> bytes[i] & 0xff);
    return values;
  }

  /** Checks that every label is one of the classes; {@code file} is where they come from. */
  static void requireBelow(int classes, int[] labels, String file) {
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 0 || labels[i] >= classes) {
        throw new BadInputException(
            file
                + ": label "
                + labels[i]
                + " at index "
                + i
                + " is out of range: there are "
                + classes
                + " classes, counted from 0");
      }
    }
  }
}
