// Products of matrices and convolutions against plain loops in double.
#include "../numbers.h"
#include "test.h"

#include <algorithm>

using numbers::Type;

extern "C" {
int cublasCreate_v2(void**);
int cublasDestroy_v2(void*);
int cublasSetStream_v2(void*, Stream*);
int cublasSetMathMode(void*, int);
int cublasSetWorkspace_v2(void*, CUdeviceptr, size_t);
int cublasGemmStridedBatchedEx(void*, int, int, int, int, int, const void*, CUdeviceptr, int, int, long long,
                               CUdeviceptr, int, int, long long, const void*, CUdeviceptr, int, int, long long, int,
                               int, int);
int cublasSgemm_v2(void*, int, int, int, int, int, const float*, CUdeviceptr, int, CUdeviceptr, int, const float*,
                   CUdeviceptr, int);
size_t cudnnGetVersion();
const char* cudnnGetErrorString(int);
int cudnnCreate(void**);
int cudnnSetStream(void*, Stream*);
int cudnnCreateTensorDescriptor(void**);
int cudnnSetTensor4dDescriptor(void*, int, int, int, int, int, int);
int cudnnCreateFilterDescriptor(void**);
int cudnnSetFilter4dDescriptor(void*, int, int, int, int, int, int);
int cudnnCreateConvolutionDescriptor(void**);
int cudnnDestroyConvolutionDescriptor(void*);
int cudnnSetConvolution2dDescriptor(void*, int, int, int, int, int, int, int, int);
int cudnnSetConvolutionGroupCount(void*, int);
int cudnnSetConvolutionMathType(void*, int);
int cudnnGetConvolution2dForwardOutputDim(void*, void*, void*, int*, int*, int*, int*);
int cudnnGetConvolutionForwardWorkspaceSize(void*, void*, void*, void*, void*, int, size_t*);
struct Performance {
    int algorithm, status;
    float time;
    size_t memory;
    int determinism, math, reserved[3];
};
int cudnnGetConvolutionForwardAlgorithm_v7(void*, void*, void*, void*, void*, int, int*, Performance*);
int cudnnConvolutionForward(void*, const float*, void*, CUdeviceptr, void*, CUdeviceptr, void*, int, CUdeviceptr,
                            size_t, const float*, void*, CUdeviceptr);
int cudnnConvolutionBackwardData(void*, const float*, void*, CUdeviceptr, void*, CUdeviceptr, void*, int, CUdeviceptr,
                                 size_t, const float*, void*, CUdeviceptr);
int cudnnConvolutionBackwardFilter(void*, const float*, void*, CUdeviceptr, void*, CUdeviceptr, void*, int, CUdeviceptr,
                                   size_t, const float*, void*, CUdeviceptr);
int cudnnBackendCreateDescriptor(int, void**);
int cudnnBackendSetAttribute(void*, int, int, int64_t, const void*);
int cudnnBackendGetAttribute(void*, int, int, int64_t, int64_t*, void*);
int cudnnBackendFinalize(void*);
int cudnnBackendDestroyDescriptor(void*);
}

static const float one = 1, zero = 0, half = 0.5f;

// Values rounded to the type, so that the loops below see what the library sees.
static std::vector<float> rounded(std::vector<float> values, Type type) {
    for (float& v : values) {
        uint16_t bits;
        if (type == Type::F32) continue;
        numbers::store(type, &bits, 0, v);
        v = numbers::load(type, &bits, 0);
    }
    return values;
}

static CUdeviceptr upload(const std::vector<float>& values, Type type) {
    std::vector<char> bytes(values.size() * numbers::bytes(type));
    for (size_t i = 0; i < values.size(); i++) numbers::store(type, bytes.data(), i, values[i]);
    CUdeviceptr p;
    OK(cuMemAlloc_v2(&p, bytes.size()));
    OK(cuMemcpyHtoD_v2(p, bytes.data(), bytes.size()));
    return p;
}

static std::vector<float> download(CUdeviceptr p, size_t count, Type type) {
    std::vector<char> bytes(count * numbers::bytes(type));
    OK(cuMemcpyDtoH_v2(bytes.data(), p, bytes.size()));
    return numbers::loadAll(type, bytes.data(), count, numbers::Precision::FULL);
}

// A sum of `terms` products of values up to 1, each sum rounded in float, and the result in its type.
static double allowance(size_t terms, Type type) {
    double rounding = type == Type::F32 ? 0x1p-24 : type == Type::F16 ? 0x1p-11 : 0x1p-8;
    return double(terms) * double(terms) * 0x1p-24 + double(terms) * rounding;
}

static void roundings() {
    for (int bits = 0; bits < 0x10000; bits++) {
        float v = numbers::fromHalf(uint16_t(bits));
        if (!std::isnan(v)) CHECK(numbers::toHalf(v) == bits);
        float b = numbers::fromBrain(uint16_t(bits));
        if (!std::isnan(b)) CHECK(numbers::toBrain(b) == bits);
    }
    CHECK(numbers::toHalf(1 + 0x1p-11f) == 0x3c00 && numbers::toHalf(1 + 0x3p-11f) == 0x3c02);  // ties to even
    CHECK(numbers::toHalf(65519) == 0x7bff && numbers::toHalf(65520) == 0x7c00);
    CHECK(numbers::cut(1 + 0x1p-11f, numbers::Precision::TF32) == 1 + 0x1p-10f);
}

static void products() {
    void* blas;
    CHECK(cublasCreate_v2(&blas) == 0);
    const int m = 37, n = 21, k = 19, lda = 40, ldb = 41, ldc = 38, batch = 2, columns = 40;
    for (Type type : {Type::F32, Type::F16, Type::BF16})
        for (int ta : {0, 1})
            for (int tb : {0, 1}) {
                int code = type == Type::F32 ? 0 : type == Type::F16 ? 2 : 14;
                auto a = rounded(noise(size_t(lda * columns * batch), 1), type),
                     b = rounded(noise(size_t(ldb * columns * batch), 2), type);
                auto c = rounded(noise(size_t(ldc * columns * batch), 3), type);
                CUdeviceptr da = upload(a, type), db = upload(b, type), dc = upload(c, type);
                CHECK(cublasGemmStridedBatchedEx(blas, ta, tb, m, n, k, &half, da, code, lda, lda * columns, db, code,
                                                 ldb, ldb * columns, &one, dc, code, ldc, ldc * columns, batch, 68,
                                                 -1) == 0);
                auto result = download(dc, c.size(), type);
                for (int i = 0; i < batch; i++)
                    for (int col = 0; col < n; col++)
                        for (int row = 0; row < m; row++) {
                            double sum = 0;
                            for (int p = 0; p < k; p++)
                                sum += double(a[size_t(i * lda * columns + (ta ? row * lda + p : p * lda + row))]) *
                                       double(b[size_t(i * ldb * columns + (tb ? p * ldb + col : col * ldb + p))]);
                            size_t at = size_t(i * ldc * columns + col * ldc + row);
                            CHECK(std::fabs(0.5 * sum + double(c[at]) - double(result[at])) <= allowance(k, type));
                        }
                CHECK(result[m] == c[m]);  // the gap between columns
                reset();
            }
    CHECK(cublasDestroy_v2(blas) == 0);
    CHECK(cublasDestroy_v2(blas) == 1);
}

static void refusedProducts() {
    void* blas;
    CHECK(cublasCreate_v2(&blas) == 0);
    CUdeviceptr a = upload(noise(100, 1), Type::F32), c = room(100);
    CHECK(cublasSgemm_v2(blas, 0, 0, 10, 10, 10, &one, a, 9, a, 10, &zero, c, 10) == 7);
    CHECK(cublasGemmStridedBatchedEx(blas, 0, 0, 10, 10, 10, &one, a, 2, 10, 0, a, 2, 10, 0, &zero, c, 2, 10, 0, 1, 64,
                                     -1) == 15);
    CHECK(cublasSgemm_v2(blas, 0, 0, 10, 10, 10, &one, a, 10, a, 10, &one, c, 10) ==
          13);  // reads c, which nobody wrote
    CHECK(cuCtxSynchronize() == CUDA_ERROR_ILLEGAL_ADDRESS);
    reset();
    a = upload(noise(100, 1), Type::F32);
    c = room(99);
    CHECK(cublasSgemm_v2(blas, 0, 0, 10, 10, 10, &one, a, 10, a, 10, &zero, c, 10) == 13);
}

static void tensorCores() {
    void* blas;
    CHECK(cublasCreate_v2(&blas) == 0);
    CUdeviceptr a = upload({1 + 0x1p-20f}), c = room(1);
    CHECK(cublasSgemm_v2(blas, 0, 0, 1, 1, 1, &one, a, 1, a, 1, &zero, c, 1) == 0);
    CHECK(download(c, 1)[0] != 1);
    CHECK(cublasSetMathMode(blas, 3) == 0);
    CHECK(cublasSgemm_v2(blas, 0, 0, 1, 1, 1, &one, a, 1, a, 1, &zero, c, 1) == 0);
    CHECK(download(c, 1)[0] == 1);  // TF32
}

// alpha is baked in when the call is made; the product runs when the graph is launched, and spoils its workspace.
static void capturedProduct() {
    void* blas;
    Stream* s;
    Graph* graph;
    Exec* exec;
    CHECK(cublasCreate_v2(&blas) == 0);
    OK(cuStreamCreate(&s, STREAM_NON_BLOCKING));
    CUdeviceptr a = upload({3}), c = upload({0}), workspace = upload(noise(64, 1));
    CHECK(cublasSetStream_v2(blas, s) == 0);
    CHECK(cublasSetWorkspace_v2(blas, workspace, 256) == 0);
    float alpha = 2;
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    CHECK(cublasSgemm_v2(blas, 0, 0, 1, 1, 1, &alpha, a, 1, a, 1, &one, c, 1) == 0);
    OK(cuStreamEndCapture(s, &graph));
    alpha = 1000;
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    CHECK(download(c, 1)[0] == 0);
    OK(cuGraphLaunch(exec, s));
    OK(cuGraphLaunch(exec, s));
    OK(cuStreamSynchronize(s));
    CHECK(download(c, 1)[0] == 36);
    float gone;
    CHECK(cuMemcpyDtoH_v2(&gone, workspace, 4) == CUDA_ERROR_INVALID_VALUE);
}

struct Shape {
    int n, c, h, w, k, r, s, pad, stride, dilation, groups;
};

struct Descriptors {
    void *dnn, *x, *w, *y, *conv;
    int oh, ow;
    Descriptors(const Shape& z, int code, int math) {
        int n, c;
        CHECK(cudnnCreate(&dnn) == 0);
        CHECK(cudnnCreateTensorDescriptor(&x) == 0);
        CHECK(cudnnCreateTensorDescriptor(&y) == 0);
        CHECK(cudnnCreateFilterDescriptor(&w) == 0);
        CHECK(cudnnCreateConvolutionDescriptor(&conv) == 0);
        CHECK(cudnnSetTensor4dDescriptor(x, 1, code, z.n, z.c, z.h, z.w) == 0);
        CHECK(cudnnSetFilter4dDescriptor(w, code, 1, z.k, z.c / z.groups, z.r, z.s) == 0);
        CHECK(cudnnSetConvolution2dDescriptor(conv, z.pad, z.pad, z.stride, z.stride, z.dilation, z.dilation, 1, 0) ==
              0);
        CHECK(cudnnSetConvolutionGroupCount(conv, z.groups) == 0);
        CHECK(cudnnSetConvolutionMathType(conv, math) == 0);
        CHECK(cudnnGetConvolution2dForwardOutputDim(conv, x, w, &n, &c, &oh, &ow) == 0);
        CHECK(n == z.n && c == z.k);
        CHECK(cudnnSetTensor4dDescriptor(y, 1, code, z.n, z.k, oh, ow) == 0);
    }
};

// Calls body(x, w, y) with the indices of the two factors and of the sum for every product of a convolution.
template <class Body>
static void taps(const Shape& z, int oh, int ow, Body body) {
    int cg = z.c / z.groups, kg = z.k / z.groups;
    for (int n = 0; n < z.n; n++)
        for (int i = 0; i < oh; i++)
            for (int j = 0; j < ow; j++)
                for (int k = 0; k < z.k; k++)
                    for (int r = 0; r < z.r; r++)
                        for (int s = 0; s < z.s; s++)
                            for (int c = 0; c < cg; c++) {
                                int h = i * z.stride - z.pad + r * z.dilation,
                                    w = j * z.stride - z.pad + s * z.dilation;
                                if (h < 0 || h >= z.h || w < 0 || w >= z.w) continue;
                                body(size_t(((n * z.h + h) * z.w + w) * z.c + k / kg * cg + c),
                                     size_t(((k * z.r + r) * z.s + s) * cg + c),
                                     size_t(((n * oh + i) * ow + j) * z.k + k));
                            }
}

static void compare(const std::vector<double>& expected, const std::vector<float>& got, size_t terms, Type type) {
    for (size_t i = 0; i < expected.size(); i++)
        CHECK(std::fabs(expected[i] - double(got[i])) <= allowance(terms, type));
}

static void convolutions() {
    const Shape shapes[] = {{2, 5, 7, 6, 9, 3, 3, 1, 1, 1, 1},
                            {1, 16, 9, 9, 20, 3, 2, 0, 2, 1, 1},
                            {2, 8, 8, 5, 12, 3, 3, 2, 1, 2, 4},
                            {3, 4, 5, 5, 8, 1, 1, 0, 1, 1, 1}};
    for (const Shape& z : shapes)
        for (Type type : {Type::F32, Type::F16, Type::BF16}) {
            Descriptors d(z, type == Type::F32 ? 0 : type == Type::F16 ? 2 : 9, 3);
            size_t sizeX = size_t(z.n * z.h * z.w * z.c), sizeW = size_t(z.k * z.r * z.s * z.c / z.groups),
                   sizeY = size_t(z.n * d.oh * d.ow * z.k);
            auto x = rounded(noise(sizeX, 1), type), w = rounded(noise(sizeW, 2), type),
                 dy = rounded(noise(sizeY, 3), type);
            std::vector<double> y(sizeY), dx(sizeX), dw(sizeW);
            taps(z, d.oh, d.ow, [&](size_t ix, size_t iw, size_t iy) {
                y[iy] += double(x[ix]) * double(w[iw]);
                dx[ix] += double(dy[iy]) * double(w[iw]);
                dw[iw] += double(dy[iy]) * double(x[ix]);
            });
            CUdeviceptr px = upload(x, type), pw = upload(w, type), pdy = upload(dy, type),
                        out = room(std::max({sizeX, sizeW, sizeY})), scratch = room(1 << 16);
            size_t terms = size_t(z.r * z.s * z.c / z.groups), backward = size_t(z.r * z.s * z.k / z.groups),
                   places = size_t(z.n * d.oh * d.ow);
            CHECK(cudnnConvolutionForward(d.dnn, &one, d.x, px, d.w, pw, d.conv, 1, scratch, 4 << 16, &zero, d.y,
                                          out) == 0);
            compare(y, download(out, sizeY, type), terms, type);
            CHECK(cudnnConvolutionBackwardData(d.dnn, &one, d.w, pw, d.y, pdy, d.conv, 0, 0, 0, &zero, d.x, out) == 0);
            compare(dx, download(out, sizeX, type), backward, type);
            CHECK(cudnnConvolutionBackwardFilter(d.dnn, &one, d.x, px, d.y, pdy, d.conv, 1, scratch, 4 << 16, &zero,
                                                 d.w, out) == 0);
            compare(dw, download(out, sizeW, type), places, type);
            // beta adds to what was there.
            CHECK(cudnnConvolutionBackwardFilter(d.dnn, &half, d.x, px, d.y, pdy, d.conv, 0, 0, 0, &half, d.w, out) ==
                  0);
            compare(dw, download(out, sizeW, type), places * 2, type);
            reset();
        }
}

static void refusedConvolutions() {
    int bad = cudnnGetVersion() >= 90000 ? 2000 : 3;
    Shape z{1, 4, 5, 5, 8, 3, 3, 1, 1, 1, 1};
    Descriptors d(z, 0, 3);
    CHECK(std::string(cudnnGetErrorString(bad)) == "CUDNN_STATUS_BAD_PARAM");
    CUdeviceptr x = upload(noise(100, 1)), w = upload(noise(288, 2)), y = room(200), scratch = room(1 << 14);
    size_t needed;
    CHECK(cudnnGetConvolutionForwardWorkspaceSize(d.dnn, d.x, d.w, d.conv, d.y, 1, &needed) == 0);
    CHECK(needed > 0);
    CHECK(cudnnConvolutionForward(d.dnn, &one, d.x, x, d.w, w, d.conv, 1, scratch, needed - 1, &zero, d.y, y) == bad);
    CHECK(cudnnConvolutionForward(d.dnn, &one, nullptr, x, d.w, w, d.conv, 0, 0, 0, &zero, d.y, y) == bad);
    CHECK(cudnnSetTensor4dDescriptor(d.x, 0, 0, 1, 4, 5, 5) == 0);  // NCHW
    CHECK(cudnnConvolutionForward(d.dnn, &one, d.x, x, d.w, w, d.conv, 0, 0, 0, &zero, d.y, y) == bad);
    CHECK(cudnnSetTensor4dDescriptor(d.x, 1, 0, 1, 4, 5, 6) == 0);
    CHECK(cudnnConvolutionForward(d.dnn, &one, d.x, x, d.w, w, d.conv, 0, 0, 0, &zero, d.y, y) == bad);
    CHECK(cudnnSetTensor4dDescriptor(d.x, 1, 0, 1, 4, 5, 5) == 0);

    Performance found[8];
    int count;
    CHECK(cudnnGetConvolutionForwardAlgorithm_v7(d.dnn, d.x, d.w, d.conv, d.y, 8, &count, found) == 0);
    CHECK(count == 8 && found[0].algorithm == 1 && found[0].memory == needed && found[0].status == 0 &&
          found[2].status != 0);
    CHECK(cudnnDestroyConvolutionDescriptor(d.conv) == 0);
    CHECK(cudnnConvolutionForward(d.dnn, &one, d.x, x, d.w, w, d.conv, 0, 0, 0, &zero, d.y, y) == bad);
}

// Attributes of the graph API: a wrong type, a wrong number, too early and too late.
static void refusedAttributes() {
    const int bad = cudnnGetVersion() >= 90000 ? 2000 : 3, TENSOR = 17, INT64 = 3, DATA_TYPE = 1;
    const int64_t extents[] = {2, 3, 4, 5}, strides[] = {60, 1, 15, 3}, id = 7, alignment = 16;
    const int type = 0;
    int64_t got[4] = {}, count = 0;
    void* tensor;
    CHECK(cudnnBackendCreateDescriptor(TENSOR, &tensor) == 0);
    CHECK(cudnnBackendSetAttribute(tensor, 902, DATA_TYPE, 4, extents) == bad);
    CHECK(cudnnBackendSetAttribute(tensor, 902, INT64, 0, extents) == bad);
    CHECK(cudnnBackendSetAttribute(tensor, 902, INT64, 4, extents) == 0);
    CHECK(cudnnBackendSetAttribute(tensor, 903, INT64, 4, strides) == 0);
    CHECK(cudnnBackendSetAttribute(tensor, 901, DATA_TYPE, 1, &type) == 0);
    CHECK(cudnnBackendSetAttribute(tensor, 900, INT64, 1, &alignment) == 0);
    CHECK(cudnnBackendFinalize(tensor) == bad);  // no unique id yet
    CHECK(cudnnBackendGetAttribute(tensor, 902, INT64, 4, &count, got) == bad);
    CHECK(cudnnBackendSetAttribute(tensor, 906, INT64, 1, &id) == 0);
    CHECK(cudnnBackendFinalize(tensor) == 0);
    CHECK(cudnnBackendGetAttribute(tensor, 902, INT64, 4, &count, got) == 0);
    CHECK(count == 4 && got[3] == 5);
    CHECK(cudnnBackendSetAttribute(tensor, 906, INT64, 1, &id) == bad);
    CHECK(cudnnBackendDestroyDescriptor(tensor) == 0);
    CHECK(cudnnBackendDestroyDescriptor(tensor) == bad);
}

// A workspace over the input destroys it.
static void overlappingWorkspace() {
    Shape z{1, 4, 5, 5, 8, 3, 3, 1, 1, 1, 1};
    Descriptors d(z, 0, 3);
    CUdeviceptr x = upload(noise(4096, 1)), w = upload(noise(288, 2)), y = room(200);
    CHECK(cudnnConvolutionForward(d.dnn, &one, d.x, x, d.w, w, d.conv, 1, x, 4 << 12, &zero, d.y, y) != 0);
    CHECK(cuCtxSynchronize() == CUDA_ERROR_ILLEGAL_ADDRESS);
}

int main() {
    start();
    void (*tests[])() = {roundings,    products,            refusedProducts,   tensorCores,         capturedProduct,
                         convolutions, refusedConvolutions, refusedAttributes, overlappingWorkspace};
    for (auto* test : tests) {
        test();
        reset();
    }
    printf("libraries, cuDNN %zu: %s\n", cudnnGetVersion(), failures == 0 ? "good" : "FAILED");
    return failures != 0;
}
