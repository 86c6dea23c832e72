// Stands in for cuDNN: library, handles, and the running of convolutions of NHWC images with OHWI filters. Who asks for
// one is in cudnn_legacy.cpp and cudnn_backend.cpp.
#include "cudnn.h"

#include <cstdarg>
#include <cstdio>

namespace cudnn {

std::set<const void*>& objects() {
    static std::set<const void*> all;
    return all;
}

std::mutex& lock() {
    static std::mutex mutex;
    return mutex;
}

namespace {
thread_local std::string lastError;
}

Status refuse(Status status, const char* format, ...) {
    char text[500];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lastError = text;
    // What cannot be done is an answer that programs ask for; anything else is their mistake.
    if (status != NOT_SUPPORTED) fprintf(stderr, "emulator: cuDNN status %d: %s\n", int(status), text);
    return status;
}

Status known(const void* object, const char* call, const char* what) {
    std::lock_guard<std::mutex> guard(lock());
    if (object == nullptr) return refuse(BAD_PARAM, "%s: the %s is null", call, what);
    return objects().count(object) != 0 ? SUCCESS : refuse(BAD_PARAM, "%s: unknown %s, or destroyed", call, what);
}

bool typeOf(int code, Type* type) {
    *type = code == HALF ? Type::F16 : code == BFLOAT16 ? Type::BF16 : Type::F32;
    return code == FLOAT || code == HALF || code == BFLOAT16;
}

bool runs(Type type) { return type != Type::BF16 || emulator_capability() >= 80; }

namespace {

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

}  // namespace

Status launch(Kind kind, const char* call, Handle* handle, const Problem& p, float alpha, float beta, const Data& data,
              CUdeviceptr workspace, size_t workspaceBytes) {
    if (workspaceBytes > 0 && workspace == 0) return refuse(BAD_PARAM, "%s: the workspace is null", call);
    for (CUdeviceptr address : {data.x, data.w, data.y})
        if (address == 0 || address % 16 != 0)
            return refuse(BAD_PARAM, "%s: data at 0x%llx, must be aligned to 16 bytes", call, address);
    Operand x{"x of a convolution", data.x, p.x.size()}, w{"filter of a convolution", data.w, p.w.size()},
        y{"y of a convolution", data.y, p.y.size()};
    Operand first = kind == BACKWARD_DATA ? w : x, second = kind == FORWARD ? w : y;
    Operand result = kind == FORWARD ? y : kind == BACKWARD_DATA ? x : w;
    auto work = [=] { return run(kind, p, alpha, beta, first, second, result, workspace, workspaceBytes); };
    return emulator_submit(handle->stream, call, work) == CUDA_SUCCESS ? SUCCESS : EXECUTION_FAILED;
}

}  // namespace cudnn

using namespace cudnn;

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

#if CUDNN_VERSION == 9
API void cudnnGetLastErrorString(char* text, size_t room) {
    snprintf(text, room, "%s", lastError.c_str());
    lastError.clear();
}
#endif

API int cudnnCreate(Handle** handle) {
    if (emulator_enter("cudnnCreate", EMULATOR_ALLOCATES) != CUDA_SUCCESS) return NOT_INITIALIZED;
    return create(handle, "cudnnCreate");
}

API int cudnnDestroy(Handle* handle) {
    if (emulator_enter("cudnnDestroy", EMULATOR_WAITS_FOR_ALL) != CUDA_SUCCESS) return EXECUTION_FAILED;
    return destroy(handle, "cudnnDestroy");
}

API int cudnnSetStream(Handle* handle, void* stream) {
    KNOWN(handle, "cudnnSetStream", "handle");
    if (!emulator_known_stream(stream)) return refuse(BAD_PARAM, "cudnnSetStream: unknown stream");
    return handle->stream = stream, SUCCESS;
}

API int cudnnGetStream(Handle* handle, void** stream) {
    KNOWN(handle, "cudnnGetStream", "handle");
    return *stream = handle->stream, SUCCESS;
}
