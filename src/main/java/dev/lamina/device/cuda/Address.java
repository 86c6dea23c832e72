package dev.lamina.device.cuda;

import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;

/** Addresses as JCuda wants them, and as numbers. */
final class Address {
  private Address() {}

  /** Memory of the host, or of the device for libraries that take either. */
  static final class Plain extends Pointer {
    /** The memory at {@code address}. */
    Plain(long address) {
      super(address);
    }

    /** Memory that a call is about to name. */
    Plain() {}

    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  /** Memory of the device. */
  static final class OnDevice extends CUdeviceptr {
    /** Memory that a call is about to name. */
    OnDevice() {}

    /** The memory at {@code address}: that many bytes behind nothing. */
    OnDevice(long address) {
      super(new CUdeviceptr(), address);
    }

    long value() {
      return getNativePointer() + getByteOffset();
    }
  }
}
