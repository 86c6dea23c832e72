// The legacy calls of the emulated cuDNN: algorithms by number, and one call for each direction.
#include "cudnn.h"

#include <algorithm>

using namespace cudnn;

namespace {

const char* const names[] = {"cudnnConvolutionForward", "cudnnConvolutionBackwardData",
                             "cudnnConvolutionBackwardFilter"};

struct Performance {  // cudnnConvolution…AlgoPerf_t
    int algorithm;
    int status;
    float time;
    size_t memory;
    int determinism;
    int math;
    int reserved[3];
};

Status describe(const char* call, const Tensor* x, const Filter* w, const Convolution* conv, const Tensor* y,
                Problem* p) {
    for (auto [object, what] : {std::pair<const void*, const char*>{x, "tensor descriptor x"},
                                {w, "filter descriptor"},
                                {conv, "convolution descriptor"},
                                {y, "tensor descriptor y"}})
        if (Status status = known(object, call, what); status != SUCCESS) return status;
    *p = {*x, *y, *w, *conv, Type::F32};
    if (!typeOf(x->type, &p->type) || !runs(p->type)) return refuse(NOT_SUPPORTED, "%s: data type %d", call, x->type);
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

// The table of all algorithms, those that are refused at its end.
void rank(Kind kind, const Problem& p, int wanted, int* returned, Performance* results) {
    std::vector<Performance> table;
    for (auto& a : algorithms(kind)) {
        table.push_back({a.number, SUCCESS, a.time, workspaceFor(p, a), a.deterministic, p.conv.math, {}});
        // As the real one has it: the same once more, in other arithmetic, with what it would need then.
        if (p.type != Type::F32 && a.needsWorkspace)
            table.insert(table.begin(), {a.number, SUCCESS, a.time, 0, a.deterministic, FMA_MATH, {}});
    }
    for (int number = 0; number < algorithmCounts[kind]; number++) {
        bool listed = std::any_of(table.begin(), table.end(), [&](auto& r) { return r.algorithm == number; });
        if (!listed) table.push_back({number, NOT_SUPPORTED, -1, 0, 0, p.conv.math, {}});
    }
    *returned = std::min(wanted, int(table.size()));
    std::copy(table.begin(), table.begin() + *returned, results);
}

Status execute(Kind kind, Handle* handle, const Problem& p, const void* alpha, const void* beta, int number,
               CUdeviceptr workspace, size_t workspaceBytes, const Data& data) {
    const char* call = names[kind];
    Algorithm algorithm{};
    if (Status status = known(handle, call, "handle"); status != SUCCESS) return status;
    if (emulator_enter(call, EMULATOR_ENQUEUES) != CUDA_SUCCESS) return EXECUTION_FAILED;
    if (Status status = findAlgorithm(call, kind, number, &algorithm); status != SUCCESS) return status;
    if (alpha == nullptr || beta == nullptr) return refuse(BAD_PARAM, "%s: alpha or beta is null", call);
    size_t needed = workspaceFor(p, algorithm);
    if (workspaceBytes < needed)
        return refuse(BAD_PARAM, "%s: algorithm %d needs a workspace of %zu bytes, not %zu", call, number, needed,
                      workspaceBytes);
    float scale = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
    return launch(kind, call, handle, p, scale, keep, data, workspace, needed);
}

Status heuristic(Kind kind, const char* call, Handle* handle, const Problem& p, int wanted, int* returned,
                 Performance* results) {
    if (Status status = known(handle, call, "handle"); status != SUCCESS) return status;
    if (wanted < 1 || returned == nullptr || results == nullptr)
        return refuse(BAD_PARAM, "%s: no room for results", call);
    rank(kind, p, wanted, returned, results);
    return SUCCESS;
}

}  // namespace

#define DESCRIBE(p, call, x, w, conv, y) \
    Problem p;                           \
    if (Status status = describe(call, x, w, conv, y, &p); status != SUCCESS) return status

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

API int cudnnConvolutionForward(Handle* handle, const void* alpha, const Tensor* x, CUdeviceptr dataX, const Filter* w,
                                CUdeviceptr dataW, const Convolution* conv, int algorithm, CUdeviceptr workspace,
                                size_t workspaceBytes, const void* beta, const Tensor* y, CUdeviceptr dataY) {
    DESCRIBE(p, names[FORWARD], x, w, conv, y);
    return execute(FORWARD, handle, p, alpha, beta, algorithm, workspace, workspaceBytes, {dataX, dataW, dataY});
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

API int cudnnConvolutionBackwardData(Handle* handle, const void* alpha, const Filter* w, CUdeviceptr dataW,
                                     const Tensor* dy, CUdeviceptr dataDy, const Convolution* conv, int algorithm,
                                     CUdeviceptr workspace, size_t workspaceBytes, const void* beta, const Tensor* dx,
                                     CUdeviceptr dataDx) {
    DESCRIBE(p, names[BACKWARD_DATA], dx, w, conv, dy);
    return execute(BACKWARD_DATA, handle, p, alpha, beta, algorithm, workspace, workspaceBytes, {dataDx, dataW, dataDy});
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

API int cudnnConvolutionBackwardFilter(Handle* handle, const void* alpha, const Tensor* x, CUdeviceptr dataX,
                                       const Tensor* dy, CUdeviceptr dataDy, const Convolution* conv, int algorithm,
                                       CUdeviceptr workspace, size_t workspaceBytes, const void* beta, const Filter* dw,
                                       CUdeviceptr dataDw) {
    DESCRIBE(p, names[BACKWARD_FILTER], x, dw, conv, dy);
    return execute(BACKWARD_FILTER, handle, p, alpha, beta, algorithm, workspace, workspaceBytes,
                   {dataX, dataDw, dataDy});
}
