// The little that the tests share: checks, and the way from a source to a kernel.
#pragma once
#include "../driver.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

extern "C" {
struct Context;
struct Stream;
struct Event;
struct Graph;
struct Exec;
struct Module;
struct Function;
CUresult cuInit(unsigned);
CUresult cuDevicePrimaryCtxRetain(Context**, int);
CUresult cuDevicePrimaryCtxReset_v2(int);
CUresult cuCtxSetCurrent(Context*);
CUresult cuCtxSynchronize();
CUresult cuMemAlloc_v2(CUdeviceptr*, size_t);
CUresult cuMemFree_v2(CUdeviceptr);
CUresult cuMemHostAlloc(void**, size_t, unsigned);
CUresult cuMemGetInfo_v2(size_t*, size_t*);
CUresult cuMemcpyHtoD_v2(CUdeviceptr, const void*, size_t);
CUresult cuMemcpyDtoH_v2(void*, CUdeviceptr, size_t);
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr, const void*, size_t, Stream*);
CUresult cuMemcpyDtoHAsync_v2(void*, CUdeviceptr, size_t, Stream*);
CUresult cuMemsetD32_v2(CUdeviceptr, unsigned, size_t);
CUresult cuStreamCreate(Stream**, unsigned);
CUresult cuStreamSynchronize(Stream*);
CUresult cuStreamWaitEvent(Stream*, Event*, unsigned);
CUresult cuEventCreate(Event**, unsigned);
CUresult cuEventRecord(Event*, Stream*);
CUresult cuEventSynchronize(Event*);
CUresult cuEventElapsedTime(float*, Event*, Event*);
CUresult cuStreamBeginCapture_v2(Stream*, int);
CUresult cuStreamEndCapture(Stream*, Graph**);
CUresult cuStreamIsCapturing(Stream*, int*);
CUresult cuGraphInstantiateWithFlags(Exec**, Graph*, unsigned long long);
CUresult cuGraphLaunch(Exec*, Stream*);
CUresult cuGraphGetNodes(Graph*, void**, size_t*);
CUresult cuGraphDestroy(Graph*);
CUresult cuGraphExecDestroy(Exec*);
CUresult cuModuleLoadData(Module**, const void*);
CUresult cuModuleUnload(Module*);
CUresult cuModuleGetFunction(Function**, Module*, const char*);
CUresult cuLaunchKernel(Function*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream*,
                        void**, void**);
CUresult cuGetErrorString(CUresult, const char**);
int nvrtcCreateProgram(void**, const char*, const char*, int, const char* const*, const char* const*);
int nvrtcCompileProgram(void*, int, const char* const*);
int nvrtcGetProgramLogSize(void*, size_t*);
int nvrtcGetProgramLog(void*, char*);
int nvrtcGetCUBINSize(void*, size_t*);
int nvrtcGetCUBIN(void*, char*);
int nvrtcGetPTXSize(void*, size_t*);
int nvrtcGetPTX(void*, char*);
int nvrtcDestroyProgram(void**);
}

inline int failures = 0;

#define CHECK(condition)                                                             \
    do {                                                                             \
        if (!(condition)) {                                                          \
            printf("%s:%d: %s: not %s\n", __FILE__, __LINE__, __func__, #condition); \
            if (++failures == 20) exit(1);                                           \
        }                                                                            \
    } while (false)

#define OK(call) CHECK((call) == CUDA_SUCCESS)

inline void start() {
    Context* context;
    OK(cuInit(0));
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
}

// A clean device for the next test, whatever the last one did.
inline void reset() { OK(cuDevicePrimaryCtxReset_v2(0)); }

inline std::string reason(CUresult code) {
    const char* text = "";
    cuGetErrorString(code, &text);
    return text;
}

inline bool contains(const std::string& text, const char* part) {
    if (text.find(part) != std::string::npos) return true;
    printf("\"%s\" does not say \"%s\"\n", text.c_str(), part);
    return false;
}

struct Compiled {
    int result;
    std::string log;
    std::string cubin;
    std::string ptx;
};

inline Compiled compile(const std::string& source, std::vector<const char*> options = {"--gpu-architecture=sm_80"}) {
    Compiled c;
    void* program;
    CHECK(nvrtcCreateProgram(&program, source.c_str(), "test.cu", 0, nullptr, nullptr) == 0);
    c.result = nvrtcCompileProgram(program, int(options.size()), options.data());
    size_t size = 0;
    nvrtcGetProgramLogSize(program, &size);
    c.log.resize(size);
    nvrtcGetProgramLog(program, c.log.data());
    if (c.result == 0) {
        nvrtcGetCUBINSize(program, &size);
        c.cubin.resize(size);
        if (size > 0) nvrtcGetCUBIN(program, c.cubin.data());
        nvrtcGetPTXSize(program, &size);
        c.ptx.resize(size);
        nvrtcGetPTX(program, c.ptx.data());
    }
    nvrtcDestroyProgram(&program);
    return c;
}

inline Function* function(const std::string& source, const char* name) {
    Compiled c = compile(source);
    Module* module = nullptr;
    Function* f = nullptr;
    CHECK(c.result == 0);
    if (c.result != 0) printf("%s\n", c.log.c_str());
    OK(cuModuleLoadData(&module, c.cubin.data()));
    OK(cuModuleGetFunction(&f, module, name));
    return f;
}

inline CUdeviceptr upload(const std::vector<float>& values) {
    CUdeviceptr p = 0;
    OK(cuMemAlloc_v2(&p, values.size() * sizeof(float)));
    OK(cuMemcpyHtoD_v2(p, values.data(), values.size() * sizeof(float)));
    return p;
}

inline CUdeviceptr room(size_t floats) {
    CUdeviceptr p = 0;
    OK(cuMemAlloc_v2(&p, floats * sizeof(float)));
    return p;
}

inline std::vector<float> download(CUdeviceptr p, size_t floats) {
    std::vector<float> values(floats);
    OK(cuMemcpyDtoH_v2(values.data(), p, floats * sizeof(float)));
    return values;
}

// Deterministic values between -1 and 1.
inline std::vector<float> noise(size_t count, unsigned seed) {
    std::vector<float> values(count);
    for (auto& v : values) {
        seed = seed * 1664525u + 1013904223u;
        v = float(int(seed >> 8) - (1 << 23)) / float(1 << 23);
    }
    return values;
}

template <class... T>
CUresult launch(Function* f, unsigned blocks, unsigned threads, unsigned shared, Stream* stream, T... values) {
    void* parameters[] = {&values..., nullptr};
    return cuLaunchKernel(f, blocks, 1, 1, threads, 1, 1, shared, stream, parameters, nullptr);
}
