package dev.lamina.device.cpu;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;
import static java.lang.constant.ConstantDescs.INIT_NAME;
import static java.lang.constant.ConstantDescs.MTD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
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
          try {
            MethodHandles.Lookup here = MethodHandles.lookup();
            Class<?> hidden = here.defineHiddenClass(bytes, true).lookupClass();
            MapBody body = (MapBody) hidden.getDeclaredConstructor().newInstance();
            return new Compiled(body, usesVectors(missing) ? vectors.lanes() : 0);
          } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the class generated for " + name + " cannot be made", e);
          }
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
    ClassDesc self = ClassDesc.of(getClass().getPackageName(), "Map$" + name);
    return ClassFile.of()
        .build(
            self,
            type -> {
              type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER);
              type.withInterfaceSymbols(ClassDesc.of(MapBody.class.getName()));
              type.withMethodBody(
                  INIT_NAME,
                  MTD_void,
                  ClassFile.ACC_PUBLIC,
                  code -> code.aload(0).invokespecial(ConstantDescs.CD_Object, INIT_NAME, MTD_void).return_());
              method(
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
              method(
                  type,
                  "scalars",
                  MethodTypeDesc.of(CD_void, FRAME, CD_int, CD_int, CD_int),
                  code -> new BodyWriter(code, key, scalars).write(3, 4));
            });
  }

  private static void method(
      ClassBuilder type, String name, MethodTypeDesc signature, java.util.function.Consumer<CodeBuilder> body) {
    type.withMethodBody(name, signature, ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL, body);
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
