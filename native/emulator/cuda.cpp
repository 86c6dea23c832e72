// The driver's functions: each checks what CUDA would check and hands over to the file that does it.
#include "emulator.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

using namespace emulator;
using emulator::memory::readable;
using emulator::memory::writable;

#define API extern "C" __attribute__((visibility("default"))) CUresult

namespace {

constexpr int DRIVER_VERSION = CUDA_VERSION == 13 ? 13000 : 12060;

struct Context {
    int retained = 0;
    unsigned flags = 0;
};
struct GraphExec {
    std::shared_ptr<Graph> graph;
};

bool initialized = false;
Context primary;
thread_local std::vector<Context*> current;
std::set<Graph*> graphs;
std::set<GraphExec*> execs;

enum Rules : unsigned {
    NEEDS_CONTEXT = 1,
    NOT_IN_CAPTURE = 2,  // what CUDA calls potentially unsafe
};

// Every function of the driver runs its body in here.
template <class Body> CUresult call(const char* name, unsigned rules, Body body) {
    std::lock_guard<std::recursive_mutex> guard(lock());
    static const bool trace = getenv("LAMINA_EMULATOR_TRACE") != nullptr;
    CUresult result = [&]() -> CUresult {
        if (!initialized) return refuse(CUDA_ERROR_NOT_INITIALIZED, "%s before cuInit", name);
        if ((rules & NEEDS_CONTEXT) && (current.empty() || current.back() == nullptr || primary.retained == 0))
            return refuse(CUDA_ERROR_INVALID_CONTEXT, "%s: this thread has no current context", name);
        if ((rules & NEEDS_CONTEXT) && sticky() != CUDA_SUCCESS) return sticky();
        if (rules & NOT_IN_CAPTURE)
            if (CUresult refused = refuseInCapture(name); refused != CUDA_SUCCESS) return refused;
        return body();
    }();
    if (result != CUDA_SUCCESS) stick(result);
    if (trace) fprintf(stderr, "emulator: %s -> %d\n", name, int(result));
    return result;
}

constexpr unsigned ORDINARY = NEEDS_CONTEXT;
constexpr unsigned UNSAFE = NEEDS_CONTEXT | NOT_IN_CAPTURE;

CUresult refuseUnknown(const char* name, Stream* stream) {
    return known(stream) ? CUDA_SUCCESS : refuse(CUDA_ERROR_INVALID_HANDLE, "%s: unknown stream", name);
}

// For bodies that need a valid stream.
template <class Body> CUresult onStream(const char* name, unsigned rules, Stream* stream, Body body) {
    return call(name, rules, [&] {
        CUresult refused = refuseUnknown(name, stream);
        return refused != CUDA_SUCCESS ? refused : body();
    });
}

int deviceCount() {
    const char* visible = getenv("CUDA_VISIBLE_DEVICES");
    return visible != nullptr && (*visible == 0 || strcmp(visible, "-1") == 0) ? 0 : 1;
}

CUresult refuseDevice(const char* name, CUdevice device) {
    return device == 0 ? CUDA_SUCCESS : refuse(CUDA_ERROR_INVALID_DEVICE, "%s: there is no device %d", name, device);
}

void leave() {
    forgetStreams();
    unloadAll();
    memory::releaseAll();
    for (Graph* graph : graphs) delete graph;
    for (GraphExec* exec : execs) delete exec;
    graphs.clear();
    execs.clear();
    unstick();
}

// "8.0", or what LAMINA_EMULATOR_CAPABILITY says.
int capability(int part) {
    const char* wish = getenv("LAMINA_EMULATOR_CAPABILITY");
    int major = 8, minor = 0;
    if (wish != nullptr) sscanf(wish, "%d.%d", &major, &minor);
    return part == 0 ? major : minor;
}

CUresult refuseHost(const char* name, const void* address) {
    if (address == nullptr) return refuse(CUDA_ERROR_INVALID_VALUE, "%s: the host's address is null", name);
    if (memory::onDevice(address)) return refuse(CUDA_ERROR_INVALID_VALUE, "%s: %p is given as the host's address, but is the device's", name, address);
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

template <class T> CUresult fill(const char* name, Stream* stream, bool wait, CUdeviceptr address, T value, size_t count) {
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
    return invalidate(*captureOf(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, (std::string(name) + " with host memory that is not pinned").c_str());
}

}  // namespace

// ---- the driver and its devices ----------------------------------------------------------------------------------

API cuInit(unsigned) {
    std::lock_guard<std::recursive_mutex> guard(lock());
    if (deviceCount() == 0) return refuse(CUDA_ERROR_NO_DEVICE, "CUDA_VISIBLE_DEVICES hides the only device");
    initialized = true;
    return CUDA_SUCCESS;
}

API cuDriverGetVersion(int* version) {
    *version = DRIVER_VERSION;
    return CUDA_SUCCESS;
}

API cuDeviceGetCount(int* count) {
    return call("cuDeviceGetCount", 0, [&] { return *count = deviceCount(), CUDA_SUCCESS; });
}

API cuDeviceGet(CUdevice* device, int ordinal) {
    return call("cuDeviceGet", 0, [&] { return *device = ordinal, refuseDevice("cuDeviceGet", ordinal); });
}

API cuDeviceGetName(char* name, int length, CUdevice device) {
    return call("cuDeviceGetName", 0, [&] {
        snprintf(name, size_t(length), "Lamina emulator");
        return refuseDevice("cuDeviceGetName", device);
    });
}

API cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    return call("cuDeviceTotalMem", 0, [&] { return *bytes = memory::total(), refuseDevice("cuDeviceTotalMem", device); });
}

API cuDeviceGetUuid(char* uuid, CUdevice device) {
    return call("cuDeviceGetUuid", 0, [&] { return memcpy(uuid, "lamina-emulator", 16), refuseDevice("cuDeviceGetUuid", device); });
}

API cuDeviceGetPCIBusId(char* text, int length, CUdevice device) {
    return call("cuDeviceGetPCIBusId", 0, [&] {
        snprintf(text, size_t(length), "0000:00:00.0");
        return refuseDevice("cuDeviceGetPCIBusId", device);
    });
}

API cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
    return call("cuDeviceComputeCapability", 0, [&] {
        *major = capability(0);
        *minor = capability(1);
        return refuseDevice("cuDeviceComputeCapability", device);
    });
}

API cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
    // Numbers of CUdevice_attribute. A small GPU, so that kernels go around their grid-stride loops more than once.
    static const std::map<int, int> values = {
        {1, 1024}, {2, 1024}, {3, 1024}, {4, 64},          // threads of a block, in all and along x, y, z
        {5, 0x7fffffff}, {6, 65535}, {7, 65535},           // blocks of a grid along x, y, z
        {8, 48 * 1024}, {9, 64 * 1024}, {10, 32},          // shared memory of a block, constant memory, lanes of a warp
        {12, 65536}, {13, 1000000}, {14, 512}, {15, 1},    // registers, clock in kHz, texture alignment, overlap
        {16, 4},                                           // multiprocessors
        {17, 0}, {18, 0}, {19, 1}, {20, 0},                // kernel time limit, integrated, maps host memory, compute mode
        {31, 1}, {32, 0}, {33, 0}, {34, 0}, {35, 0},       // concurrent kernels, ECC, PCI bus and device, TCC
        {36, 1000000}, {37, 256}, {38, 4 << 20},           // memory clock in kHz, bus width in bits, L2 cache
        {39, 2048}, {40, 2}, {41, 1}, {50, 0},             // threads of a multiprocessor, copy engines, one address space, PCI domain
        {78, 1}, {81, 164 * 1024}, {82, 65536}, {83, 0},   // stream priorities, shared memory and registers of a multiprocessor, managed
        {84, 0}, {85, 0}, {88, 0}, {89, 0},                // board group, pageable and managed access
        {95, 1}, {97, 99 * 1024}, {106, 16}, {115, 0},     // cooperative launch, most shared memory of a block, blocks, pools
    };
    return call("cuDeviceGetAttribute", 0, [&]() -> CUresult {
        if (CUresult refused = refuseDevice("cuDeviceGetAttribute", device); refused != CUDA_SUCCESS) return refused;
        if (attribute == 75 || attribute == 76) return *value = capability(attribute - 75), CUDA_SUCCESS;
        auto found = values.find(attribute);
        if (found == values.end()) return refuse(CUDA_ERROR_INVALID_VALUE, "cuDeviceGetAttribute: the emulator has no attribute %d", attribute);
        return *value = found->second, CUDA_SUCCESS;
    });
}

// ---- the primary context -------------------------------------------------------------------------------------------

API cuDevicePrimaryCtxRetain(Context** context, CUdevice device) {
    return call("cuDevicePrimaryCtxRetain", 0, [&] {
        if (CUresult refused = refuseDevice("cuDevicePrimaryCtxRetain", device); refused != CUDA_SUCCESS) return refused;
        primary.retained++;
        *context = &primary;
        return CUDA_SUCCESS;
    });
}

API cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return call("cuDevicePrimaryCtxRelease", NOT_IN_CAPTURE, [&] {
        if (device != 0 || primary.retained == 0) return refuse(CUDA_ERROR_INVALID_CONTEXT, "cuDevicePrimaryCtxRelease: it was not retained");
        if (--primary.retained == 0) leave();
        return CUDA_SUCCESS;
    });
}

API cuDevicePrimaryCtxReset_v2(CUdevice device) {
    return call("cuDevicePrimaryCtxReset", 0, [&] { return leave(), refuseDevice("cuDevicePrimaryCtxReset", device); });
}

API cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    return call("cuDevicePrimaryCtxGetState", 0, [&] {
        *flags = primary.flags;
        *active = primary.retained > 0;
        return refuseDevice("cuDevicePrimaryCtxGetState", device);
    });
}

API cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
    return call("cuDevicePrimaryCtxSetFlags", 0, [&] { return primary.flags = flags, refuseDevice("cuDevicePrimaryCtxSetFlags", device); });
}

API cuCtxSetCurrent(Context* context) {
    return call("cuCtxSetCurrent", 0, [&] {
        if (context != nullptr && context != &primary) return refuse(CUDA_ERROR_INVALID_CONTEXT, "cuCtxSetCurrent: unknown context");
        if (current.empty()) current.push_back(context);
        current.back() = context;
        return CUDA_SUCCESS;
    });
}

API cuCtxGetCurrent(Context** context) {
    return call("cuCtxGetCurrent", 0, [&] { return *context = current.empty() ? nullptr : current.back(), CUDA_SUCCESS; });
}

API cuCtxPushCurrent_v2(Context* context) {
    return call("cuCtxPushCurrent", 0, [&] {
        if (context != &primary) return refuse(CUDA_ERROR_INVALID_CONTEXT, "cuCtxPushCurrent: unknown context");
        return current.push_back(context), CUDA_SUCCESS;
    });
}

API cuCtxPopCurrent_v2(Context** context) {
    return call("cuCtxPopCurrent", 0, [&] {
        if (current.empty()) return refuse(CUDA_ERROR_INVALID_CONTEXT, "cuCtxPopCurrent: nothing was pushed");
        if (context != nullptr) *context = current.back();
        return current.pop_back(), CUDA_SUCCESS;
    });
}

API cuCtxGetDevice(CUdevice* device) {
    return call("cuCtxGetDevice", ORDINARY, [&] { return *device = 0, CUDA_SUCCESS; });
}

API cuCtxGetFlags(unsigned* flags) {
    return call("cuCtxGetFlags", ORDINARY, [&] { return *flags = primary.flags, CUDA_SUCCESS; });
}

API cuCtxSynchronize() { return call("cuCtxSynchronize", UNSAFE, [] { return synchronizeAll(); }); }

API cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    return call("cuCtxGetStreamPriorityRange", ORDINARY, [&] {
        if (least != nullptr) *least = 0;
        if (greatest != nullptr) *greatest = -5;
        return CUDA_SUCCESS;
    });
}

// ---- memory ------------------------------------------------------------------------------------------------------

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
        if (!memory::pinned(host, 1)) return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemHostGetDevicePointer: %p is not pinned", host);
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
    return call("cuMemcpyDtoD", UNSAFE, [&] { return submit(nullptr, "cuMemcpyDtoD", [=] { return memory::copy(to, from, bytes); }); });
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
    return onStream(name, ORDINARY, stream, [&] { return submit(stream, name, [=] { return memory::copy(to, from, bytes); }); });
}

#define MEMSET(bits, type)                                                                                          \
    API cuMemsetD##bits##_v2(CUdeviceptr address, type value, size_t count) {                                       \
        return call("cuMemsetD" #bits, UNSAFE, [&] { return fill("cuMemsetD" #bits, nullptr, true, address, value, count); }); \
    }                                                                                                               \
    API cuMemsetD##bits##Async(CUdeviceptr address, type value, size_t count, Stream* stream) {                      \
        const char* name = "cuMemsetD" #bits "Async";                                                               \
        return onStream(name, ORDINARY, stream, [&] { return fill(name, stream, false, address, value, count); });   \
    }
MEMSET(8, unsigned char)
MEMSET(16, unsigned short)
MEMSET(32, unsigned)

// ---- streams and events -----------------------------------------------------------------------------------------

API cuStreamCreate(Stream** stream, unsigned flags) {
    return call("cuStreamCreate", ORDINARY, [&] { return *stream = createStream(flags), CUDA_SUCCESS; });
}

API cuStreamCreateWithPriority(Stream** stream, unsigned flags, int) {
    return call("cuStreamCreateWithPriority", ORDINARY, [&] { return *stream = createStream(flags), CUDA_SUCCESS; });
}

API cuStreamDestroy_v2(Stream* stream) {
    return call("cuStreamDestroy", ORDINARY, [&] { return destroyStream(stream); });
}

API cuStreamSynchronize(Stream* stream) {
    return onStream("cuStreamSynchronize", ORDINARY, stream, [&] { return synchronize(stream); });
}

API cuStreamQuery(Stream* stream) {
    return onStream("cuStreamQuery", ORDINARY, stream, [&]() -> CUresult {
        if (!capturing(stream) && idle(stream)) return CUDA_SUCCESS;
        CUresult result = synchronize(stream);  // not ready this time; next time it is
        return result != CUDA_SUCCESS ? result : CUDA_ERROR_NOT_READY;
    });
}

API cuStreamGetFlags(Stream* stream, unsigned* flags) {
    return onStream("cuStreamGetFlags", ORDINARY, stream, [&] { return *flags = flagsOf(stream), CUDA_SUCCESS; });
}

API cuStreamGetCtx(Stream* stream, Context** context) {
    return onStream("cuStreamGetCtx", ORDINARY, stream, [&] { return *context = &primary, CUDA_SUCCESS; });
}

API cuStreamWaitEvent(Stream* stream, Event* event, unsigned) {
    return onStream("cuStreamWaitEvent", ORDINARY, stream, [&] { return wait(stream, event); });
}

API cuEventCreate(Event** event, unsigned flags) {
    return call("cuEventCreate", ORDINARY, [&] { return *event = createEvent(flags), CUDA_SUCCESS; });
}

API cuEventDestroy_v2(Event* event) {
    return call("cuEventDestroy", ORDINARY, [&] { return destroyEvent(event); });
}

API cuEventRecord(Event* event, Stream* stream) {
    return onStream("cuEventRecord", ORDINARY, stream, [&] { return record(event, stream); });
}

API cuEventSynchronize(Event* event) {
    return call("cuEventSynchronize", ORDINARY, [&] { return synchronize(event); });
}

API cuEventQuery(Event* event) {
    return call("cuEventQuery", ORDINARY, [&] { return query(event); });
}

API cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
    return call("cuEventElapsedTime", ORDINARY, [&] { return elapsed(milliseconds, start, end); });
}

// ---- capture and graphs ------------------------------------------------------------------------------------------

API cuStreamBeginCapture_v2(Stream* stream, int mode) {
    return onStream("cuStreamBeginCapture", ORDINARY, stream, [&] { return beginCapture(stream, CaptureMode(mode)); });
}

API cuStreamEndCapture(Stream* stream, Graph** graph) {
    return onStream("cuStreamEndCapture", ORDINARY, stream, [&] {
        CUresult result = endCapture(stream, graph);
        if (result == CUDA_SUCCESS) graphs.insert(*graph);
        return result;
    });
}

API cuStreamIsCapturing(Stream* stream, int* status) {
    return onStream("cuStreamIsCapturing", ORDINARY, stream, [&] {
        CaptureStatus now;
        CUresult result = captureStatus(stream, &now);
        return *status = now, result;
    });
}

API cuThreadExchangeStreamCaptureMode(int* mode) {
    return call("cuThreadExchangeStreamCaptureMode", 0, [&] { return *mode = exchangeMode(CaptureMode(*mode)), CUDA_SUCCESS; });
}

API cuGraphInstantiateWithFlags(GraphExec** exec, Graph* graph, unsigned long long) {
    return call("cuGraphInstantiate", UNSAFE, [&] {
        if (graphs.count(graph) == 0) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphInstantiate of an unknown graph");
        *exec = new GraphExec{std::make_shared<Graph>(*graph)};
        return execs.insert(*exec), CUDA_SUCCESS;
    });
}

API cuGraphLaunch(GraphExec* exec, Stream* stream) {
    return onStream("cuGraphLaunch", ORDINARY, stream, [&] {
        if (execs.count(exec) == 0) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphLaunch of an unknown executable graph");
        return submit(stream, "cuGraphLaunch", [graph = exec->graph] { return runGraph(*graph); });
    });
}

API cuGraphUpload(GraphExec* exec, Stream* stream) {
    return onStream("cuGraphUpload", ORDINARY, stream, [&] {
        return execs.count(exec) != 0 ? CUDA_SUCCESS : refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphUpload of an unknown executable graph");
    });
}

// Only the number of nodes: what they are is nobody's business.
API cuGraphGetNodes(Graph* graph, void** nodes, size_t* count) {
    return call("cuGraphGetNodes", ORDINARY, [&] {
        if (graphs.count(graph) == 0) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphGetNodes of an unknown graph");
        if (nodes != nullptr) return refuse(CUDA_ERROR_NOT_SUPPORTED, "cuGraphGetNodes gives only the number of nodes here");
        return *count = graph->nodes.size(), CUDA_SUCCESS;
    });
}

API cuGraphDestroy(Graph* graph) {
    return call("cuGraphDestroy", ORDINARY, [&] {
        if (graphs.erase(graph) == 0) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphDestroy of an unknown graph");
        delete graph;
        return CUDA_SUCCESS;
    });
}

API cuGraphExecDestroy(GraphExec* exec) {
    return call("cuGraphExecDestroy", ORDINARY, [&] {
        if (execs.erase(exec) == 0) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphExecDestroy of an unknown executable graph");
        delete exec;
        return CUDA_SUCCESS;
    });
}

// ---- modules and functions ---------------------------------------------------------------------------------------

API cuModuleLoadData(Module** module, const void* image) {
    return call("cuModuleLoadData", UNSAFE, [&] { return loadModule(module, image); });
}

API cuModuleLoadDataEx(Module** module, const void* image, unsigned, int*, void**) {
    return call("cuModuleLoadDataEx", UNSAFE, [&] { return loadModule(module, image); });
}

API cuModuleUnload(Module* module) {
    return call("cuModuleUnload", UNSAFE, [&] { return unloadModule(module); });
}

API cuModuleGetFunction(Function** function, Module* module, const char* name) {
    return call("cuModuleGetFunction", ORDINARY, [&] { return findFunction(function, module, name); });
}

API cuFuncGetAttribute(int* value, int attribute, Function* function) {
    return call("cuFuncGetAttribute", ORDINARY, [&] {
        if (!known(function)) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuFuncGetAttribute of an unknown function");
        int threads = function->kernel->maxThreads;
        switch (attribute) {
            case 0: *value = threads > 0 ? threads : 1024; break;
            case 1: *value = int(function->staticShared); break;
            case 2: case 3: *value = 0; break;
            case 4: *value = 32; break;
            case 5: case 6: *value = capability(0) * 10 + capability(1); break;
            case 7: case 9: *value = 0; break;
            case FUNCTION_MAX_DYNAMIC_SHARED: *value = int(function->maxDynamicShared); break;
            default: return refuse(CUDA_ERROR_INVALID_VALUE, "cuFuncGetAttribute: the emulator has no attribute %d", attribute);
        }
        return CUDA_SUCCESS;
    });
}

API cuFuncSetAttribute(Function* function, int attribute, int value) {
    return call("cuFuncSetAttribute", ORDINARY, [&] {
        if (!known(function)) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuFuncSetAttribute of an unknown function");
        if (attribute == FUNCTION_MAX_DYNAMIC_SHARED) {
            if (value < 0 || value > 99 * 1024) return refuse(CUDA_ERROR_INVALID_VALUE, "cuFuncSetAttribute: %d bytes of shared memory", value);
            function->maxDynamicShared = size_t(value);
        }
        return CUDA_SUCCESS;
    });
}

API cuFuncSetCacheConfig(Function* function, int) {
    return call("cuFuncSetCacheConfig", ORDINARY, [&] {
        return known(function) ? CUDA_SUCCESS : refuse(CUDA_ERROR_INVALID_HANDLE, "cuFuncSetCacheConfig of an unknown function");
    });
}

API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function* function, int threads, size_t) {
    return call("cuOccupancyMaxActiveBlocksPerMultiprocessor", ORDINARY, [&] {
        if (!known(function) || threads <= 0) return refuse(CUDA_ERROR_INVALID_VALUE, "cuOccupancyMaxActiveBlocksPerMultiprocessor: %d threads", threads);
        return *blocks = std::min(16, 2048 / threads), CUDA_SUCCESS;
    });
}

API cuLaunchKernel(Function* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
                   unsigned sharedBytes, Stream* stream, void** parameters, void** extra) {
    return onStream("cuLaunchKernel", ORDINARY, stream, [&] {
        if (!known(function)) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuLaunchKernel of an unknown function");
        if (extra != nullptr) return refuse(CUDA_ERROR_NOT_SUPPORTED, "cuLaunchKernel: parameters as \"extra\"");
        return launch(function, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, stream, parameters);
    });
}

API cuProfilerStart() { return call("cuProfilerStart", 0, [] { return CUDA_SUCCESS; }); }
API cuProfilerStop() { return call("cuProfilerStop", 0, [] { return CUDA_SUCCESS; }); }

// ---- for the emulated cuBLAS and cuDNN ---------------------------------------------------------------------------

extern "C" __attribute__((visibility("default"))) int emulator_submit(void* stream, const std::string& name, const std::function<int()>& work) {
    auto* s = static_cast<Stream*>(stream);
    return onStream(name.c_str(), ORDINARY, s, [&] { return submit(s, name, [work] { return CUresult(work()); }); });
}

extern "C" __attribute__((visibility("default"))) int emulator_known_stream(void* stream) {
    std::lock_guard<std::recursive_mutex> guard(lock());
    return known(static_cast<Stream*>(stream));
}

extern "C" __attribute__((visibility("default"))) int emulator_enter(const char* name, int allocates) {
    return call(name, allocates ? UNSAFE : ORDINARY, [] { return CUDA_SUCCESS; });
}
