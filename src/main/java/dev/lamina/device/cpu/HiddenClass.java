package dev.lamina.device.cpu;

import static java.lang.constant.ConstantDescs.INIT_NAME;
import static java.lang.constant.ConstantDescs.MTD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.util.function.Consumer;

/** Classes of this package that are written while the program runs, and know its package-private ones. */
final class HiddenClass {
  private HiddenClass() {}

  /** The bytes of a class with a constructor and some {@linkplain #method methods}; profilers show its name. */
  static byte[] write(String name, Class<?> implemented, Consumer<ClassBuilder> methods) {
    return ClassFile.of()
        .build(
            ClassDesc.of(HiddenClass.class.getPackageName(), name),
            type -> {
              type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER);
              type.withInterfaceSymbols(ClassDesc.of(implemented.getName()));
              type.withMethodBody(
                  INIT_NAME,
                  MTD_void,
                  ClassFile.ACC_PUBLIC,
                  code -> code.aload(0).invokespecial(ConstantDescs.CD_Object, INIT_NAME, MTD_void).return_());
              methods.accept(type);
            });
  }

  /** Adds a method. */
  static void method(ClassBuilder type, String name, MethodTypeDesc signature, Consumer<CodeBuilder> body) {
    type.withMethodBody(name, signature, ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL, body);
  }

  /** The one object of a class {@linkplain #write written} so. */
  static <T> T instance(byte[] bytes, Class<T> implemented) {
    try {
      Class<?> hidden = MethodHandles.lookup().defineHiddenClass(bytes, true).lookupClass();
      return implemented.cast(hidden.getDeclaredConstructor().newInstance());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a generated " + implemented.getSimpleName() + " cannot be made", e);
    }
  }
}
