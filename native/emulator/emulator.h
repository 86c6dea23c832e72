// What the parts of the emulated driver know of each other, and what the emulated cuBLAS and cuDNN use of it.
#pragma once
#include "driver.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace emulator {

// ---- errors ----------------------------------------------------------------------------------------------------

// One lock for everything: the emulator has one GPU, and that does one thing at a time.
std::recursive_mutex& lock();

// Prints the reason on stderr, keeps it for cuGetErrorString, and returns the code.
[[gnu::format(printf, 2, 3)]] CUresult refuse(CUresult code, const char* format, ...);

// Errors of a kernel stick, as on a GPU: every later call returns them, until the context is gone.
CUresult sticky();
void stick(CUresult code);
void unstick();

// ---- memory.cpp: device memory in its own address range, with a state for every byte ------------------------------

namespace memory {
CUresult allocate(CUdeviceptr* address, size_t bytes);
CUresult release(CUdeviceptr address);
CUresult range(CUdeviceptr* base, size_t* bytes, CUdeviceptr address);
void releaseAll();
size_t total();
size_t used();
// Memory that the driver takes for itself.
CUresult reserve(size_t bytes, const char* call);
void giveBack(size_t bytes);

CUresult allocateHost(void** address, size_t bytes);
CUresult releaseHost(void* address);
CUresult registerHost(void* address, size_t bytes);
CUresult unregisterHost(void* address);
bool pinned(const void* address, size_t bytes);
bool onDevice(const void* address);

// The emulator's own view of device memory, or null after a message when a byte is not allocated (or never written).
const void* readable(CUdeviceptr address, size_t bytes, const char* what);
void* writable(CUdeviceptr address, size_t bytes, const char* what);
// For a workspace: overwritten, and afterwards as if never written.
bool scratch(CUdeviceptr address, size_t bytes, const char* what);
// Device to device: the copy is as written as the original.
CUresult copy(CUdeviceptr to, CUdeviceptr from, size_t bytes);

// Shared memory of the one running block: dynamic at a fixed address of the device's range, static in the module.
constexpr size_t MAX_SHARED = 227 * 1024;
void* dynamicShared();
void beginBlock(size_t dynamicBytes);
// The loaded module of the running kernel: its image may be read, its static shared memory is checked.
struct Image {
    char* begin;
    char* end;
    char* shared;
    size_t sharedBytes;
};
// Accesses are checked between these two calls.
void beginKernel(const Image& image);
void endKernel();
// Where a kernel finds what a device address means; other pointers stay as they are.
void* translate(void* pointer);
}  // namespace memory

// ---- races.cpp: shared memory between the threads of a block
// ---------------------------------------------------------

namespace races {
void beginBlock();
void barrier();
void setAtomic(bool value);
void check(uintptr_t address, size_t bytes, bool write, uintptr_t begin);
}  // namespace races

// ---- fibers.cpp: the threads of a block ----------------------------------------------------------------------------

struct Dim3 {
    unsigned x, y, z;
};

// What a module says about one kernel; device.h has the same record.
struct KernelEntry {
    const char* name;
    void (*call)(void* const* parameters);
    const int* sizes;  // in bytes; negative for pointers
    int count;
    int barriers;
    int maxThreads;
};

// Runs all blocks of a launch; a failed check ends it with the error that a GPU would give.
CUresult runKernel(const KernelEntry& kernel, Dim3 grid, Dim3 block, void* const* parameters, size_t sharedBytes);
// Called by the checks of memory.cpp inside a kernel: prints, and leaves the kernel.
[[noreturn, gnu::format(printf, 2, 3)]] void violation(CUresult code, const char* format, ...);
struct Place {
    int thread;
    int warp;
    unsigned long exchanges;  // of the thread's warp, so far
};
Place runningThread();
const char* fiberStacksBegin();
const char* fiberStacksEnd();

// ---- stream.cpp, graph.cpp --------------------------------------------------------------------------------------

using Work = std::function<CUresult()>;

struct Stream;
struct Capture;

// One recording of an event: done as soon as its stream has come there.
struct Ticket {
    Stream* stream;
    bool done = false;
    double milliseconds = 0;
};

struct Event {
    unsigned flags = 0;
    std::shared_ptr<Ticket> ticket;
    // Set when the last recording happened inside a capture: the nodes that a waiting stream depends on.
    std::shared_ptr<Capture> capture;
    std::vector<int> frontier;
};

struct Node {
    std::string name;
    Work work;
    std::vector<int> needs;
};

struct Graph {
    std::vector<Node> nodes;
};

struct Capture {
    Graph graph;
    Stream* origin = nullptr;
    std::vector<Stream*> streams;
    CaptureMode mode = CAPTURE_GLOBAL;
    size_t thread = 0;
    CaptureStatus status = CAPTURE_ACTIVE;
};

// Work goes to a stream: run at once, kept until somebody waits (LAMINA_EMULATOR_STREAMS=deferred), or recorded.
CUresult submit(Stream* stream, const std::string& name, Work work);
// fault.cpp: the work, or the same with the fault that LAMINA_EMULATOR_FAULT asks for.
Work withFault(const std::string& name, Work work);
CUresult synchronize(Stream* stream);
CUresult synchronizeAll();
Stream* createStream(unsigned flags);
CUresult destroyStream(Stream* stream);
bool known(Stream* stream);
unsigned flagsOf(Stream* stream);
bool capturing(Stream* stream);
bool idle(Stream* stream);
bool deferred();

Event* createEvent(unsigned flags);
CUresult destroyEvent(Event* event);
CUresult record(Event* event, Stream* stream);
CUresult wait(Stream* stream, Event* event);
CUresult synchronize(Event* event);
CUresult query(Event* event);
CUresult elapsed(float* milliseconds, Event* start, Event* end);
void forgetStreams();

CUresult beginCapture(Stream* stream, CaptureMode mode);
CUresult endCapture(Stream* stream, Graph** graph);
CUresult captureStatus(Stream* stream, CaptureStatus* status);
CaptureMode exchangeMode(CaptureMode mode);
// The error of a call that no capture survives, when one is going on; CUDA_SUCCESS otherwise.
CUresult refuseInCapture(const char* call, bool waitsForAll);
std::shared_ptr<Capture> captureOf(Stream* stream);
CUresult add(Capture& capture, Stream* stream, const std::string& name, Work work);
std::vector<int>& frontierOf(Stream* stream);
void setCapture(Stream* stream, std::shared_ptr<Capture> capture);
CUresult invalidate(Capture& capture, CUresult code, const char* why);
CUresult runGraph(const Graph& graph);
void forgetGraphs();

// ---- module.cpp -------------------------------------------------------------------------------------------------

struct Module;
struct Function {
    Module* module;
    const KernelEntry* kernel;
    size_t maxDynamicShared = 48 * 1024;
    size_t staticShared = 0;
};
CUresult loadModule(Module** module, const void* image);
CUresult unloadModule(Module* module);
CUresult findFunction(Function** function, Module* module, const char* name);
bool known(Function* function);
CUresult launch(Function* function, Dim3 grid, Dim3 block, size_t sharedBytes, Stream* stream, void** parameters);
void unloadAll();

}  // namespace emulator

// For the emulated cuBLAS and cuDNN, which are libraries of their own.
extern "C" {
int emulator_submit(void* stream, const std::string& name, const std::function<int()>& work);
const void* emulator_readable(CUdeviceptr address, size_t bytes, const char* what);
void* emulator_writable(CUdeviceptr address, size_t bytes, const char* what);
// For a workspace: the bytes are overwritten, and count as never written afterwards.
int emulator_scratch(CUdeviceptr address, size_t bytes, const char* what);
int emulator_known_stream(void* stream);
int emulator_capability();
// What every call needs: a context on this thread, no error that sticks and, where it allocates, no capture on this
// thread; where it waits for the whole device, none at all.
enum { EMULATOR_ENQUEUES, EMULATOR_ALLOCATES, EMULATOR_WAITS_FOR_ALL };
int emulator_enter(const char* call, int does);
}
