package dev.lamina.device.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import jcuda.jcudnn.cudnnBackendAttributeType;

/** A descriptor of cuDNN's graph API: attributes are set, it is finished, then others are read. */
final class BackendDescriptor implements AutoCloseable {
  private final CudnnBackend backend;
  private final int type;
  private final long address;
  private boolean closed;

  /** An empty one; {@code type} is a {@code cudnnBackendDescriptorType}. */
  BackendDescriptor(CudnnBackend backend, int type) {
    this.backend = backend;
    this.type = type;
    address = backend.create(type);
  }

  long address() {
    return address;
  }

  BackendDescriptor longs(int attribute, long... values) {
    try (Arena arena = Arena.ofConfined()) {
      return set(
          attribute, cudnnBackendAttributeType.CUDNN_TYPE_INT64, values.length, arena.allocateFrom(JAVA_LONG, values));
    }
  }

  /** One number of an enumeration, which {@code attributeType} names. */
  BackendDescriptor number(int attribute, int attributeType, int value) {
    try (Arena arena = Arena.ofConfined()) {
      return set(attribute, attributeType, 1, arena.allocateFrom(JAVA_INT, value));
    }
  }

  BackendDescriptor real(int attribute, float value) {
    try (Arena arena = Arena.ofConfined()) {
      return set(attribute, cudnnBackendAttributeType.CUDNN_TYPE_FLOAT, 1, arena.allocateFrom(JAVA_FLOAT, value));
    }
  }

  BackendDescriptor handle(int attribute, long handle) {
    return addresses(attribute, cudnnBackendAttributeType.CUDNN_TYPE_HANDLE, handle);
  }

  /** Memory of the device. */
  BackendDescriptor pointers(int attribute, long... pointers) {
    return addresses(attribute, cudnnBackendAttributeType.CUDNN_TYPE_VOID_PTR, pointers);
  }

  BackendDescriptor descriptors(int attribute, BackendDescriptor... descriptors) {
    return addresses(
        attribute,
        cudnnBackendAttributeType.CUDNN_TYPE_BACKEND_DESCRIPTOR,
        Arrays.stream(descriptors).mapToLong(BackendDescriptor::address).toArray());
  }

  /** No attribute can be set from here on. */
  BackendDescriptor finish() {
    backend.finish(address, "a descriptor of type " + type);
    return this;
  }

  /** The attribute's numbers, 8 bytes each. */
  long number(int attribute) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_LONG);
      backend.get(address, attribute, cudnnBackendAttributeType.CUDNN_TYPE_INT64, 1, value);
      return value.get(JAVA_LONG, 0);
    }
  }

  /** At most {@code room} numbers of an enumeration, which {@code attributeType} names. */
  List<Integer> numbers(int attribute, int attributeType, int room) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocate(JAVA_INT, room);
      int count = backend.get(address, attribute, attributeType, room, values);
      return IntStream.range(0, count).mapToObj(i -> values.getAtIndex(JAVA_INT, i)).toList();
    }
  }

  /** At most {@code room} descriptors of a type, which the caller closes. */
  List<BackendDescriptor> descriptors(int attribute, int descriptorType, int room) {
    List<BackendDescriptor> made = new ArrayList<>(room);
    int count = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment addresses = arena.allocate(ADDRESS, room);
      for (int i = 0; i < room; i++) {
        made.add(new BackendDescriptor(backend, descriptorType));
        addresses.setAtIndex(ADDRESS, i, MemorySegment.ofAddress(made.get(i).address));
      }
      count = backend.get(address, attribute, cudnnBackendAttributeType.CUDNN_TYPE_BACKEND_DESCRIPTOR, room, addresses);
    } finally {
      made.subList(count, made.size()).forEach(BackendDescriptor::close);
    }
    return made.subList(0, count);
  }

  private BackendDescriptor addresses(int attribute, int attributeType, long... addresses) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment elements = arena.allocate(ADDRESS, addresses.length);
      for (int i = 0; i < addresses.length; i++) {
        elements.setAtIndex(ADDRESS, i, MemorySegment.ofAddress(addresses[i]));
      }
      return set(attribute, attributeType, addresses.length, elements);
    }
  }

  private BackendDescriptor set(int attribute, int attributeType, long count, MemorySegment elements) {
    backend.set(address, attribute, attributeType, count, elements);
    return this;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      backend.destroy(address);
    }
  }
}
