package dev.lamina.data;

import dev.lamina.io.BadInputException;
import dev.lamina.tensor.DType;
import dev.lamina.tensor.Shape;
import dev.lamina.tensor.TensorType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/**
 * The beginning of an IDX file (LeCun, Cortes and Burges, "The MNIST database"): two zero bytes, the type of an
 * element, the number of dimensions, and each extent as a big-endian 32-bit number.
 *
 * @param element how an element is stored
 * @param shape the extents
 */
record IdxHeader(Element element, Shape shape) {

  /** The types of the format, with the byte that stands for each and the type it becomes in memory. */
  enum Element {
    U8(0x08, 1, DType.U8),
    I8(0x09, 1, DType.I32),
    I16(0x0B, 2, DType.I32),
    I32(0x0C, 4, DType.I32),
    F32(0x0D, 4, DType.F32),
    F64(0x0E, 8, DType.F64);

    private final int code;
    private final int bytes;
    private final DType dtype;

    Element(int code, int bytes, DType dtype) {
      this.code = code;
      this.bytes = bytes;
      this.dtype = dtype;
    }

    int bytes() {
      return bytes;
    }

    private static Element of(int code) {
      for (Element element : values()) {
        if (element.code == code) {
          return element;
        }
      }
      return null;
    }
  }

  /** Reads it from the beginning of {@code in}; {@code file} is how messages call the file. */
  static IdxHeader read(String file, InputStream in) throws IOException {
    byte[] magic = in.readNBytes(4);
    if (magic.length < 4) {
      throw new BadInputException(file + ": " + magic.length + " bytes are too few for an IDX file; is it truncated?");
    }
    Element element = Element.of(magic[2]);
    int rank = magic[3];
    if (magic[0] != 0 || magic[1] != 0 || element == null || rank < 1 || rank > 8) {
      throw new BadInputException(
          String.format(
              "%s: is no IDX file: it begins with %02x%02x%02x%02x, where 00000803 is"
                  + " usual for images and 00000801 for labels",
              file, magic[0], magic[1], magic[2], magic[3]));
    }
    ByteBuffer extents = ByteBuffer.wrap(in.readNBytes(4 * rank));
    if (extents.remaining() < 4 * rank) {
      throw new BadInputException(file + ": ends within the header of " + rank + " dimensions; it is truncated");
    }
    int[] dims = new int[rank];
    for (int i = 0; i < rank; i++) {
      dims[i] = extents.getInt();
    }
    try {
      Shape shape = Shape.of(dims);
      Math.multiplyExact(shape.size(), Double.BYTES);
      return new IdxHeader(element, shape);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new BadInputException(file + ": the header has impossible extents; the file is corrupt", e);
    }
  }

  /** Bytes of the header in the file. */
  int headerBytes() {
    return 4 + 4 * shape.rank();
  }

  /** Bytes of the elements in the file. */
  long dataBytes() {
    return shape.size() * element.bytes;
  }

  /** What the elements become in memory. */
  TensorType type() {
    return new TensorType(shape, element.dtype);
  }
}
