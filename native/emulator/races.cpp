// Finds threads of a block that use the same byte of shared memory without waiting for each other. Threads run one
// after the other here, so that a missing barrier would often go unnoticed; and then fail on a GPU, sometimes.
#include "emulator.h"

#include <unordered_map>

namespace emulator::races {
namespace {

constexpr int NOBODY = -1;
constexpr int SEVERAL = -2;  // threads of one warp, or of any

// Who used a byte last, and when: barriers of the block and exchanges of the warp are counted.
struct Use {
    int thread = NOBODY;
    int warp = NOBODY;
    unsigned long barriers = 0;
    unsigned long exchanges = 0;
};
struct Uses {
    Use written, read;
};

std::unordered_map<uintptr_t, Uses> bytes;  // of the running block
unsigned long barriers = 0;
bool atomic = false;

// Nothing that this thread waited for came after the use by another.
bool unordered(const Use& use, const Use& now) {
    if (use.thread == NOBODY || use.thread == now.thread || use.barriers != now.barriers) return false;
    return use.warp != now.warp || use.exchanges == now.exchanges;
}

[[noreturn]] void report(const char* what, const Use& other, uintptr_t place) {
    std::string who =
        other.thread == SEVERAL ? "other threads" : "thread " + std::to_string(other.thread) + " of the block";
    violation(CUDA_ERROR_LAUNCH_FAILED, "%s byte %zu of shared memory that %s used, with no barrier between", what,
              size_t(place), who.c_str());
}

}  // namespace

void beginBlock() {
    bytes.clear();
    barriers = 0;
}

void barrier() { barriers++; }

void setAtomic(bool value) { atomic = value; }

void check(uintptr_t address, size_t count, bool write, uintptr_t begin) {
    if (atomic) return;
    Place place = runningThread();
    Use now{place.thread, place.warp, barriers, place.exchanges};
    for (size_t i = 0; i < count; i++) {
        Uses& uses = bytes[address + i];
        if (unordered(uses.written, now)) report(write ? "overwrites" : "reads", uses.written, address + i - begin);
        if (write) {
            if (unordered(uses.read, now)) report("overwrites", uses.read, address + i - begin);
            uses.written = now;
            continue;
        }
        // Readers since the last barrier are remembered together: as one, as several of a warp, or as several of any.
        Use& read = uses.read;
        bool same = read.barriers == now.barriers && read.thread != NOBODY;
        if (!same || read.thread == now.thread)
            read = now;
        else if (read.warp == now.warp)
            read = {SEVERAL, now.warp, now.barriers, now.exchanges};
        else
            read = {SEVERAL, SEVERAL, now.barriers, now.exchanges};
    }
}

}  // namespace emulator::races
