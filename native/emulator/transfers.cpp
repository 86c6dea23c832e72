// The driver's functions for memory: allocations, copies and fills.
#include "api.h"

#include <algorithm>
#include <cstring>

using namespace emulator;
using emulator::memory::readable;
using emulator::memory::writable;

namespace {

CUresult refuseHost(const char* name, const void* address) {
    if (address == nullptr) return refuse(CUDA_ERROR_INVALID_VALUE, "%s: the host's address is null", name);
    if (memory::onDevice(address))
        return refuse(CUDA_ERROR_INVALID_VALUE, "%s: %p is given as the host's address, but is the device's", name,
                      address);
    return CUDA_SUCCESS;
}

CUresult toDevice(CUdeviceptr to, const void* from, size_t bytes, const char* name) {
    if (bytes == 0) return CUDA_SUCCESS;
    void* target = writable(to, bytes, name);
    if (target == nullptr) return CUDA_ERROR_INVALID_VALUE;
    memcpy(target, from, bytes);
    return CUDA_SUCCESS;
}

CUresult toHost(void* to, CUdeviceptr from, size_t bytes, const char* name) {
    if (bytes == 0) return CUDA_SUCCESS;
    const void* source = readable(from, bytes, name);
    if (source == nullptr) return CUDA_ERROR_INVALID_VALUE;
    memcpy(to, source, bytes);
    return CUDA_SUCCESS;
}

template <class T>
CUresult fill(const char* name, Stream* stream, bool wait, CUdeviceptr address, T value, size_t count) {
    if (address % sizeof(T) != 0) return refuse(CUDA_ERROR_INVALID_VALUE, "%s: 0x%llx is not aligned", name, address);
    CUresult result = submit(stream, name, [=]() -> CUresult {
        if (count == 0) return CUDA_SUCCESS;
        auto* target = static_cast<T*>(writable(address, count * sizeof(T), name));
        if (target == nullptr) return CUDA_ERROR_INVALID_VALUE;
        std::fill(target, target + count, value);
        return CUDA_SUCCESS;
    });
    return result == CUDA_SUCCESS && wait ? synchronize(stream) : result;
}

// A copy that is not from or to pinned memory is not asynchronous, and no part of a graph.
CUresult refusePageable(const char* name, Stream* stream) {
    if (!capturing(stream)) return CUDA_SUCCESS;
    return invalidate(*captureOf(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
                      (std::string(name) + " with host memory that is not pinned").c_str());
}

}  // namespace

API cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
    return call("cuMemAlloc", UNSAFE, [&] { return memory::allocate(address, bytes); });
}

API cuMemFree_v2(CUdeviceptr address) {
    return call("cuMemFree", UNSAFE, [&] {
        CUresult result = synchronizeAll();
        return result != CUDA_SUCCESS ? result : memory::release(address);
    });
}

API cuMemGetInfo_v2(size_t* free, size_t* total) {
    return call("cuMemGetInfo", ORDINARY, [&] {
        *total = memory::total();
        *free = *total - memory::used();
        return CUDA_SUCCESS;
    });
}

API cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr address) {
    return call("cuMemGetAddressRange", ORDINARY, [&] { return memory::range(base, bytes, address); });
}

API cuMemHostAlloc(void** address, size_t bytes, unsigned) {
    return call("cuMemHostAlloc", UNSAFE, [&] { return memory::allocateHost(address, bytes); });
}

API cuMemAllocHost_v2(void** address, size_t bytes) {
    return call("cuMemAllocHost", UNSAFE, [&] { return memory::allocateHost(address, bytes); });
}

API cuMemFreeHost(void* address) {
    return call("cuMemFreeHost", UNSAFE, [&] {
        CUresult result = synchronizeAll();
        return result != CUDA_SUCCESS ? result : memory::releaseHost(address);
    });
}

API cuMemHostRegister_v2(void* address, size_t bytes, unsigned) {
    return call("cuMemHostRegister", UNSAFE, [&] { return memory::registerHost(address, bytes); });
}

API cuMemHostUnregister(void* address) {
    return call("cuMemHostUnregister", UNSAFE, [&] {
        CUresult result = synchronizeAll();
        return result != CUDA_SUCCESS ? result : memory::unregisterHost(address);
    });
}

API cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* host, unsigned) {
    return call("cuMemHostGetDevicePointer", ORDINARY, [&] {
        if (!memory::pinned(host, 1))
            return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemHostGetDevicePointer: %p is not pinned", host);
        return *address = reinterpret_cast<CUdeviceptr>(host), CUDA_SUCCESS;
    });
}

API cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
    return call("cuMemcpyHtoD", UNSAFE, [&] {
        if (CUresult refused = refuseHost("cuMemcpyHtoD", from); refused != CUDA_SUCCESS) return refused;
        return submit(nullptr, "cuMemcpyHtoD", [=] { return toDevice(to, from, bytes, "cuMemcpyHtoD"); });
    });
}

API cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
    return call("cuMemcpyDtoH", UNSAFE, [&] {
        if (CUresult refused = refuseHost("cuMemcpyDtoH", to); refused != CUDA_SUCCESS) return refused;
        return submit(nullptr, "cuMemcpyDtoH", [=] { return toHost(to, from, bytes, "cuMemcpyDtoH"); });
    });
}

API cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    return call("cuMemcpyDtoD", UNSAFE,
                [&] { return submit(nullptr, "cuMemcpyDtoD", [=] { return memory::copy(to, from, bytes); }); });
}

API cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, Stream* stream) {
    const char* name = "cuMemcpyHtoDAsync";
    return onStream(name, ORDINARY, stream, [&] {
        if (CUresult refused = refuseHost(name, from); refused != CUDA_SUCCESS) return refused;
        if (memory::pinned(from, bytes)) return submit(stream, name, [=] { return toDevice(to, from, bytes, name); });
        if (CUresult refused = refusePageable(name, stream); refused != CUDA_SUCCESS) return refused;
        auto* source = static_cast<const char*>(from);
        auto staged = std::make_shared<std::vector<char>>(source, source + bytes);
        return submit(stream, name, [=] { return toDevice(to, staged->data(), bytes, name); });
    });
}

API cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, Stream* stream) {
    const char* name = "cuMemcpyDtoHAsync";
    return onStream(name, ORDINARY, stream, [&] {
        if (CUresult refused = refuseHost(name, to); refused != CUDA_SUCCESS) return refused;
        bool pinned = memory::pinned(to, bytes);
        if (!pinned)
            if (CUresult refused = refusePageable(name, stream); refused != CUDA_SUCCESS) return refused;
        CUresult result = submit(stream, name, [=] { return toHost(to, from, bytes, name); });
        return result != CUDA_SUCCESS || pinned ? result : synchronize(stream);
    });
}

API cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, Stream* stream) {
    const char* name = "cuMemcpyDtoDAsync";
    return onStream(name, ORDINARY, stream,
                    [&] { return submit(stream, name, [=] { return memory::copy(to, from, bytes); }); });
}

#define MEMSET(bits, type)                                                                                         \
    API cuMemsetD##bits##_v2(CUdeviceptr address, type value, size_t count) {                                      \
        return call("cuMemsetD" #bits, UNSAFE,                                                                     \
                    [&] { return fill("cuMemsetD" #bits, nullptr, true, address, value, count); });                \
    }                                                                                                              \
    API cuMemsetD##bits##Async(CUdeviceptr address, type value, size_t count, Stream* stream) {                    \
        const char* name = "cuMemsetD" #bits "Async";                                                              \
        return onStream(name, ORDINARY, stream, [&] { return fill(name, stream, false, address, value, count); }); \
    }
MEMSET(8, unsigned char)
MEMSET(16, unsigned short)
MEMSET(32, unsigned)
