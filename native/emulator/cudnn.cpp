// Stands in for cuDNN: the legacy calls for convolutions of NHWC images with OHWI filters. CUDNN_VERSION 8 or 9 decides
// version and status codes.
#include "convolution.h"
#include "emulator.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <set>
#include <string>

using namespace convolution;
using numbers::Type;

namespace {

#if CUDNN_VERSION == 9
enum Status { SUCCESS = 0, NOT_INITIALIZED = 1001, BAD_PARAM = 2000, NOT_SUPPORTED = 3000, EXECUTION_FAILED = 5000 };
constexpr int VERSION[] = {9, 5, 1};
constexpr size_t NUMBER = 90501;
#else
enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, BAD_PARAM = 3, NOT_SUPPORTED = 9, EXECUTION_FAILED = 8 };
constexpr int VERSION[] = {8, 9, 7};
constexpr size_t NUMBER = 8907;
#endif
constexpr int FLOAT = 0, HALF = 2, BFLOAT16 = 9;
constexpr int NHWC = 1;
constexpr int CROSS_CORRELATION = 1;

const char* const names[] = {"cudnnConvolutionForward", "cudnnConvolutionBackwardData",
                             "cudnnConvolutionBackwardFilter"};

struct Handle {
    void* stream = nullptr;
};
struct Performance {  // cudnnConvolution…AlgoPerf_t
    int algorithm;
    int status;
    float time;
    size_t memory;
    int determinism;
    int math;
    int reserved[3];
};

std::set<const void*> objects;  // handles and descriptors that live
std::mutex lock;

[[gnu::format(printf, 2, 3)]] Status refuse(Status status, const char* format, ...) {
    char text[500];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "emulator: cuDNN status %d: %s\n", int(status), text);
    return status;
}

template <class T>
Status create(T** object, const char* call) {
    if (object == nullptr) return refuse(BAD_PARAM, "%s: null", call);
    std::lock_guard<std::mutex> guard(lock);
    objects.insert(*object = new T);
    return SUCCESS;
}

Status known(const void* object, const char* call, const char* what) {
    std::lock_guard<std::mutex> guard(lock);
    if (object == nullptr) return refuse(BAD_PARAM, "%s: the %s is null", call, what);
    return objects.count(object) != 0 ? SUCCESS : refuse(BAD_PARAM, "%s: unknown %s, or destroyed", call, what);
}

template <class T>
Status destroy(T* object, const char* call) {
    if (Status status = known(object, call, "object"); status != SUCCESS) return status;
    std::lock_guard<std::mutex> guard(lock);
    objects.erase(object);
    delete object;
    return SUCCESS;
}

bool typeOf(int code, Type* type) {
    *type = code == HALF ? Type::F16 : code == BFLOAT16 ? Type::BF16 : Type::F32;
    return code == FLOAT || code == HALF || code == BFLOAT16;
}

int outputExtent(int in, int pad, int kernel, int dilation, int stride) {
    return (in + 2 * pad - ((kernel - 1) * dilation + 1)) / stride + 1;
}

Status describe(const char* call, const Tensor* x, const Filter* w, const Convolution* conv, const Tensor* y,
                Problem* p) {
    for (auto [object, what] : {std::pair<const void*, const char*>{x, "tensor descriptor x"},
                                {w, "filter descriptor"},
                                {conv, "convolution descriptor"},
                                {y, "tensor descriptor y"}})
        if (Status status = known(object, call, what); status != SUCCESS) return status;
    *p = {*x, *y, *w, *conv, Type::F32};
    if (!typeOf(x->type, &p->type)) return refuse(NOT_SUPPORTED, "%s: data type %d", call, x->type);
    if (w->type != x->type || y->type != x->type)
        return refuse(BAD_PARAM, "%s: data types x %d, filter %d, y %d differ", call, x->type, w->type, y->type);
    if (!x->packedNhwc || !y->packedNhwc)
        return refuse(BAD_PARAM, "%s: %s is not NHWC without gaps", call, x->packedNhwc ? "y" : "x");
    if (w->format != NHWC) return refuse(BAD_PARAM, "%s: the filter's format is %d, not NHWC (OHWI)", call, w->format);
    if (conv->mode != CROSS_CORRELATION)
        return refuse(NOT_SUPPORTED, "%s: mode %d is no cross-correlation", call, conv->mode);
    if (conv->compute != FLOAT) return refuse(NOT_SUPPORTED, "%s: compute type %d is not float", call, conv->compute);
    if (conv->groups < 1 || x->c % conv->groups != 0 || w->k % conv->groups != 0 || x->c / conv->groups != w->c)
        return refuse(BAD_PARAM, "%s: %d channels and %d filters of %d channels in %d groups", call, x->c, w->k, w->c,
                      conv->groups);
    int h = outputExtent(x->h, conv->padH, w->h, conv->dilationH, conv->strideH);
    int v = outputExtent(x->w, conv->padW, w->w, conv->dilationW, conv->strideW);
    if (y->n != x->n || y->c != w->k || y->h != h || y->w != v)
        return refuse(BAD_PARAM, "%s: y is [%d,%d,%d,%d] NHWC, but must be [%d,%d,%d,%d]", call, y->n, y->h, y->w, y->c,
                      x->n, h, v, w->k);
    return SUCCESS;
}

// ---- algorithms: what they need and how they would do, made up ------------------------------------------------------

struct Algorithm {
    int number;
    bool deterministic;
    float time;
    bool needsWorkspace;
};

// Fastest first. The numbers are cuDNN's; those missing are refused, as many are for NHWC.
const std::vector<Algorithm>& algorithms(Kind kind) {
    static const std::vector<Algorithm> all[] = {
        {{1, true, 0.1f, true}, {0, true, 0.2f, false}},
        {{1, true, 0.1f, true}, {0, false, 0.2f, false}},
        {{3, false, 0.1f, true}, {1, true, 0.15f, true}, {0, false, 0.2f, false}},
    };
    return all[kind];
}
const int algorithmCounts[] = {8, 6, 7};

size_t workspaceFor(const Problem& p, const Algorithm& algorithm) {
    return algorithm.needsWorkspace ? (p.w.size() * 4 + size_t(p.y.h) * p.y.w * 8 + 1023) / 1024 * 1024 : 0;
}

Status findAlgorithm(const char* call, Kind kind, int number, Algorithm* found) {
    for (auto& algorithm : algorithms(kind))
        if (algorithm.number == number) return *found = algorithm, SUCCESS;
    return refuse(number < 0 || number >= algorithmCounts[kind] ? BAD_PARAM : NOT_SUPPORTED, "%s: algorithm %d", call,
                  number);
}

Status workspaceSize(const char* call, Kind kind, const Tensor* x, const Filter* w, const Convolution* conv,
                     const Tensor* y, int number, size_t* bytes) {
    Problem p;
    Algorithm algorithm{};
    if (Status status = describe(call, x, w, conv, y, &p); status != SUCCESS) return status;
    if (Status status = findAlgorithm(call, kind, number, &algorithm); status != SUCCESS) return status;
    return *bytes = workspaceFor(p, algorithm), SUCCESS;
}

// The table of all algorithms, those that are refused at its end; `limit` is the workspace that is there.
void rank(Kind kind, const Problem& p, size_t limit, int wanted, int* returned, Performance* results) {
    std::vector<Performance> table;
    for (auto& a : algorithms(kind))
        if (workspaceFor(p, a) <= limit)
            table.push_back({a.number, SUCCESS, a.time, workspaceFor(p, a), a.deterministic, p.conv.math, {}});
    for (int number = 0; number < algorithmCounts[kind]; number++) {
        bool listed = std::any_of(table.begin(), table.end(), [&](auto& r) { return r.algorithm == number; });
        if (!listed) table.push_back({number, NOT_SUPPORTED, -1, 0, 0, p.conv.math, {}});
    }
    *returned = std::min(wanted, int(table.size()));
    std::copy(table.begin(), table.begin() + *returned, results);
}

struct Operand {
    const char* what;
    CUdeviceptr data;
    size_t count;
};

int run(Kind kind, const Problem& p, float alpha, float beta, const Operand& first, const Operand& second,
        const Operand& out, CUdeviceptr workspace, size_t workspaceBytes) {
    size_t size = numbers::bytes(p.type);
    const void* a = emulator_readable(first.data, first.count * size, first.what);
    const void* b = emulator_readable(second.data, second.count * size, second.what);
    if (a == nullptr || b == nullptr) return CUDA_ERROR_ILLEGAL_ADDRESS;
    if (beta != 0 && emulator_readable(out.data, out.count * size, out.what) == nullptr)
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    auto left = numbers::loadAll(p.type, a, first.count, p.precision());
    auto right = numbers::loadAll(p.type, b, second.count, p.precision());
    std::vector<float> result(out.count);
    // Before the output is written, and after the inputs were taken: a workspace over one of them must not go
    // unnoticed.
    if (workspaceBytes > 0 && !emulator_scratch(workspace, workspaceBytes, "workspace of a convolution"))
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    if (emulator_readable(first.data, first.count * size, first.what) == nullptr ||
        emulator_readable(second.data, second.count * size, second.what) == nullptr)
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    switch (kind) {
        case FORWARD: convolve(kind, p, left.data(), right.data(), nullptr, result.data()); break;
        case BACKWARD_DATA: convolve(kind, p, nullptr, left.data(), right.data(), result.data()); break;
        case BACKWARD_FILTER: convolve(kind, p, left.data(), nullptr, right.data(), result.data()); break;
    }
    void* target = emulator_writable(out.data, out.count * size, out.what);
    if (target == nullptr) return CUDA_ERROR_ILLEGAL_ADDRESS;
    for (size_t i = 0; i < out.count; i++)
        numbers::store(p.type, target, i,
                       alpha * result[i] + (beta != 0 ? beta * numbers::load(p.type, target, i) : 0));
    return CUDA_SUCCESS;
}

Status execute(Kind kind, Handle* handle, const Problem& p, const void* alpha, const void* beta, int number,
               CUdeviceptr workspace, size_t workspaceBytes, CUdeviceptr a, CUdeviceptr b, CUdeviceptr out) {
    const char* call = names[kind];
    Algorithm algorithm{};
    if (Status status = known(handle, call, "handle"); status != SUCCESS) return status;
    if (emulator_enter(call, 0) != CUDA_SUCCESS) return EXECUTION_FAILED;
    if (Status status = findAlgorithm(call, kind, number, &algorithm); status != SUCCESS) return status;
    if (alpha == nullptr || beta == nullptr) return refuse(BAD_PARAM, "%s: alpha or beta is null", call);
    size_t needed = workspaceFor(p, algorithm);
    if (workspaceBytes < needed)
        return refuse(BAD_PARAM, "%s: algorithm %d needs a workspace of %zu bytes, not %zu", call, number, needed,
                      workspaceBytes);
    if (needed > 0 && workspace == 0) return refuse(BAD_PARAM, "%s: the workspace is null", call);
    for (CUdeviceptr data : {a, b, out})
        if (data == 0 || data % 16 != 0)
            return refuse(BAD_PARAM, "%s: data at 0x%llx, must be aligned to 16 bytes", call, data);
    Operand x{"x of a convolution", 0, p.x.size()}, w{"filter of a convolution", 0, p.w.size()},
        y{"y of a convolution", 0, p.y.size()};
    Operand first = kind == BACKWARD_DATA ? w : x, second = kind == FORWARD ? w : y;
    Operand result = kind == FORWARD ? y : kind == BACKWARD_DATA ? x : w;
    first.data = a;
    second.data = b;
    result.data = out;
    float scale = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
    auto work = [=] { return run(kind, p, scale, keep, first, second, result, workspace, needed); };
    return emulator_submit(handle->stream, call, work) == CUDA_SUCCESS ? SUCCESS : EXECUTION_FAILED;
}

// Find tries the algorithms on the caller's memory: what was in the output is gone.
Status find(Kind kind, const char* call, Handle* handle, const Problem& p, CUdeviceptr out, CUdeviceptr workspace,
            size_t workspaceBytes, int wanted, int* returned, Performance* results) {
    if (Status status = known(handle, call, "handle"); status != SUCCESS) return status;
    if (emulator_enter(call, 1) != CUDA_SUCCESS) return EXECUTION_FAILED;
    if (wanted < 1 || returned == nullptr || results == nullptr)
        return refuse(BAD_PARAM, "%s: no room for results", call);
    size_t bytes = numbers::bytes(p.type) * (kind == FORWARD         ? p.y.size()
                                             : kind == BACKWARD_DATA ? p.x.size()
                                                                     : p.w.size());
    int failed = emulator_submit(handle->stream, call, [=]() -> int {
        bool good = emulator_scratch(out, bytes, "output of a search for algorithms") &&
                    (workspaceBytes == 0 ||
                     emulator_scratch(workspace, workspaceBytes, "workspace of a search for algorithms"));
        return good ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_ADDRESS;
    });
    if (failed != CUDA_SUCCESS) return EXECUTION_FAILED;
    rank(kind, p, workspaceBytes, wanted, returned, results);
    return SUCCESS;
}

Status heuristic(Kind kind, const char* call, Handle* handle, const Problem& p, int wanted, int* returned,
                 Performance* results) {
    if (Status status = known(handle, call, "handle"); status != SUCCESS) return status;
    if (wanted < 1 || returned == nullptr || results == nullptr)
        return refuse(BAD_PARAM, "%s: no room for results", call);
    rank(kind, p, SIZE_MAX, wanted, returned, results);
    return SUCCESS;
}

}  // namespace

#define API extern "C" __attribute__((visibility("default")))
#define KNOWN(object, call, what) \
    if (Status status = known(object, call, what); status != SUCCESS) return status
#define DESCRIBE(p, call, x, w, conv, y) \
    Problem p;                           \
    if (Status status = describe(call, x, w, conv, y, &p); status != SUCCESS) return status

// ---- library and handle ---------------------------------------------------------------------------------------------

API size_t cudnnGetVersion() { return NUMBER; }
API size_t cudnnGetCudartVersion() { return CUDA_VERSION == 13 ? 13000 : 12060; }

API int cudnnGetProperty(int which, int* value) {
    if (which < 0 || which > 2) return refuse(BAD_PARAM, "cudnnGetProperty %d", which);
    return *value = VERSION[which], SUCCESS;
}

API const char* cudnnGetErrorString(int status) {
    switch (status) {
        case SUCCESS: return "CUDNN_STATUS_SUCCESS";
        case NOT_INITIALIZED: return "CUDNN_STATUS_NOT_INITIALIZED";
        case BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
        case NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
        case EXECUTION_FAILED: return "CUDNN_STATUS_EXECUTION_FAILED";
        default: return "CUDNN_UNKNOWN_STATUS";
    }
}

API int cudnnCreate(Handle** handle) {
    if (emulator_enter("cudnnCreate", 1) != CUDA_SUCCESS) return NOT_INITIALIZED;
    return create(handle, "cudnnCreate");
}

API int cudnnDestroy(Handle* handle) { return destroy(handle, "cudnnDestroy"); }

API int cudnnSetStream(Handle* handle, void* stream) {
    KNOWN(handle, "cudnnSetStream", "handle");
    if (!emulator_known_stream(stream)) return refuse(BAD_PARAM, "cudnnSetStream: unknown stream");
    return handle->stream = stream, SUCCESS;
}

API int cudnnGetStream(Handle* handle, void** stream) {
    KNOWN(handle, "cudnnGetStream", "handle");
    return *stream = handle->stream, SUCCESS;
}

// The graph API exists, but knows no convolution: who asks for one must fall back.
API int cudnnBackendCreateDescriptor(int, void**) {
    return refuse(NOT_SUPPORTED, "cudnnBackendCreateDescriptor: the graph API is not emulated");
}

// ---- descriptors -------------------------------------------------------------------------------------------------

API int cudnnCreateTensorDescriptor(Tensor** tensor) { return create(tensor, "cudnnCreateTensorDescriptor"); }
API int cudnnDestroyTensorDescriptor(Tensor* tensor) { return destroy(tensor, "cudnnDestroyTensorDescriptor"); }
API int cudnnCreateFilterDescriptor(Filter** filter) { return create(filter, "cudnnCreateFilterDescriptor"); }
API int cudnnDestroyFilterDescriptor(Filter* filter) { return destroy(filter, "cudnnDestroyFilterDescriptor"); }
API int cudnnCreateConvolutionDescriptor(Convolution** conv) {
    return create(conv, "cudnnCreateConvolutionDescriptor");
}
API int cudnnDestroyConvolutionDescriptor(Convolution* conv) {
    return destroy(conv, "cudnnDestroyConvolutionDescriptor");
}

API int cudnnSetTensor4dDescriptor(Tensor* tensor, int format, int type, int n, int c, int h, int w) {
    KNOWN(tensor, "cudnnSetTensor4dDescriptor", "tensor descriptor");
    if (n < 1 || c < 1 || h < 1 || w < 1)
        return refuse(BAD_PARAM, "cudnnSetTensor4dDescriptor: n %d, c %d, h %d, w %d", n, c, h, w);
    // With one channel or one pixel both layouts are the same bytes, but cuDNN would choose by the strides: so does
    // this.
    *tensor = {type, n, c, h, w, format == NHWC};
    return SUCCESS;
}

API int cudnnSetTensor4dDescriptorEx(Tensor* tensor, int type, int n, int c, int h, int w, int strideN, int strideC,
                                     int strideH, int strideW) {
    KNOWN(tensor, "cudnnSetTensor4dDescriptorEx", "tensor descriptor");
    if (n < 1 || c < 1 || h < 1 || w < 1)
        return refuse(BAD_PARAM, "cudnnSetTensor4dDescriptorEx: n %d, c %d, h %d, w %d", n, c, h, w);
    bool packed = strideC == 1 && strideW == c && strideH == w * c && strideN == h * w * c;
    *tensor = {type, n, c, h, w, packed};
    return SUCCESS;
}

API int cudnnGetTensorSizeInBytes(const Tensor* tensor, size_t* bytes) {
    KNOWN(tensor, "cudnnGetTensorSizeInBytes", "tensor descriptor");
    Type type;
    typeOf(tensor->type, &type);
    return *bytes = tensor->size() * numbers::bytes(type), SUCCESS;
}

API int cudnnSetFilter4dDescriptor(Filter* filter, int type, int format, int k, int c, int h, int w) {
    KNOWN(filter, "cudnnSetFilter4dDescriptor", "filter descriptor");
    if (k < 1 || c < 1 || h < 1 || w < 1)
        return refuse(BAD_PARAM, "cudnnSetFilter4dDescriptor: k %d, c %d, h %d, w %d", k, c, h, w);
    *filter = {type, format, k, c, h, w};
    return SUCCESS;
}

API int cudnnSetConvolution2dDescriptor(Convolution* conv, int padH, int padW, int strideH, int strideW, int dilationH,
                                        int dilationW, int mode, int compute) {
    const char* call = "cudnnSetConvolution2dDescriptor";
    KNOWN(conv, call, "convolution descriptor");
    if (padH < 0 || padW < 0 || strideH < 1 || strideW < 1 || dilationH < 1 || dilationW < 1)
        return refuse(BAD_PARAM, "%s: padding %d %d, stride %d %d, dilation %d %d", call, padH, padW, strideH, strideW,
                      dilationH, dilationW);
    int groups = conv->groups, math = conv->math;
    *conv = {padH, padW, strideH, strideW, dilationH, dilationW, mode, compute, groups, math};
    return SUCCESS;
}

API int cudnnSetConvolutionGroupCount(Convolution* conv, int groups) {
    KNOWN(conv, "cudnnSetConvolutionGroupCount", "convolution descriptor");
    return groups < 1 ? refuse(BAD_PARAM, "cudnnSetConvolutionGroupCount %d", groups)
                      : (conv->groups = groups, SUCCESS);
}

API int cudnnGetConvolutionGroupCount(const Convolution* conv, int* groups) {
    KNOWN(conv, "cudnnGetConvolutionGroupCount", "convolution descriptor");
    return *groups = conv->groups, SUCCESS;
}

API int cudnnSetConvolutionMathType(Convolution* conv, int math) {
    KNOWN(conv, "cudnnSetConvolutionMathType", "convolution descriptor");
    return math < 0 || math > FMA_MATH ? refuse(BAD_PARAM, "cudnnSetConvolutionMathType %d", math)
                                       : (conv->math = math, SUCCESS);
}

API int cudnnGetConvolutionMathType(const Convolution* conv, int* math) {
    KNOWN(conv, "cudnnGetConvolutionMathType", "convolution descriptor");
    return *math = conv->math, SUCCESS;
}

API int cudnnGetConvolution2dForwardOutputDim(const Convolution* conv, const Tensor* x, const Filter* w, int* n, int* c,
                                              int* h, int* v) {
    const char* call = "cudnnGetConvolution2dForwardOutputDim";
    KNOWN(conv, call, "convolution descriptor");
    KNOWN(x, call, "tensor descriptor x");
    KNOWN(w, call, "filter descriptor");
    if (x->c != w->c * conv->groups)
        return refuse(BAD_PARAM, "%s: %d channels, filters of %d in %d groups", call, x->c, w->c, conv->groups);
    *n = x->n;
    *c = w->k;
    *h = outputExtent(x->h, conv->padH, w->h, conv->dilationH, conv->strideH);
    *v = outputExtent(x->w, conv->padW, w->w, conv->dilationW, conv->strideW);
    return SUCCESS;
}

// ---- forward -----------------------------------------------------------------------------------------------------

API int cudnnGetConvolutionForwardAlgorithmMaxCount(Handle*, int* count) {
    return *count = algorithmCounts[FORWARD], SUCCESS;
}

API int cudnnGetConvolutionForwardWorkspaceSize(Handle* handle, const Tensor* x, const Filter* w,
                                                const Convolution* conv, const Tensor* y, int algorithm,
                                                size_t* bytes) {
    const char* call = "cudnnGetConvolutionForwardWorkspaceSize";
    KNOWN(handle, call, "handle");
    return workspaceSize(call, FORWARD, x, w, conv, y, algorithm, bytes);
}

API int cudnnGetConvolutionForwardAlgorithm_v7(Handle* handle, const Tensor* x, const Filter* w,
                                               const Convolution* conv, const Tensor* y, int wanted, int* returned,
                                               Performance* results) {
    const char* call = "cudnnGetConvolutionForwardAlgorithm_v7";
    DESCRIBE(p, call, x, w, conv, y);
    return heuristic(FORWARD, call, handle, p, wanted, returned, results);
}

API int cudnnFindConvolutionForwardAlgorithmEx(Handle* handle, const Tensor* x, CUdeviceptr, const Filter* w,
                                               CUdeviceptr, const Convolution* conv, const Tensor* y, CUdeviceptr out,
                                               int wanted, int* returned, Performance* results, CUdeviceptr workspace,
                                               size_t workspaceBytes) {
    const char* call = "cudnnFindConvolutionForwardAlgorithmEx";
    DESCRIBE(p, call, x, w, conv, y);
    return find(FORWARD, call, handle, p, out, workspace, workspaceBytes, wanted, returned, results);
}

API int cudnnConvolutionForward(Handle* handle, const void* alpha, const Tensor* x, CUdeviceptr dataX, const Filter* w,
                                CUdeviceptr dataW, const Convolution* conv, int algorithm, CUdeviceptr workspace,
                                size_t workspaceBytes, const void* beta, const Tensor* y, CUdeviceptr dataY) {
    DESCRIBE(p, names[FORWARD], x, w, conv, y);
    return execute(FORWARD, handle, p, alpha, beta, algorithm, workspace, workspaceBytes, dataX, dataW, dataY);
}

// ---- backward data: dx from the filter and dy -----------------------------------------------------------------------

API int cudnnGetConvolutionBackwardDataAlgorithmMaxCount(Handle*, int* count) {
    return *count = algorithmCounts[BACKWARD_DATA], SUCCESS;
}

API int cudnnGetConvolutionBackwardDataWorkspaceSize(Handle* handle, const Filter* w, const Tensor* dy,
                                                     const Convolution* conv, const Tensor* dx, int algorithm,
                                                     size_t* bytes) {
    const char* call = "cudnnGetConvolutionBackwardDataWorkspaceSize";
    KNOWN(handle, call, "handle");
    return workspaceSize(call, BACKWARD_DATA, dx, w, conv, dy, algorithm, bytes);
}

API int cudnnGetConvolutionBackwardDataAlgorithm_v7(Handle* handle, const Filter* w, const Tensor* dy,
                                                    const Convolution* conv, const Tensor* dx, int wanted,
                                                    int* returned, Performance* results) {
    const char* call = "cudnnGetConvolutionBackwardDataAlgorithm_v7";
    DESCRIBE(p, call, dx, w, conv, dy);
    return heuristic(BACKWARD_DATA, call, handle, p, wanted, returned, results);
}

API int cudnnFindConvolutionBackwardDataAlgorithmEx(Handle* handle, const Filter* w, CUdeviceptr, const Tensor* dy,
                                                    CUdeviceptr, const Convolution* conv, const Tensor* dx,
                                                    CUdeviceptr out, int wanted, int* returned, Performance* results,
                                                    CUdeviceptr workspace, size_t workspaceBytes) {
    const char* call = "cudnnFindConvolutionBackwardDataAlgorithmEx";
    DESCRIBE(p, call, dx, w, conv, dy);
    return find(BACKWARD_DATA, call, handle, p, out, workspace, workspaceBytes, wanted, returned, results);
}

API int cudnnConvolutionBackwardData(Handle* handle, const void* alpha, const Filter* w, CUdeviceptr dataW,
                                     const Tensor* dy, CUdeviceptr dataDy, const Convolution* conv, int algorithm,
                                     CUdeviceptr workspace, size_t workspaceBytes, const void* beta, const Tensor* dx,
                                     CUdeviceptr dataDx) {
    DESCRIBE(p, names[BACKWARD_DATA], dx, w, conv, dy);
    return execute(BACKWARD_DATA, handle, p, alpha, beta, algorithm, workspace, workspaceBytes, dataW, dataDy, dataDx);
}

// ---- backward filter: dw from x and dy ------------------------------------------------------------------------------

API int cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(Handle*, int* count) {
    return *count = algorithmCounts[BACKWARD_FILTER], SUCCESS;
}

API int cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle* handle, const Tensor* x, const Tensor* dy,
                                                       const Convolution* conv, const Filter* dw, int algorithm,
                                                       size_t* bytes) {
    const char* call = "cudnnGetConvolutionBackwardFilterWorkspaceSize";
    KNOWN(handle, call, "handle");
    return workspaceSize(call, BACKWARD_FILTER, x, dw, conv, dy, algorithm, bytes);
}

API int cudnnGetConvolutionBackwardFilterAlgorithm_v7(Handle* handle, const Tensor* x, const Tensor* dy,
                                                      const Convolution* conv, const Filter* dw, int wanted,
                                                      int* returned, Performance* results) {
    const char* call = "cudnnGetConvolutionBackwardFilterAlgorithm_v7";
    DESCRIBE(p, call, x, dw, conv, dy);
    return heuristic(BACKWARD_FILTER, call, handle, p, wanted, returned, results);
}

API int cudnnFindConvolutionBackwardFilterAlgorithmEx(Handle* handle, const Tensor* x, CUdeviceptr, const Tensor* dy,
                                                      CUdeviceptr, const Convolution* conv, const Filter* dw,
                                                      CUdeviceptr out, int wanted, int* returned, Performance* results,
                                                      CUdeviceptr workspace, size_t workspaceBytes) {
    const char* call = "cudnnFindConvolutionBackwardFilterAlgorithmEx";
    DESCRIBE(p, call, x, dw, conv, dy);
    return find(BACKWARD_FILTER, call, handle, p, out, workspace, workspaceBytes, wanted, returned, results);
}

API int cudnnConvolutionBackwardFilter(Handle* handle, const void* alpha, const Tensor* x, CUdeviceptr dataX,
                                       const Tensor* dy, CUdeviceptr dataDy, const Convolution* conv, int algorithm,
                                       CUdeviceptr workspace, size_t workspaceBytes, const void* beta, const Filter* dw,
                                       CUdeviceptr dataDw) {
    DESCRIBE(p, names[BACKWARD_FILTER], x, dw, conv, dy);
    return execute(BACKWARD_FILTER, handle, p, alpha, beta, algorithm, workspace, workspaceBytes, dataX, dataDy,
                   dataDw);
}
