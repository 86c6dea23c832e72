package dev.lamina.device.cpu;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Makes a hidden class of each {@link BodyKey}, once. Not synchronised: kernels are prepared by one thread. */
final class BodyCompiler {
  /** HotSpot never compiles a method beyond this ({@code HugeMethodLimit}): it would be interpreted for ever. */
  private static final int LARGEST_METHOD = 8000;

  private static final ClassDesc FRAME = CD_long.arrayType();

  private final ScalarDialect scalars = new ScalarDialect();
  private final VectorDialect vectors;
  private final Map<BodyKey, Compiled> compiled = new LinkedHashMap<>();

  /** Code for vectors of {@code vectorBits} bits; 0 for scalar code only. */
  BodyCompiler(int vectorBits) {
    this.vectors = vectorBits == 0 ? null : new VectorDialect(vectorBits);
  }

  /**
   * A loop and how many elements one pass of its {@link MapBody#vectors} takes.
   *
   * @param lanes 0 if there is only scalar code
   */
  record Compiled(MapBody body, int lanes) {
    /** Runs all columns of a rectangle. */
    void run(long[] frame, int rows, int columns) {
      int whole = lanes == 0 ? 0 : columns & -lanes;
      if (whole > 0) {
        body.vectors(frame, rows, whole);
      }
      if (whole < columns) {
        body.scalars(frame, rows, whole, columns);
      }
    }
  }

  /** Elements in a vector; 0 if there is only scalar code. */
  int lanes() {
    return vectors == null ? 0 : vectors.lanes();
  }

  /** The class for {@code key}, which must {@linkplain #refusal fit}; {@code name} is what profilers show. */
  Compiled compile(BodyKey key, String name) {
    return compiled.computeIfAbsent(
        key,
        missing -> {
          byte[] bytes = write(missing, name);
          Optional<String> refusal = tooLarge(bytes);
          if (refusal.isPresent()) {
            throw new IllegalArgumentException(refusal.get());
          }
          MapBody body = HiddenClass.instance(bytes, MapBody.class);
          return new Compiled(body, usesVectors(missing) ? vectors.lanes() : 0);
        });
  }

  /** How many classes there are. */
  int count() {
    return compiled.size();
  }

  /** Why a loop for {@code key} would not be compiled by the virtual machine; empty if it would. */
  Optional<String> refusal(BodyKey key) {
    return compiled.containsKey(key) ? Optional.empty() : tooLarge(write(key, "Probe"));
  }

  /** Four lanes have no vector of four bytes; loops over bytes are scalar there. */
  private boolean usesVectors(BodyKey key) {
    return vectors != null && (vectors.hasBytes() || !key.hasBytes());
  }

  private byte[] write(BodyKey key, String name) {
    return HiddenClass.write(
        "Map$" + name,
        MapBody.class,
        type -> {
          HiddenClass.method(
              type,
              "vectors",
              MethodTypeDesc.of(CD_void, FRAME, CD_int, CD_int),
              code -> {
                if (usesVectors(key)) {
                  new BodyWriter(code, key, vectors).write(-1, 3);
                } else {
                  code.return_();
                }
              });
          HiddenClass.method(
              type,
              "scalars",
              MethodTypeDesc.of(CD_void, FRAME, CD_int, CD_int, CD_int),
              code -> new BodyWriter(code, key, scalars).write(3, 4));
        });
  }

  private static Optional<String> tooLarge(byte[] bytes) {
    ClassModel model = ClassFile.of().parse(bytes);
    for (MethodModel method : model.methods()) {
      int length = method.code().map(code -> ((CodeAttribute) code).codeLength()).orElse(0);
      if (length >= LARGEST_METHOD) {
        return Optional.of(
            "an expression of this size makes a method of "
                + length
                + " bytes, and one of "
                + LARGEST_METHOD
                + " or more is never compiled");
      }
    }
    return Optional.empty();
  }
}
