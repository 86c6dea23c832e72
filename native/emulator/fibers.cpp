// Runs a kernel: one block after the other. Where a kernel uses barriers or shuffles, each thread of the block is a
// fiber with a stack of its own, and runs until it waits; without them one fiber runs all threads in turn.
#include "emulator.h"

#include <sys/mman.h>
#include <algorithm>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <iterator>

// Saves the registers that a call must keep, stores the stack pointer, and goes on from another one.
extern "C" void emulator_switch(void** save, void* load);
asm(R"(
.text
.local emulator_switch
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");

namespace emulator {
namespace {

constexpr int WARP = 32;
constexpr int MAX_THREADS = 1024;
constexpr size_t STACK = 64 * 1024;  // of which the lowest page is without access
constexpr size_t GUARD = 4096;

enum class State { RUNNING, AT_BARRIER, IN_WARP, DONE };

struct Fiber {
    void* stackPointer;
    State state;
    // What it brought to an exchange within its warp, and what it gets as soon as all lanes of the mask have come.
    unsigned mask;
    unsigned source;
    unsigned long long value;
    unsigned long long shuffled;
    unsigned ballot;
};

struct Block {
    const KernelEntry* kernel;
    void* const* parameters;
    Dim3 grid, size, index, thread;
    int threads;
    int current;     // number of the running fiber
    int number;      // and of the running thread
    int predicates;  // sum of what the threads brought to the barrier
    int barrierResult;
    CUresult failure;
    bool fibers;
    void* scheduler;
};

Block block;
Fiber fibers[MAX_THREADS];
unsigned long exchanges[MAX_THREADS / WARP];  // of each warp of the block
unsigned long launches = 0;

char* stacks() {
    static char* memory = [] {
        void* p = mmap(nullptr, STACK * MAX_THREADS, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED) abort();
        for (int i = 0; i < MAX_THREADS; i++) mprotect(static_cast<char*>(p) + i * STACK, GUARD, PROT_NONE);
        return static_cast<char*>(p);
    }();
    return memory;
}

Dim3 threadIndex(int number) {
    unsigned n = unsigned(number);
    return {n % block.size.x, n / block.size.x % block.size.y, n / block.size.x / block.size.y};
}

void toScheduler() { emulator_switch(&fibers[block.current].stackPointer, block.scheduler); }

void body() {
    if (block.fibers) {
        block.kernel->call(block.parameters);
    } else {
        for (int i = 0; i < block.threads; i++) {
            block.number = i;
            block.thread = threadIndex(i);
            block.kernel->call(block.parameters);
        }
    }
    fibers[block.current].state = State::DONE;
    toScheduler();
    abort();
}

void start(int number) {
    auto* top = reinterpret_cast<void**>(stacks() + (number + 1) * STACK);
    *--top = nullptr;  // keeps the stack aligned as after a call
    *--top = reinterpret_cast<void*>(&body);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    fibers[number] = {};
    fibers[number].stackPointer = top;
}

void resume(int number) {
    block.current = number;
    block.number = number;
    block.thread = threadIndex(number);
    emulator_switch(&block.scheduler, fibers[number].stackPointer);
}

void report(CUresult code, const char* format, va_list arguments) {
    char text[600];
    vsnprintf(text, sizeof text, format, arguments);
    block.failure =
        refuse(code, "kernel %s, block (%u,%u,%u), thread (%u,%u,%u): %s", block.kernel->name, block.index.x,
               block.index.y, block.index.z, block.thread.x, block.thread.y, block.thread.z, text);
}

[[gnu::format(printf, 2, 3)]] void failOutside(int number, const char* format, ...) {
    block.thread = threadIndex(number);
    va_list arguments;
    va_start(arguments, format);
    report(CUDA_ERROR_LAUNCH_FAILED, format, arguments);
    va_end(arguments);
}

// Lets those go on for whom everybody has come. False: nobody can, which is an error of the kernel, or all are done.
bool release() {
    int done = 0, atBarrier = 0;
    for (int i = 0; i < block.threads; i++) {
        done += fibers[i].state == State::DONE;
        atBarrier += fibers[i].state == State::AT_BARRIER;
    }
    if (done == block.threads) return false;
    if (atBarrier == block.threads) {
        for (int i = 0; i < block.threads; i++) fibers[i].state = State::RUNNING;
        races::barrier();
        block.barrierResult = block.predicates;
        block.predicates = 0;
        return true;
    }
    for (int i = 0; i < block.threads; i++) {
        if (fibers[i].state == State::IN_WARP) {
            failOutside(i,
                        "waits for the lanes 0x%08x of its warp, which are not all there: a thread has ended or waits "
                        "elsewhere",
                        fibers[i].mask);
            return false;
        }
    }
    for (int i = 0; i < block.threads; i++) {
        if (fibers[i].state == State::AT_BARRIER) {
            failOutside(i, "__syncthreads not reached by all threads: %d wait there, %d have ended", atBarrier, done);
            return false;
        }
    }
    return false;
}

void runBlock(size_t sharedBytes) {
    memory::beginBlock(sharedBytes);
    races::beginBlock();
    std::fill(std::begin(exchanges), std::end(exchanges), 0);
    if (!block.fibers) {
        start(0);
        block.current = 0;
        emulator_switch(&block.scheduler, fibers[0].stackPointer);
        return;
    }
    for (int i = 0; i < block.threads; i++) start(i);
    block.predicates = 0;
    do {
        for (int i = 0; i < block.threads; i++) {
            if (fibers[i].state == State::RUNNING) resume(i);
            if (block.failure != CUDA_SUCCESS) return;
        }
        bool running = false;
        for (int i = 0; i < block.threads; i++) running |= fibers[i].state == State::RUNNING;
        if (!running && !release()) return;
    } while (true);
}

unsigned lane() { return unsigned(block.current) % WARP; }

// All lanes of the mask come here with a value and the lane whose value they want; returns once all have.
const Fiber& exchange(unsigned mask, unsigned long long value, unsigned source) {
    if (!block.fibers) violation(CUDA_ERROR_LAUNCH_FAILED, "a barrier that the source did not show");
    unsigned me = lane();
    Fiber* warp = fibers + block.current - me;
    int lanes = std::min(block.threads - (block.current - int(me)), WARP);
    if ((mask >> me & 1) == 0)
        violation(CUDA_ERROR_LAUNCH_FAILED, "lane %u is not in the mask 0x%08x that it brings", me, mask);
    if ((mask >> source & 1) == 0)
        violation(CUDA_ERROR_LAUNCH_FAILED, "reads lane %u, which is not in the mask 0x%08x", source, mask);
    if (lanes < WARP && mask >> lanes != 0)
        violation(CUDA_ERROR_LAUNCH_FAILED, "the mask 0x%08x names more than the %d lanes of this warp", mask, lanes);
    Fiber& mine = warp[me];
    mine.state = State::IN_WARP;
    mine.mask = mask;
    mine.source = source;
    mine.value = value;
    bool complete = true;
    unsigned ballot = 0;
    for (int i = 0; i < lanes; i++) {
        if ((mask >> i & 1) == 0) continue;
        if (warp[i].state != State::IN_WARP)
            complete = false;
        else if (warp[i].mask != mask)
            violation(CUDA_ERROR_LAUNCH_FAILED, "brings the mask 0x%08x, lane %d of its warp 0x%08x", mask, i,
                      warp[i].mask);
        else if (warp[i].value != 0)
            ballot |= 1u << i;
    }
    if (!complete) {
        toScheduler();
        return mine;
    }
    exchanges[block.current / WARP]++;
    for (int i = 0; i < lanes; i++) {
        if ((mask >> i & 1) == 0) continue;
        warp[i].shuffled = warp[warp[i].source].value;
        warp[i].ballot = ballot;
        warp[i].state = State::RUNNING;
    }
    return mine;
}

}  // namespace

void violation(CUresult code, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(code, format, arguments);
    va_end(arguments);
    toScheduler();
    abort();
}

Place runningThread() { return {block.number, block.number / WARP, exchanges[block.number / WARP]}; }

const char* fiberStacksBegin() { return stacks(); }
const char* fiberStacksEnd() { return stacks() + STACK * MAX_THREADS; }

CUresult runKernel(const KernelEntry& kernel, Dim3 grid, Dim3 size, void* const* parameters, size_t sharedBytes) {
    block = {};
    races::setAtomic(false);
    block.kernel = &kernel;
    block.parameters = parameters;
    block.grid = grid;
    block.size = size;
    block.threads = int(size.x * size.y * size.z);
    block.fibers = kernel.barriers != 0;
    // Every other launch begins with the last block: no block may count on another one.
    bool backwards = launches++ % 2 == 1;
    size_t blocks = size_t(grid.x) * grid.y * grid.z;
    for (size_t n = 0; n < blocks && block.failure == CUDA_SUCCESS; n++) {
        size_t i = backwards ? blocks - 1 - n : n;
        block.index = {unsigned(i % grid.x), unsigned(i / grid.x % grid.y), unsigned(i / grid.x / grid.y)};
        runBlock(sharedBytes);
    }
    return block.failure;
}

}  // namespace emulator

// ---- what device.h calls ------------------------------------------------------------------------------------------
using namespace emulator;
#define HOOK extern "C" __attribute__((visibility("default")))

HOOK unsigned emulator_coordinate(int which) {
    const Dim3& d = which < 3 ? block.thread : which < 6 ? block.index : which < 9 ? block.size : block.grid;
    int axis = which % 3;
    return axis == 0 ? d.x : axis == 1 ? d.y : d.z;
}

HOOK int emulator_barrier(int predicate) {
    if (!block.fibers) violation(CUDA_ERROR_LAUNCH_FAILED, "a barrier that the source did not show");
    block.predicates += predicate != 0;
    fibers[block.current].state = State::AT_BARRIER;
    toScheduler();
    return block.barrierResult;
}

HOOK unsigned emulator_lane() { return lane(); }

HOOK unsigned long long emulator_shuffle(unsigned mask, unsigned long long value, unsigned source) {
    return exchange(mask, value, source).shuffled;
}

HOOK unsigned emulator_ballot(unsigned mask, int predicate) { return exchange(mask, predicate != 0, lane()).ballot; }

HOOK void emulator_atomic(int begins) { races::setAtomic(begins != 0); }

HOOK void emulator_trap(const char* why) { violation(CUDA_ERROR_LAUNCH_FAILED, "%s", why); }
