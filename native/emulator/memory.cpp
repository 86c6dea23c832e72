// Device memory. Its addresses belong to the device alone: the host cannot touch them. The same pages are mapped a
// second time, and that is where the emulator's own copies work, and kernels, whose pointers are translated when they
// are launched. Every byte has a state in `shadow`, so that each access of a kernel (which the compiler reports through
// the functions of its thread sanitizer) is checked for bounds, lifetime and for being written before it is read.
#include "emulator.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <map>

namespace emulator::memory {
namespace {

// Address space is plenty, so no address is given out twice: a freed one stays an error for ever.
constexpr size_t RANGE = size_t(1) << 38;
constexpr size_t PAGE = 4096;
constexpr size_t ALIGNMENT = 512;  // what cuMemAlloc promises is 256; a page boundary would hide wrong assumptions
constexpr size_t SHARED_OFFSET = PAGE;
constexpr size_t FIRST_OFFSET = size_t(1) << 20;

enum State : unsigned char { NONE = 0, ALLOCATED = 1, WRITTEN = 2 };

struct Allocation {
    size_t bytes;
    int number;
    bool live;
};

struct Pinned {
    size_t bytes;
    bool registered;  // the program's own, only registered
};

struct Memory {
    char* device = nullptr;           // addresses given out; without access
    char* backing = nullptr;          // the same pages, for the emulator and for kernels
    unsigned char* shadow = nullptr;  // one State for each byte
    int file = -1;
    size_t next = FIRST_OFFSET;  // offset of the next allocation
    size_t used = 0;
    int count = 0;
    std::map<size_t, Allocation> allocations;  // by offset, also those freed
    std::map<char*, Pinned> host;              // by address
    size_t sharedBytes = 0;
    Image image{};
    std::vector<unsigned char> imageShadow;  // states of the module's static shared memory
    bool running = false;                    // a kernel
    bool open = false;                       // the host could touch device memory: a kernel had a pointer from memory

    Memory() {
        file = memfd_create("lamina-emulator", MFD_CLOEXEC);
        if (file < 0 || ftruncate(file, RANGE) != 0) die("memfd_create");
        void* wish = reinterpret_cast<void*>(uintptr_t(0x200000000000));
        device = map(wish, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file);
        backing = map(nullptr, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file);
        shadow = reinterpret_cast<unsigned char*>(
            map(nullptr, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1));
    }
    static char* map(void* wish, int protection, int flags, int file) {
        void* p = mmap(wish, RANGE, protection, flags, file, 0);
        if (p == MAP_FAILED) die("mmap");
        return static_cast<char*>(p);
    }
    [[noreturn]] static void die(const char* call) {
        perror(call);
        abort();
    }
};

Memory memory;  // made when the library is loaded: the checks below are too frequent for anything lazier

Memory& the() { return memory; }

size_t offset(CUdeviceptr address) { return address - reinterpret_cast<CUdeviceptr>(the().device); }

// "8 bytes behind the end of allocation 3 (1024 bytes at 0x…, freed)"
std::string nearest(CUdeviceptr address) {
    auto& m = the();
    char text[200];
    size_t at = offset(address);
    if (at >= RANGE) {
        snprintf(text, sizeof text, "no address of device memory%s", address == 0 ? " (null)" : "");
        return text;
    }
    auto after = m.allocations.upper_bound(at);
    auto found = after;
    if (after != m.allocations.begin()) {
        auto before = std::prev(after);
        size_t behind = at - before->first;
        if (after == m.allocations.end() || behind < before->second.bytes ||
            behind - before->second.bytes < after->first - at)
            found = before;
    }
    if (found == m.allocations.end()) return "nothing was ever allocated";
    const auto& [start, a] = *found;
    char where[80];
    if (at < start)
        snprintf(where, sizeof where, "%zu bytes before", start - at);
    else if (at >= start + a.bytes)
        snprintf(where, sizeof where, "%zu bytes behind the end of", at - start - a.bytes);
    else
        snprintf(where, sizeof where, "byte %zu of", at - start);
    snprintf(text, sizeof text, "%s allocation %d (%zu bytes at %p, %s)", where, a.number, a.bytes,
             static_cast<void*>(m.device + start), a.live ? "live" : "freed");
    return text;
}

// First byte of the range that lacks a state, or `bytes`. The compiler makes vectors of a loop without a way out.
size_t firstBelow(size_t at, size_t bytes, State wanted) {
    constexpr size_t BLOCK = 256;
    const unsigned char* s = the().shadow + at;
    size_t i = 0;
    for (; i + BLOCK <= bytes; i += BLOCK) {
        unsigned char below = 0;
        for (size_t k = 0; k < BLOCK; k++) below |= s[i + k] < wanted;
        if (below != 0) break;
    }
    for (; i < bytes; i++)
        if (s[i] < wanted) return i;
    return bytes;
}

bool checked(CUdeviceptr address, size_t bytes, State wanted, const char* what) {
    if (bytes == 0) return true;
    size_t at = offset(address);
    if (at >= RANGE || bytes > RANGE - at) {
        refuse(CUDA_ERROR_INVALID_VALUE, "%s: 0x%llx (%zu bytes) is %s", what, address, bytes,
               nearest(address).c_str());
        return false;
    }
    size_t bad = firstBelow(at, bytes, wanted);
    if (bad == bytes) return true;
    bool unwritten = the().shadow[at + bad] == ALLOCATED;
    refuse(CUDA_ERROR_INVALID_VALUE, "%s: %zu bytes at 0x%llx: byte %zu %s: %s", what, bytes, address, bad,
           unwritten ? "was never written" : "is not allocated", nearest(address + bad).c_str());
    return false;
}

}  // namespace

size_t total() {
    const char* mib = getenv("LAMINA_EMULATOR_MEMORY_MIB");
    return (mib != nullptr ? strtoull(mib, nullptr, 10) : 4096) << 20;
}

size_t used() { return the().used; }

CUresult reserve(size_t bytes, const char* call) {
    auto& m = the();
    if (bytes > total() - m.used)
        return refuse(CUDA_ERROR_OUT_OF_MEMORY, "%s takes %zu bytes: %zu are free", call, bytes, total() - m.used);
    return m.used += bytes, CUDA_SUCCESS;
}

void giveBack(size_t bytes) { the().used -= bytes; }

CUresult allocate(CUdeviceptr* address, size_t bytes) {
    auto& m = the();
    if (bytes == 0) return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemAlloc of 0 bytes");
    if (bytes > total() - m.used)
        return refuse(CUDA_ERROR_OUT_OF_MEMORY, "cuMemAlloc of %zu bytes: %zu of %zu are free", bytes, total() - m.used,
                      total());
    size_t at = m.next + ALIGNMENT;
    // At least a page without owner lies between any two allocations.
    size_t end = (at + bytes + PAGE - 1) / PAGE * PAGE + PAGE;
    if (end > RANGE) return refuse(CUDA_ERROR_OUT_OF_MEMORY, "the emulator's addresses are used up");
    m.next = end;
    m.used += bytes;
    m.allocations[at] = {bytes, ++m.count, true};
    memset(m.shadow + at, ALLOCATED, bytes);
    *address = reinterpret_cast<CUdeviceptr>(m.device) + at;
    return CUDA_SUCCESS;
}

CUresult release(CUdeviceptr address) {
    auto& m = the();
    if (address == 0) return CUDA_SUCCESS;
    auto found = m.allocations.find(offset(address));
    if (found == m.allocations.end() || !found->second.live)
        return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemFree of 0x%llx: %s", address, nearest(address).c_str());
    auto& [at, a] = *found;
    a.live = false;
    m.used -= a.bytes;
    memset(m.shadow + at, NONE, a.bytes);
    size_t page = at / PAGE * PAGE;
    size_t length = (at + a.bytes + PAGE - 1) / PAGE * PAGE - page;
    fallocate(m.file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off_t(page), off_t(length));
    return CUDA_SUCCESS;
}

void releaseAll() {
    auto& m = the();
    for (auto& [at, a] : m.allocations)
        if (a.live) release(reinterpret_cast<CUdeviceptr>(m.device) + at);
    for (auto& [address, pinned] : m.host)
        if (!pinned.registered) munmap(address, pinned.bytes);
    m.host.clear();
}

CUresult range(CUdeviceptr* base, size_t* bytes, CUdeviceptr address) {
    auto& m = the();
    auto after = m.allocations.upper_bound(offset(address));
    if (after == m.allocations.begin())
        return refuse(CUDA_ERROR_NOT_FOUND, "cuMemGetAddressRange: %s", nearest(address).c_str());
    auto& [at, a] = *std::prev(after);
    if (!a.live || offset(address) >= at + a.bytes)
        return refuse(CUDA_ERROR_NOT_FOUND, "cuMemGetAddressRange: %s", nearest(address).c_str());
    if (base != nullptr) *base = reinterpret_cast<CUdeviceptr>(m.device) + at;
    if (bytes != nullptr) *bytes = a.bytes;
    return CUDA_SUCCESS;
}

CUresult allocateHost(void** address, size_t bytes) {
    if (bytes == 0) return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemHostAlloc of 0 bytes");
    bytes = (bytes + PAGE - 1) / PAGE * PAGE;
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return refuse(CUDA_ERROR_OUT_OF_MEMORY, "cuMemHostAlloc of %zu bytes", bytes);
    the().host[static_cast<char*>(p)] = {bytes, false};
    *address = p;
    return CUDA_SUCCESS;
}

CUresult releaseHost(void* address) {
    auto& host = the().host;
    auto found = host.find(static_cast<char*>(address));
    if (found == host.end() || found->second.registered)
        return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemFreeHost of %p, which cuMemHostAlloc did not give", address);
    munmap(address, found->second.bytes);
    host.erase(found);
    return CUDA_SUCCESS;
}

CUresult registerHost(void* address, size_t bytes) {
    if (bytes == 0 || onDevice(address) || pinned(address, 1))
        return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemHostRegister of %p", address);
    the().host[static_cast<char*>(address)] = {bytes, true};
    return CUDA_SUCCESS;
}

CUresult unregisterHost(void* address) {
    auto& host = the().host;
    auto found = host.find(static_cast<char*>(address));
    if (found == host.end() || !found->second.registered)
        return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemHostUnregister of %p, which is not registered", address);
    host.erase(found);
    return CUDA_SUCCESS;
}

bool pinned(const void* address, size_t bytes) {
    auto& host = the().host;
    char* p = static_cast<char*>(const_cast<void*>(address));
    auto after = host.upper_bound(p);
    if (after == host.begin()) return false;
    auto& [begin, pinned] = *std::prev(after);
    return size_t(p - begin) < pinned.bytes && bytes <= pinned.bytes - size_t(p - begin);
}

bool onDevice(const void* address) { return offset(reinterpret_cast<CUdeviceptr>(address)) < RANGE; }

const void* readable(CUdeviceptr address, size_t bytes, const char* what) {
    return checked(address, bytes, WRITTEN, what) ? the().backing + offset(address) : nullptr;
}

void* writable(CUdeviceptr address, size_t bytes, const char* what) {
    if (!checked(address, bytes, ALLOCATED, what)) return nullptr;
    memset(the().shadow + offset(address), WRITTEN, bytes);
    return the().backing + offset(address);
}

bool scratch(CUdeviceptr address, size_t bytes, const char* what) {
    if (!checked(address, bytes, ALLOCATED, what)) return false;
    memset(the().backing + offset(address), 0xff, bytes);  // NaN in every floating type
    memset(the().shadow + offset(address), ALLOCATED, bytes);
    return true;
}

CUresult copy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    if (!checked(from, bytes, ALLOCATED, "source of a copy on the device") ||
        !checked(to, bytes, ALLOCATED, "target of a copy on the device"))
        return CUDA_ERROR_INVALID_VALUE;
    auto& m = the();
    memmove(m.backing + offset(to), m.backing + offset(from), bytes);
    memmove(m.shadow + offset(to), m.shadow + offset(from), bytes);
    return CUDA_SUCCESS;
}

void* dynamicShared() { return the().backing + SHARED_OFFSET; }

void* translate(void* pointer) {
    return onDevice(pointer) ? the().backing + offset(reinterpret_cast<CUdeviceptr>(pointer)) : pointer;
}

void beginBlock(size_t dynamicBytes) {
    auto& m = the();
    memset(m.shadow + SHARED_OFFSET, ALLOCATED, dynamicBytes);
    if (m.sharedBytes > dynamicBytes)
        memset(m.shadow + SHARED_OFFSET + dynamicBytes, NONE, m.sharedBytes - dynamicBytes);
    m.sharedBytes = dynamicBytes;
    m.imageShadow.assign(m.image.sharedBytes, ALLOCATED);
}

void beginKernel(const Image& image) {
    the().image = image;
    the().running = true;
}

void endKernel() {
    beginBlock(0);
    the().running = false;
}

// ---- checks of every access of a kernel ----------------------------------------------------------------------------

namespace {

// Back from where kernels work to what the device's addresses are.
CUdeviceptr shown(uintptr_t address) {
    auto& m = the();
    size_t at = address - reinterpret_cast<uintptr_t>(m.backing);
    return at < RANGE ? reinterpret_cast<CUdeviceptr>(m.device) + at : address;
}

[[noreturn, gnu::noinline]] void illegal(uintptr_t address, size_t bytes, bool write, const char* why,
                                         const std::string& where) {
    violation(CUDA_ERROR_ILLEGAL_ADDRESS, "%s of %zu bytes at 0x%llx: %s: %s", write ? "write" : "read", bytes,
              shown(address), why, where.c_str());
}

void checkRange(void* pointer, size_t bytes, bool write);

[[gnu::noinline]] void checkElsewhere(uintptr_t address, size_t bytes, bool write) {
    auto& m = the();
    auto* p = reinterpret_cast<char*>(address);
    if (!m.running) return;  // the module's own start-up code
    if (onDevice(p)) {
        // The kernel found this pointer in memory, where nobody translates it. It is right all the same.
        checkRange(translate(p), bytes, write);
        if (!m.open) mprotect(m.device, RANGE, PROT_READ | PROT_WRITE);
        m.open = true;
        return;
    }
    size_t shared = size_t(p - m.image.shared);
    if (shared < m.image.sharedBytes) {
        races::check(address, bytes, write, reinterpret_cast<uintptr_t>(m.image.shared));
        for (size_t i = shared; i < shared + bytes; i++) {
            if (i >= m.image.sharedBytes)
                illegal(address, bytes, write, "out of bounds", "behind the static shared memory");
            if (write)
                m.imageShadow[i] = WRITTEN;
            else if (m.imageShadow[i] != WRITTEN)
                illegal(address, bytes, write, "never written by this block",
                        "byte " + std::to_string(i) + " of the static shared memory");
        }
        return;
    }
    if (p >= fiberStacksBegin() && p < fiberStacksEnd()) return;
    if (p >= m.image.begin && p < m.image.end) return;
    if (pinned(p, bytes)) return;
    illegal(address, bytes, write, "not the device's memory", nearest(address));
}

[[noreturn, gnu::noinline]] void explain(uintptr_t address, size_t bytes, bool write) {
    auto& m = the();
    size_t at = offset(shown(address));
    size_t bad = firstBelow(at, bytes, write ? ALLOCATED : WRITTEN);
    bool unwritten = m.shadow[at + bad] == ALLOCATED;
    if (at + bad < FIRST_OFFSET) {
        std::string where = "byte " + std::to_string(at + bad - SHARED_OFFSET) + " of " +
                            std::to_string(m.sharedBytes) + " bytes of dynamic shared memory";
        illegal(address, bytes, write, unwritten ? "never written by this block" : "out of bounds", where);
    }
    illegal(address, bytes, write, unwritten ? "never written" : "not allocated", nearest(shown(address) + bad));
}

[[gnu::noinline]] void checkShared(size_t at, size_t bytes, bool write) {
    races::check(at, bytes, write, SHARED_OFFSET);
}

template <size_t N>
inline bool all(const unsigned char* s, State wanted) {
    for (size_t i = 0; i < N; i++)
        if (s[i] < wanted) return false;
    return true;
}

template <size_t N, bool WRITE>
inline void check(void* pointer) {
    auto& m = the();
    auto address = reinterpret_cast<uintptr_t>(pointer);
    size_t at = address - reinterpret_cast<uintptr_t>(m.backing);
    if (__builtin_expect(at >= RANGE - N, 0)) return checkElsewhere(address, N, WRITE);
    if (N > 1 && __builtin_expect(address % N != 0, 0))
        violation(CUDA_ERROR_MISALIGNED_ADDRESS, "%s of %zu bytes at 0x%llx, which is not aligned: %s",
                  WRITE ? "write" : "read", N, shown(address), nearest(shown(address)).c_str());
    unsigned char* s = m.shadow + at;
    if (__builtin_expect(!all<N>(s, WRITE ? ALLOCATED : WRITTEN), 0)) explain(address, N, WRITE);
    if (WRITE) memset(s, WRITTEN, N);
    if (__builtin_expect(at < FIRST_OFFSET, 0)) checkShared(at, N, WRITE);
}

void checkRange(void* pointer, size_t bytes, bool write) {
    auto& m = the();
    auto address = reinterpret_cast<uintptr_t>(pointer);
    size_t at = address - reinterpret_cast<uintptr_t>(m.backing);
    if (bytes == 0) return;
    if (at >= RANGE - bytes) return checkElsewhere(address, bytes, write);
    if (firstBelow(at, bytes, write ? ALLOCATED : WRITTEN) < bytes) explain(address, bytes, write);
    if (write) memset(m.shadow + at, WRITTEN, bytes);
    if (at < FIRST_OFFSET) checkShared(at, bytes, write);
}

}  // namespace
}  // namespace emulator::memory

// What code compiled with -fsanitize=thread calls. Nothing here is about threads.
#define HOOK extern "C" __attribute__((visibility("default")))
using emulator::memory::check;
using emulator::memory::checkRange;
HOOK void __tsan_init() {}
HOOK void __tsan_func_entry(void*) {}
HOOK void __tsan_func_exit(void*) {}
HOOK void __tsan_read1(void* p) { check<1, false>(p); }
HOOK void __tsan_read2(void* p) { check<2, false>(p); }
HOOK void __tsan_read4(void* p) { check<4, false>(p); }
HOOK void __tsan_read8(void* p) { check<8, false>(p); }
HOOK void __tsan_read16(void* p) { check<16, false>(p); }
HOOK void __tsan_write1(void* p) { check<1, true>(p); }
HOOK void __tsan_write2(void* p) { check<2, true>(p); }
HOOK void __tsan_write4(void* p) { check<4, true>(p); }
HOOK void __tsan_write8(void* p) { check<8, true>(p); }
HOOK void __tsan_write16(void* p) { check<16, true>(p); }
HOOK void __tsan_unaligned_read2(void* p) { checkRange(p, 2, false); }
HOOK void __tsan_unaligned_read4(void* p) { checkRange(p, 4, false); }
HOOK void __tsan_unaligned_read8(void* p) { checkRange(p, 8, false); }
HOOK void __tsan_unaligned_read16(void* p) { checkRange(p, 16, false); }
HOOK void __tsan_unaligned_write2(void* p) { checkRange(p, 2, true); }
HOOK void __tsan_unaligned_write4(void* p) { checkRange(p, 4, true); }
HOOK void __tsan_unaligned_write8(void* p) { checkRange(p, 8, true); }
HOOK void __tsan_unaligned_write16(void* p) { checkRange(p, 16, true); }
HOOK void __tsan_read_range(void* p, size_t n) { checkRange(p, n, false); }
HOOK void __tsan_write_range(void* p, size_t n) { checkRange(p, n, true); }
HOOK void __tsan_vptr_update(void**, void*) {}
HOOK void __tsan_vptr_read(void**) {}

extern "C" __attribute__((visibility("default"))) const void* emulator_readable(CUdeviceptr a, size_t n,
                                                                                const char* what) {
    return emulator::memory::readable(a, n, what);
}
extern "C" __attribute__((visibility("default"))) void* emulator_writable(CUdeviceptr a, size_t n, const char* what) {
    return emulator::memory::writable(a, n, what);
}
extern "C" __attribute__((visibility("default"))) int emulator_scratch(CUdeviceptr a, size_t n, const char* what) {
    return emulator::memory::scratch(a, n, what);
}
// Kernels call these through device.h; the compiler itself makes calls of memcpy and memset out of copies of structs.
HOOK void* emulator_memcpy(void* to, const void* from, size_t n) {
    checkRange(const_cast<void*>(from), n, false);
    checkRange(to, n, true);
    return memcpy(to, from, n);
}
HOOK void* emulator_memset(void* to, int value, size_t n) {
    checkRange(to, n, true);
    return memset(to, value, n);
}
HOOK void* emulator_dynamic_shared() { return emulator::memory::dynamicShared(); }
