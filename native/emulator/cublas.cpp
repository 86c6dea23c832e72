// Stands in for cuBLAS: products of matrices in column-major order, on streams and in captures like kernels.
#include "emulator.h"
#include "numbers.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <set>

using numbers::Precision;
using numbers::Type;

namespace {

enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };
enum Operation { PLAIN = 0, TRANSPOSED = 1 };
constexpr int R_32F = 0, R_16F = 2, R_16BF = 14;
constexpr int COMPUTE_32F = 68, COMPUTE_32F_PEDANTIC = 69, COMPUTE_32F_FAST_16F = 74, COMPUTE_32F_FAST_16BF = 75,
              COMPUTE_32F_FAST_TF32 = 77;
constexpr int TF32_MATH = 3;
#if CUDA_VERSION == 13
constexpr int VERSION[] = {13, 0, 0};
constexpr size_t CUDART_VERSION = 13000;
#else
constexpr int VERSION[] = {12, 6, 3};
constexpr size_t CUDART_VERSION = 12060;
#endif

struct Handle {
    void* stream = nullptr;
    CUdeviceptr workspace = 0;
    size_t workspaceBytes = 0;
    int math = 0;
    int atomics = 0;
};

std::set<Handle*> handles;
std::mutex lock;

[[gnu::format(printf, 2, 3)]] Status refuse(Status status, const char* format, ...) {
    char text[500];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "emulator: cuBLAS status %d: %s\n", int(status), text);
    return status;
}

Status known(Handle* handle, const char* call) {
    std::lock_guard<std::mutex> guard(lock);
    return handles.count(handle) != 0 ? SUCCESS : refuse(NOT_INITIALIZED, "%s: unknown handle", call);
}

struct Matrix {
    CUdeviceptr data;
    int type;
    int ld;
    long long stride;
};

struct Gemm {
    const char* call;
    int transA, transB, m, n, k;
    float alpha, beta;
    Matrix a, b, c;
    int batch;
    Precision precision;
};

bool typeOf(int code, Type* type) {
    *type = code == R_16F ? Type::F16 : code == R_16BF ? Type::BF16 : Type::F32;
    return code == R_32F || code == R_16F || code == R_16BF;
}

// A stored matrix as rows: element (r, c) of op(X) at [r][c], rows x columns.
bool read(const char* what, const Matrix& x, Type type, int transposed, size_t rows, size_t columns,
          Precision precision, int batch, std::vector<float>& out) {
    size_t storedRows = transposed ? columns : rows, storedColumns = transposed ? rows : columns;
    out.resize(rows * columns);
    for (size_t c = 0; c < storedColumns; c++) {
        size_t first = size_t(batch * x.stride) + c * size_t(x.ld);
        const void* column =
            emulator_readable(x.data + first * numbers::bytes(type), storedRows * numbers::bytes(type), what);
        if (column == nullptr) return false;
        for (size_t r = 0; r < storedRows; r++) {
            float v = numbers::load(type, column, r);
            if (type == Type::F32) v = numbers::cut(v, precision);
            out[transposed ? c * columns + r : r * columns + c] = v;
        }
    }
    return true;
}

// Partial sums of a product whose k is split, as far as they fit: what cuBLAS keeps in its workspace.
size_t partialSums(const Gemm& g, size_t workspaceBytes) {
    constexpr size_t PARTS = 8;
    return std::min(workspaceBytes, PARTS * sizeof(float) * size_t(g.m) * size_t(g.n) * size_t(g.batch));
}

int run(const Gemm& g, CUdeviceptr workspace, size_t workspaceBytes) {
    Type ta, tb, tc;
    typeOf(g.a.type, &ta);
    typeOf(g.b.type, &tb);
    typeOf(g.c.type, &tc);
    size_t m = size_t(g.m), n = size_t(g.n), k = size_t(g.k);
    if (workspace != 0 && !emulator_scratch(workspace, partialSums(g, workspaceBytes), "the workspace of cublasSetWorkspace"))
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    for (int i = 0; i < g.batch; i++) {
        std::vector<float> a, b, sum(n * m);
        // As [k][m] and [n][k]: the transposes of op(A) and op(B), which is how columns lie.
        if (!read("A of a matrix product", g.a, ta, !g.transA, k, m, g.precision, i, a))
            return CUDA_ERROR_ILLEGAL_ADDRESS;
        if (!read("B of a matrix product", g.b, tb, !g.transB, n, k, g.precision, i, b))
            return CUDA_ERROR_ILLEGAL_ADDRESS;
        numbers::multiply(m, n, k, a.data(), b.data(), sum.data());
        for (size_t c = 0; c < n; c++) {
            CUdeviceptr address = g.c.data + (size_t(i * g.c.stride) + c * size_t(g.c.ld)) * numbers::bytes(tc);
            if (g.beta != 0 &&
                emulator_readable(address, m * numbers::bytes(tc), "C of a matrix product, read for beta") == nullptr)
                return CUDA_ERROR_ILLEGAL_ADDRESS;
            void* column = emulator_writable(address, m * numbers::bytes(tc), "C of a matrix product");
            if (column == nullptr) return CUDA_ERROR_ILLEGAL_ADDRESS;
            for (size_t r = 0; r < m; r++) {
                float old = g.beta != 0 ? g.beta * numbers::load(tc, column, r) : 0;
                numbers::store(tc, column, r, g.alpha * sum[c * m + r] + old);
            }
        }
    }
    return CUDA_SUCCESS;
}

Status gemm(Handle* handle, Gemm g, const void* alpha, const void* beta, int compute) {
    if (Status status = known(handle, g.call); status != SUCCESS) return status;
    if (emulator_enter(g.call, EMULATOR_ENQUEUES) != CUDA_SUCCESS) return EXECUTION_FAILED;
    Type ta, tb, tc;
    if (!typeOf(g.a.type, &ta) || !typeOf(g.b.type, &tb) || !typeOf(g.c.type, &tc) || ta != tb ||
        (tc != ta && tc != Type::F32))
        return refuse(NOT_SUPPORTED, "%s: element types %d and %d to %d", g.call, g.a.type, g.b.type, g.c.type);
    switch (compute) {
        case COMPUTE_32F: g.precision = handle->math == TF32_MATH ? Precision::TF32 : Precision::FULL; break;
        case COMPUTE_32F_PEDANTIC: g.precision = Precision::FULL; break;
        case COMPUTE_32F_FAST_16F: g.precision = Precision::F16; break;
        case COMPUTE_32F_FAST_16BF: g.precision = Precision::BF16; break;
        case COMPUTE_32F_FAST_TF32: g.precision = Precision::TF32; break;
        default: return refuse(NOT_SUPPORTED, "%s: compute type %d does not sum in float", g.call, compute);
    }
    if (g.m < 0 || g.n < 0 || g.k < 0 || g.batch < 0)
        return refuse(INVALID_VALUE, "%s: m %d, n %d, k %d, batch %d", g.call, g.m, g.n, g.k, g.batch);
    if (g.transA < 0 || g.transA > 2 || g.transB < 0 || g.transB > 2)
        return refuse(INVALID_VALUE, "%s: unknown operation", g.call);
    int rowsA = g.transA ? g.k : g.m, rowsB = g.transB ? g.n : g.k;
    if (g.a.ld < std::max(1, rowsA))
        return refuse(INVALID_VALUE, "%s: lda %d, but columns of A have %d rows", g.call, g.a.ld, rowsA);
    if (g.b.ld < std::max(1, rowsB))
        return refuse(INVALID_VALUE, "%s: ldb %d, but columns of B have %d rows", g.call, g.b.ld, rowsB);
    if (g.c.ld < std::max(1, g.m))
        return refuse(INVALID_VALUE, "%s: ldc %d, but columns of C have %d rows", g.call, g.c.ld, g.m);
    if (alpha == nullptr || beta == nullptr) return refuse(INVALID_VALUE, "%s: alpha or beta is null", g.call);
    for (const Matrix* x : {&g.a, &g.b, &g.c}) {
        Type type;
        typeOf(x->type, &type);
        if (x->data % numbers::bytes(type) != 0)
            return refuse(INVALID_VALUE, "%s: a matrix at 0x%llx is not aligned", g.call, x->data);
    }
    g.alpha = *static_cast<const float*>(alpha);
    g.beta = *static_cast<const float*>(beta);
    if (g.m == 0 || g.n == 0 || g.batch == 0) return SUCCESS;
    auto work = [g, workspace = handle->workspace, bytes = handle->workspaceBytes] { return run(g, workspace, bytes); };
    return emulator_submit(handle->stream, g.call, work) == CUDA_SUCCESS ? SUCCESS : EXECUTION_FAILED;
}

}  // namespace

#define API extern "C" __attribute__((visibility("default")))
#define CHECKED(handle, call) \
    if (Status status = known(handle, call); status != SUCCESS) return status

API int cublasCreate_v2(Handle** handle) {
    if (emulator_enter("cublasCreate", EMULATOR_ALLOCATES) != CUDA_SUCCESS) return NOT_INITIALIZED;
    std::lock_guard<std::mutex> guard(lock);
    handles.insert(*handle = new Handle);
    return SUCCESS;
}

API int cublasDestroy_v2(Handle* handle) {
    CHECKED(handle, "cublasDestroy");
    if (emulator_enter("cublasDestroy", EMULATOR_WAITS_FOR_ALL) != CUDA_SUCCESS) return EXECUTION_FAILED;
    std::lock_guard<std::mutex> guard(lock);
    handles.erase(handle);
    delete handle;
    return SUCCESS;
}

API int cublasGetVersion_v2(Handle*, int* version) {
    return *version = VERSION[0] * 10000 + VERSION[1] * 100 + VERSION[2], SUCCESS;
}

API int cublasGetProperty(int which, int* value) {
    if (which < 0 || which > 2) return refuse(INVALID_VALUE, "cublasGetProperty %d", which);
    return *value = VERSION[which], SUCCESS;
}

API size_t cublasGetCudartVersion() { return CUDART_VERSION; }

// Also takes the workspace back, as cuBLAS does.
API int cublasSetStream_v2(Handle* handle, void* stream) {
    CHECKED(handle, "cublasSetStream");
    if (!emulator_known_stream(stream)) return refuse(INVALID_VALUE, "cublasSetStream: unknown stream");
    handle->stream = stream;
    handle->workspace = 0;
    handle->workspaceBytes = 0;
    return SUCCESS;
}

API int cublasGetStream_v2(Handle* handle, void** stream) {
    CHECKED(handle, "cublasGetStream");
    return *stream = handle->stream, SUCCESS;
}

API int cublasSetWorkspace_v2(Handle* handle, CUdeviceptr workspace, size_t bytes) {
    CHECKED(handle, "cublasSetWorkspace");
    if (workspace % 256 != 0)
        return refuse(INVALID_VALUE, "cublasSetWorkspace: 0x%llx is not aligned to 256 bytes", workspace);
    handle->workspace = workspace;
    handle->workspaceBytes = bytes;
    return SUCCESS;
}

API int cublasSetMathMode(Handle* handle, int mode) {
    CHECKED(handle, "cublasSetMathMode");
    int known = mode & ~16;  // without "no reduced precision in reductions", which the emulator never has
    if (known < 0 || known > TF32_MATH) return refuse(INVALID_VALUE, "cublasSetMathMode %d", mode);
    return handle->math = known, SUCCESS;
}

API int cublasGetMathMode(Handle* handle, int* mode) {
    CHECKED(handle, "cublasGetMathMode");
    return *mode = handle->math, SUCCESS;
}

API int cublasSetPointerMode_v2(Handle* handle, int mode) {
    CHECKED(handle, "cublasSetPointerMode");
    return mode == 0
               ? SUCCESS
               : refuse(NOT_SUPPORTED, "cublasSetPointerMode: the emulator takes alpha and beta from the host only");
}

API int cublasGetPointerMode_v2(Handle* handle, int* mode) {
    CHECKED(handle, "cublasGetPointerMode");
    return *mode = 0, SUCCESS;
}

API int cublasSetAtomicsMode(Handle* handle, int mode) {
    CHECKED(handle, "cublasSetAtomicsMode");
    return handle->atomics = mode, SUCCESS;
}

API int cublasGetAtomicsMode(Handle* handle, int* mode) {
    CHECKED(handle, "cublasGetAtomicsMode");
    return *mode = handle->atomics, SUCCESS;
}

API const char* cublasGetStatusName(int status) {
    switch (status) {
        case SUCCESS: return "CUBLAS_STATUS_SUCCESS";
        case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
        case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
        case EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
        case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
        default: return "CUBLAS_STATUS unknown";
    }
}

API const char* cublasGetStatusString(int status) { return cublasGetStatusName(status); }

API int cublasSgemm_v2(Handle* handle, int transA, int transB, int m, int n, int k, const float* alpha, CUdeviceptr a,
                       int lda, CUdeviceptr b, int ldb, const float* beta, CUdeviceptr c, int ldc) {
    Gemm g{"cublasSgemm",      transA, transB, m, n, k, 0, 0, {a, R_32F, lda, 0}, {b, R_32F, ldb, 0},
           {c, R_32F, ldc, 0}, 1,      {}};
    return gemm(handle, g, alpha, beta, COMPUTE_32F);
}

API int cublasSgemmStridedBatched(Handle* handle, int transA, int transB, int m, int n, int k, const float* alpha,
                                  CUdeviceptr a, int lda, long long strideA, CUdeviceptr b, int ldb, long long strideB,
                                  const float* beta, CUdeviceptr c, int ldc, long long strideC, int batch) {
    Gemm g{
        "cublasSgemmStridedBatched", transA, transB, m, n, k, 0, 0, {a, R_32F, lda, strideA}, {b, R_32F, ldb, strideB},
        {c, R_32F, ldc, strideC},    batch,  {}};
    return gemm(handle, g, alpha, beta, COMPUTE_32F);
}

API int cublasGemmEx(Handle* handle, int transA, int transB, int m, int n, int k, const void* alpha, CUdeviceptr a,
                     int typeA, int lda, CUdeviceptr b, int typeB, int ldb, const void* beta, CUdeviceptr c, int typeC,
                     int ldc, int compute, int) {
    Gemm g{"cublasGemmEx",     transA, transB, m, n, k, 0, 0, {a, typeA, lda, 0}, {b, typeB, ldb, 0},
           {c, typeC, ldc, 0}, 1,      {}};
    return gemm(handle, g, alpha, beta, compute);
}

API int cublasGemmStridedBatchedEx(Handle* handle, int transA, int transB, int m, int n, int k, const void* alpha,
                                   CUdeviceptr a, int typeA, int lda, long long strideA, CUdeviceptr b, int typeB,
                                   int ldb, long long strideB, const void* beta, CUdeviceptr c, int typeC, int ldc,
                                   long long strideC, int batch, int compute, int) {
    Gemm g{
        "cublasGemmStridedBatchedEx", transA, transB, m, n, k, 0, 0, {a, typeA, lda, strideA}, {b, typeB, ldb, strideB},
        {c, typeC, ldc, strideC},     batch,  {}};
    return gemm(handle, g, alpha, beta, compute);
}
