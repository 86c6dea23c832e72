// Kernels: what they may do, and that each thing they may not do is found and named.
#include "test.h"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

static const char* const SOURCE = R"(
struct alignas(16) Four { float lane[4]; };

extern "C" __global__ void scale(const float* in, float* out, float factor, long long n) {
    for (long long i = blockIdx.x * (long long) blockDim.x + threadIdx.x; i < n; i += (long long) gridDim.x * blockDim.x)
        out[i] = in[i] * factor;
}

extern "C" __global__ void fours(const float* in, float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        Four f = reinterpret_cast<const Four*>(in)[i];
        for (int k = 0; k < 4; k++) f.lane[k] += 1;
        reinterpret_cast<Four*>(out)[i] = f;
    }
}

// Each warp by shuffles, the warps through shared memory: a template, so that the static lies in a function of its own.
template <int WARPS> __device__ float blockSum(float value) {
    __shared__ float partial[WARPS];
    for (int d = 16; d > 0; d /= 2) value += __shfl_down_sync(0xffffffffu, value, d);
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < WARPS; i++) sum += partial[i];
    return sum;
}

extern "C" __global__ void __launch_bounds__(4 * 32) sums(const float* __restrict__ in, float* __restrict__ out, int n) {
    float value = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) value += in[i];
    float sum = blockSum<4>(value);
    if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

extern "C" __global__ void reverse(const float* in, float* out) {
    extern __shared__ float tile[];
    tile[threadIdx.x] = in[blockIdx.x * blockDim.x + threadIdx.x];
    __syncthreads();
    out[blockIdx.x * blockDim.x + threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

// Without the barrier the sum is right where threads run one after the other.
extern "C" __global__ void lucky(const float* in, float* out, int barrier) {
    __shared__ float tile[64];
    tile[threadIdx.x] = in[threadIdx.x];
    if (barrier) __syncthreads();
    if (threadIdx.x == 63) {
        float sum = 0;
        for (int i = 0; i < 64; i++) sum += tile[i];
        out[0] = sum;
    }
}

// What one round reads the next one overwrites; within a warp waiting for the warp is enough.
extern "C" __global__ void rounds(float* out, int barrier) {
    __shared__ float tile[64];
    float value = threadIdx.x;
    for (int i = 0; i < 2; i++) {
        tile[threadIdx.x] = value;
        __syncwarp();
        value = tile[threadIdx.x ^ 1];
        if (barrier) __syncwarp();
    }
    out[threadIdx.x] = value;
}

extern "C" __global__ void counts(int* out) {
    __shared__ int n;
    if (threadIdx.x == 0) n = 0;
    __syncthreads();
    atomicAdd(&n, 1);
    __syncthreads();
    out[threadIdx.x] = n;
}

extern "C" __global__ void hasty(const float* in, float* out) {
    extern __shared__ float tile[];
    tile[threadIdx.x] = in[threadIdx.x];
    __syncwarp();
    out[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

extern "C" __global__ void divergent(float* out, int n) {
    if (threadIdx.x < n) __syncthreads();
    out[threadIdx.x] = 1;
}

extern "C" __global__ void halfWarp(float* out) {
    if (threadIdx.x < 16) out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.0f, 1);
}

extern "C" __global__ void votes(int* out) {
    int i = threadIdx.x;
    out[i] = __ballot_sync(0xffffffffu, i % 3 == 0) + __shfl_sync(0xffffffffu, i, 5) * 0 + __any_sync(0xffffffffu, i == 9);
}

extern "C" __global__ void narrow(const float* in, float* out) {
    out[threadIdx.x] = __shfl_xor_sync(0xffu << (threadIdx.x / 8 * 8), in[threadIdx.x], 4, 8);
}

// Finds its pointers in memory.
extern "C" __global__ void table(float** pointers, int n) {
    for (int i = 0; i < n; i++) pointers[i][0] += 1;
}

extern "C" __global__ void bits(float* out, float a, float b) {
    out[0] = __fmaf_rn(a, b, -a * b);
    out[1] = __fadd_rn(__fmul_rn(a, b), -__fmul_rn(a, b));
    out[2] = rsqrtf(4.0f) + max(1, 2) + __int_as_float(0x3f800000) + __umulhi(0x80000000u, 4u) + atomicAdd(&out[1], 0.0f);
}
)";

static std::vector<float> ramp(size_t n) {
    std::vector<float> v(n);
    for (size_t i = 0; i < n; i++) v[i] = float(i);
    return v;
}

static void elementwise() {
    auto in = ramp(1000);
    CUdeviceptr a = upload(in), b = room(1000);
    OK(launch(function(SOURCE, "scale"), 3, 64, 0, nullptr, a, b, 2.0f, 1000LL));
    auto out = download(b, 1000);
    for (size_t i = 0; i < 1000; i++) CHECK(out[i] == 2 * in[i]);
    OK(launch(function(SOURCE, "fours"), 4, 64, 0, nullptr, a, b, 250));
    CHECK(download(b, 1000)[999] == 1000);
}

static void reductions() {
    CUdeviceptr a = upload(ramp(1000)), b = room(2);
    OK(launch(function(SOURCE, "sums"), 2, 128, 0, nullptr, a, b, 1000));
    auto out = download(b, 2);
    CHECK(out[0] + out[1] == 999 * 500);
    CHECK(launch(function(SOURCE, "sums"), 2, 256, 0, nullptr, a, b, 1000) == CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
}

static void sharedMemory() {
    CUdeviceptr a = upload(ramp(128)), b = room(128);
    Function* f = function(SOURCE, "reverse");
    OK(launch(f, 2, 64, 256, nullptr, a, b));
    auto out = download(b, 128);
    for (int i = 0; i < 128; i++) CHECK(out[size_t(i)] == float(i / 64 * 64 + 63 - i % 64));
    CHECK(launch(f, 2, 64, 64 * 1024, nullptr, a, b) == CUDA_ERROR_INVALID_VALUE);
    CHECK(launch(f, 2, 64, 252, nullptr, a, b) == CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(contains(reason(CUDA_ERROR_ILLEGAL_ADDRESS), "thread (63,0,0): write of 4 bytes"));
    CHECK(contains(reason(CUDA_ERROR_ILLEGAL_ADDRESS), "out of bounds: byte 252 of 252"));
}

static void votesAndShuffles() {
    CUdeviceptr a = room(32);
    OK(launch(function(SOURCE, "votes"), 1, 32, 0, nullptr, a));
    int out[32];
    OK(cuMemcpyDtoH_v2(out, a, sizeof out));
    for (int v : out) CHECK(v == int(0x49249249u) + 1);
    CUdeviceptr in = upload(ramp(32));
    OK(launch(function(SOURCE, "narrow"), 1, 32, 0, nullptr, in, a));
    auto swapped = download(a, 32);
    for (int i = 0; i < 32; i++) CHECK(swapped[size_t(i)] == float(i ^ 4));
}

static void arithmetic() {
    CUdeviceptr a = room(3);
    float x = 1 + 0x1p-20f;
    OK(launch(function(SOURCE, "bits"), 1, 1, 0, nullptr, a, x, x));
    auto out = download(a, 3);
    CHECK(out[0] == std::fma(x, x, -(x * x)) && out[0] != 0);
    CHECK(out[1] == 0);
    CHECK(out[2] == 0.5f + 2 + 1 + 2);
}

// ---- what is not allowed ------------------------------------------------------------------------------------------

static void outOfBounds() {
    CUdeviceptr a = upload(ramp(100)), b = room(100);
    CHECK(launch(function(SOURCE, "scale"), 1, 64, 0, nullptr, a, b, 2.0f, 101LL) == CUDA_ERROR_ILLEGAL_ADDRESS);
    std::string why = reason(CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(contains(why, "kernel scale, block (0,0,0), thread (36,0,0): read of 4 bytes"));
    CHECK(contains(why, "0 bytes behind the end of allocation"));
    // It sticks.
    CUdeviceptr c;
    CHECK(cuMemAlloc_v2(&c, 4) == CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(cuCtxSynchronize() == CUDA_ERROR_ILLEGAL_ADDRESS);
    reset();
    OK(cuMemAlloc_v2(&c, 4));
}

static void useAfterFree() {
    CUdeviceptr a = upload(ramp(100)), b = room(100);
    OK(cuMemFree_v2(a));
    CHECK(cuMemFree_v2(a) == CUDA_ERROR_INVALID_VALUE);
    CHECK(launch(function(SOURCE, "scale"), 1, 64, 0, nullptr, a, b, 2.0f, 100LL) == CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(contains(reason(CUDA_ERROR_ILLEGAL_ADDRESS), "freed"));
}

static void neverWritten() {
    CUdeviceptr a = room(100), b = room(100);
    OK(cuMemsetD32_v2(a, 0, 50));
    CHECK(launch(function(SOURCE, "scale"), 1, 128, 0, nullptr, a, b, 2.0f, 100LL) == CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(contains(reason(CUDA_ERROR_ILLEGAL_ADDRESS), "thread (50,0,0)"));
    CHECK(contains(reason(CUDA_ERROR_ILLEGAL_ADDRESS), "never written: byte 200 of allocation"));
    reset();
    float host[100];
    a = room(100);
    CHECK(cuMemcpyDtoH_v2(host, a, 400) == CUDA_ERROR_INVALID_VALUE);
    CHECK(contains(reason(CUDA_ERROR_INVALID_VALUE), "byte 0 was never written"));
    OK(cuCtxSynchronize());
}

static void misaligned() {
    CUdeviceptr a = upload(ramp(100)), b = room(100);
    CHECK(launch(function(SOURCE, "scale"), 1, 1, 0, nullptr, a + 2, b, 2.0f, 1LL) == CUDA_ERROR_MISALIGNED_ADDRESS);
    reset();
    a = upload(ramp(100)), b = room(100);
    CHECK(launch(function(SOURCE, "fours"), 1, 1, 0, nullptr, a + 4, b, 1) == CUDA_ERROR_MISALIGNED_ADDRESS);
    CHECK(contains(reason(CUDA_ERROR_MISALIGNED_ADDRESS), "read of 16 bytes"));
}

static void hostPointers() {
    CUdeviceptr a = upload(ramp(100));
    std::vector<float> host(100);
    CHECK(launch(function(SOURCE, "scale"), 1, 64, 0, nullptr, a, host.data(), 2.0f, 100LL) ==
          CUDA_ERROR_ILLEGAL_ADDRESS);
    reset();
    a = upload(ramp(100));
    CHECK(launch(function(SOURCE, "scale"), 1, 64, 0, nullptr, CUdeviceptr(0), a, 2.0f, 100LL) ==
          CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(contains(reason(CUDA_ERROR_ILLEGAL_ADDRESS), "null"));
    reset();
    a = upload(ramp(100));
    CHECK(cuMemcpyHtoD_v2(a, reinterpret_cast<void*>(a), 4) == CUDA_ERROR_INVALID_VALUE);
    void* pinned;
    OK(cuMemHostAlloc(&pinned, 400, 0));
    OK(launch(function(SOURCE, "scale"), 1, 64, 0, nullptr, a, pinned, 2.0f, 100LL));
    CHECK(static_cast<float*>(pinned)[99] == 198);
}

// The device's memory is not the host's: who reads it there is ended by a signal.
static void hostCannotTouch() {
    CUdeviceptr a = upload(ramp(100));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) _exit(*reinterpret_cast<volatile char*>(a));
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void pointersInMemory() {
    CUdeviceptr targets[] = {upload({1}), upload({2})}, a;
    OK(cuMemAlloc_v2(&a, sizeof targets));
    OK(cuMemcpyHtoD_v2(a, targets, sizeof targets));
    OK(launch(function(SOURCE, "table"), 1, 1, 0, nullptr, a, 2));
    CHECK(download(targets[0], 1)[0] == 2 && download(targets[1], 1)[0] == 3);
    targets[1] += 4;
    OK(cuMemcpyHtoD_v2(a, targets, sizeof targets));
    CHECK(launch(function(SOURCE, "table"), 1, 1, 0, nullptr, a, 2) == CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(contains(reason(CUDA_ERROR_ILLEGAL_ADDRESS), "0 bytes behind the end of allocation"));
}

static void barriers() {
    CUdeviceptr a = room(64);
    CHECK(launch(function(SOURCE, "divergent"), 1, 64, 0, nullptr, a, 40) == CUDA_ERROR_LAUNCH_FAILED);
    CHECK(contains(reason(CUDA_ERROR_LAUNCH_FAILED),
                   "__syncthreads not reached by all threads: 40 wait there, 24 have ended"));
    reset();
    a = room(64);
    CHECK(launch(function(SOURCE, "halfWarp"), 1, 32, 0, nullptr, a) == CUDA_ERROR_LAUNCH_FAILED);
    CHECK(contains(reason(CUDA_ERROR_LAUNCH_FAILED), "a thread has ended or waits elsewhere"));
    reset();
    // Two warps, each waiting for itself alone: the first reads what the second has not written yet.
    CUdeviceptr in = upload(ramp(64)), out = room(64);
    CHECK(launch(function(SOURCE, "hasty"), 1, 64, 256, nullptr, in, out) == CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(contains(reason(CUDA_ERROR_ILLEGAL_ADDRESS),
                   "never written by this block: byte 128 of 256 bytes of dynamic shared memory"));
}

static void races() {
    CUdeviceptr a = upload(ramp(64)), b = room(64);
    OK(launch(function(SOURCE, "lucky"), 1, 64, 0, nullptr, a, b, 1));
    CHECK(download(b, 1)[0] == 63 * 32);
    OK(launch(function(SOURCE, "rounds"), 1, 64, 0, nullptr, b, 1));
    CHECK(download(b, 64)[5] == 5);
    OK(launch(function(SOURCE, "counts"), 1, 64, 0, nullptr, b));
    CHECK(launch(function(SOURCE, "lucky"), 1, 64, 0, nullptr, a, b, 0) == CUDA_ERROR_LAUNCH_FAILED);
    CHECK(contains(reason(CUDA_ERROR_LAUNCH_FAILED),
                   "of shared memory that thread 0 of the block used, with no barrier between"));
    reset();
    b = room(64);
    CHECK(launch(function(SOURCE, "rounds"), 1, 64, 0, nullptr, b, 0) == CUDA_ERROR_LAUNCH_FAILED);
    CHECK(contains(reason(CUDA_ERROR_LAUNCH_FAILED), "kernel rounds, block (0,0,0), thread (1,0,0)"));
}

static void compiling() {
    Compiled bad = compile("extern \"C\" __global__ void broken(float* a) {\n  a[0] = nothing;\n}\n");
    CHECK(bad.result == 6);
    CHECK(contains(bad.log, "test.cu:2:"));
    CHECK(contains(bad.log, "nothing"));
    CHECK(compile("", {"--optimise-harder"}).result == 5);
    CHECK(compile("", {"--gpu-architecture=sm_42"}).result == 5);
    const char* source = "#ifdef REAL_F16\nextern \"C\" __global__ void f16(int* a) { a[0] = VALUE; }\n#endif\n";
    Compiled good = compile(
        source, {"--gpu-architecture=compute_80", "-DREAL_F16", "-D", "VALUE=7", "--fmad=false", "--std=c++17"});
    CHECK(good.result == 0 && good.cubin.empty() && !good.ptx.empty());
    Module* module;
    Function* f;
    OK(cuModuleLoadData(&module, good.ptx.data()));
    OK(cuModuleGetFunction(&f, module, "f16"));
    CHECK(cuModuleGetFunction(&f, module, "f32") == CUDA_ERROR_NOT_FOUND);
    CUdeviceptr a = room(1);
    OK(launch(f, 1, 1, 0, nullptr, a));
    int seven;
    OK(cuMemcpyDtoH_v2(&seven, a, 4));
    CHECK(seven == 7);
    OK(cuModuleUnload(module));
    CHECK(launch(f, 1, 1, 0, nullptr, a) == CUDA_ERROR_INVALID_HANDLE);
}

int main() {
    start();
    void (*tests[])() = {elementwise,  reductions,   sharedMemory, votesAndShuffles, arithmetic,      outOfBounds,
                         useAfterFree, neverWritten, misaligned,   hostPointers,     hostCannotTouch, pointersInMemory,
                         barriers,     races,        compiling};
    for (auto* test : tests) {
        test();
        reset();
    }
    printf("kernels: %s\n", failures == 0 ? "good" : "FAILED");
    return failures != 0;
}
