// The driver's functions for devices and contexts, and how every function begins. Those for memory, streams, graphs and
// modules stand where the work is done.
#include "api.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

using namespace emulator;

namespace {

constexpr int DRIVER_VERSION = CUDA_VERSION == 13 ? 13000 : 12060;

struct Context {
    int retained = 0;
    unsigned flags = 0;
};

bool initialized = false;
Context primary;
thread_local std::vector<Context*> current;

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
    forgetGraphs();
    unstick();
}

}  // namespace

// "8.0", or what LAMINA_EMULATOR_CAPABILITY says.
int emulator::capability(int part) {
    const char* wish = getenv("LAMINA_EMULATOR_CAPABILITY");
    int major = 8, minor = 0;
    if (wish != nullptr) sscanf(wish, "%d.%d", &major, &minor);
    return part == 0 ? major : minor;
}

CUresult emulator::call(const char* name, Rules rules, const std::function<CUresult()>& body) {
    std::lock_guard<std::recursive_mutex> guard(lock());
    static const bool trace = getenv("LAMINA_EMULATOR_TRACE") != nullptr;
    CUresult result = [&]() -> CUresult {
        if (!initialized) return refuse(CUDA_ERROR_NOT_INITIALIZED, "%s before cuInit", name);
        if ((rules & NEEDS_CONTEXT) && (current.empty() || current.back() == nullptr || primary.retained == 0))
            return refuse(CUDA_ERROR_INVALID_CONTEXT, "%s: this thread has no current context", name);
        if ((rules & NEEDS_CONTEXT) && sticky() != CUDA_SUCCESS) return sticky();
        if (rules & NOT_IN_CAPTURE)
            if (CUresult refused = refuseInCapture(name, rules & WAITS_FOR_ALL); refused != CUDA_SUCCESS) return refused;
        return body();
    }();
    if (result != CUDA_SUCCESS) stick(result);
    if (trace) fprintf(stderr, "emulator: %s -> %d\n", name, int(result));
    return result;
}

CUresult emulator::onStream(const char* name, Rules rules, Stream* stream, const std::function<CUresult()>& body) {
    return call(name, rules,
                [&] { return known(stream) ? body() : refuse(CUDA_ERROR_INVALID_HANDLE, "%s: unknown stream", name); });
}

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
    return call("cuDeviceGetCount", ANY_TIME, [&] { return *count = deviceCount(), CUDA_SUCCESS; });
}

API cuDeviceGet(CUdevice* device, int ordinal) {
    return call("cuDeviceGet", ANY_TIME, [&] { return *device = ordinal, refuseDevice("cuDeviceGet", ordinal); });
}

API cuDeviceGetName(char* name, int length, CUdevice device) {
    return call("cuDeviceGetName", ANY_TIME, [&] {
        snprintf(name, size_t(length), "Lamina emulator");
        return refuseDevice("cuDeviceGetName", device);
    });
}

API cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    return call("cuDeviceTotalMem", ANY_TIME,
                [&] { return *bytes = memory::total(), refuseDevice("cuDeviceTotalMem", device); });
}

API cuDeviceGetUuid(char* uuid, CUdevice device) {
    return call("cuDeviceGetUuid", ANY_TIME,
                [&] { return memcpy(uuid, "lamina-emulator", 16), refuseDevice("cuDeviceGetUuid", device); });
}

API cuDeviceGetPCIBusId(char* text, int length, CUdevice device) {
    return call("cuDeviceGetPCIBusId", ANY_TIME, [&] {
        snprintf(text, size_t(length), "0000:00:00.0");
        return refuseDevice("cuDeviceGetPCIBusId", device);
    });
}

API cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
    return call("cuDeviceComputeCapability", ANY_TIME, [&] {
        *major = capability(0);
        *minor = capability(1);
        return refuseDevice("cuDeviceComputeCapability", device);
    });
}

API cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
    // Numbers of CUdevice_attribute. A small GPU, so that kernels go around their grid-stride loops more than once.
    static const std::map<int, int> values = {
        {1, 1024},       {2, 1024},        {3, 1024},
        {4, 64},                                        // threads of a block, in all and along x, y, z
        {5, 0x7fffffff}, {6, 65535},       {7, 65535},  // blocks of a grid along x, y, z
        {8, 48 * 1024},  {9, 64 * 1024},   {10, 32},    // shared memory of a block, constant memory, lanes of a warp
        {12, 65536},     {13, 1000000},    {14, 512},
        {15, 1},  // registers, clock in kHz, texture alignment, overlap
        {16, 4},  // multiprocessors
        {18, 0},         {19, 1},          {20, 0},  // integrated, maps host memory, compute mode
        {31, 1},         {32, 0},          {33, 0},
        {34, 0},         {35, 0},                          // concurrent kernels, ECC, PCI bus and device, TCC
        {36, 1000000},   {37, 256},        {38, 4 << 20},  // memory clock in kHz, bus width in bits, L2 cache
        {39, 2048},      {40, 2},          {41, 1},
        {50, 0},  // threads of a multiprocessor, copy engines, one address space, PCI domain
        {78, 1},         {81, 164 * 1024}, {82, 65536},
        {83, 0},  // stream priorities, shared memory and registers of a multiprocessor, managed
        {84, 0},         {85, 0},          {88, 0},
        {89, 0},  // board group, pageable and managed access
        {95, 1},         {97, 99 * 1024},  {106, 16},
        {115, 0},  // cooperative launch, most shared memory of a block, blocks, pools
    };
    return call("cuDeviceGetAttribute", ANY_TIME, [&]() -> CUresult {
        if (CUresult refused = refuseDevice("cuDeviceGetAttribute", device); refused != CUDA_SUCCESS) return refused;
        if (attribute == 17) return *value = getenv("LAMINA_EMULATOR_DISPLAY") != nullptr, CUDA_SUCCESS;
        if (attribute == 75 || attribute == 76) return *value = capability(attribute - 75), CUDA_SUCCESS;
        auto found = values.find(attribute);
        if (found == values.end())
            return refuse(CUDA_ERROR_INVALID_VALUE, "cuDeviceGetAttribute: the emulator has no attribute %d",
                          attribute);
        return *value = found->second, CUDA_SUCCESS;
    });
}

// ---- the primary context -------------------------------------------------------------------------------------------

API cuDevicePrimaryCtxRetain(Context** context, CUdevice device) {
    return call("cuDevicePrimaryCtxRetain", ANY_TIME, [&] {
        if (CUresult refused = refuseDevice("cuDevicePrimaryCtxRetain", device); refused != CUDA_SUCCESS)
            return refused;
        primary.retained++;
        *context = &primary;
        return CUDA_SUCCESS;
    });
}

API cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return call("cuDevicePrimaryCtxRelease", NOT_IN_CAPTURE, [&] {
        if (device != 0 || primary.retained == 0)
            return refuse(CUDA_ERROR_INVALID_CONTEXT, "cuDevicePrimaryCtxRelease: it was not retained");
        if (--primary.retained == 0) leave();
        return CUDA_SUCCESS;
    });
}

API cuDevicePrimaryCtxReset_v2(CUdevice device) {
    return call("cuDevicePrimaryCtxReset", ANY_TIME,
                [&] { return leave(), refuseDevice("cuDevicePrimaryCtxReset", device); });
}

API cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    return call("cuDevicePrimaryCtxGetState", ANY_TIME, [&] {
        *flags = primary.flags;
        *active = primary.retained > 0;
        return refuseDevice("cuDevicePrimaryCtxGetState", device);
    });
}

API cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
    return call("cuDevicePrimaryCtxSetFlags", ANY_TIME,
                [&] { return primary.flags = flags, refuseDevice("cuDevicePrimaryCtxSetFlags", device); });
}

API cuCtxSetCurrent(Context* context) {
    return call("cuCtxSetCurrent", ANY_TIME, [&] {
        if (context != nullptr && context != &primary)
            return refuse(CUDA_ERROR_INVALID_CONTEXT, "cuCtxSetCurrent: unknown context");
        if (current.empty()) current.push_back(context);
        current.back() = context;
        return CUDA_SUCCESS;
    });
}

API cuCtxGetCurrent(Context** context) {
    return call("cuCtxGetCurrent", ANY_TIME,
                [&] { return *context = current.empty() ? nullptr : current.back(), CUDA_SUCCESS; });
}

API cuCtxPushCurrent_v2(Context* context) {
    return call("cuCtxPushCurrent", ANY_TIME, [&] {
        if (context != &primary) return refuse(CUDA_ERROR_INVALID_CONTEXT, "cuCtxPushCurrent: unknown context");
        return current.push_back(context), CUDA_SUCCESS;
    });
}

API cuCtxPopCurrent_v2(Context** context) {
    return call("cuCtxPopCurrent", ANY_TIME, [&] {
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

API cuCtxSynchronize() {
    return call("cuCtxSynchronize", ENCOMPASSING, [] { return synchronizeAll(); });
}

API cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    return call("cuCtxGetStreamPriorityRange", ORDINARY, [&] {
        if (least != nullptr) *least = 0;
        if (greatest != nullptr) *greatest = -5;
        return CUDA_SUCCESS;
    });
}

API cuStreamGetCtx(Stream* stream, Context** context) {
    return onStream("cuStreamGetCtx", ORDINARY, stream, [&] { return *context = &primary, CUDA_SUCCESS; });
}

API cuProfilerStart() {
    return call("cuProfilerStart", ANY_TIME, [] { return CUDA_SUCCESS; });
}
API cuProfilerStop() {
    return call("cuProfilerStop", ANY_TIME, [] { return CUDA_SUCCESS; });
}

// ---- for the emulated cuBLAS and cuDNN ---------------------------------------------------------------------------

extern "C" __attribute__((visibility("default"))) int emulator_submit(void* stream, const std::string& name,
                                                                      const std::function<int()>& work) {
    auto* s = static_cast<Stream*>(stream);
    return onStream(name.c_str(), ORDINARY, s, [&] { return submit(s, name, [work] { return CUresult(work()); }); });
}

extern "C" __attribute__((visibility("default"))) int emulator_known_stream(void* stream) {
    std::lock_guard<std::recursive_mutex> guard(lock());
    return known(static_cast<Stream*>(stream));
}

extern "C" __attribute__((visibility("default"))) int emulator_capability() {
    return 10 * capability(0) + capability(1);
}

extern "C" __attribute__((visibility("default"))) int emulator_enter(const char* name, int does) {
    return call(name,
                does == EMULATOR_ENQUEUES     ? ORDINARY
                : does == EMULATOR_ALLOCATES ? UNSAFE
                                              : ENCOMPASSING,
                [] { return CUDA_SUCCESS; });
}
