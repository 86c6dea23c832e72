// What the parts of the emulated cuDNN share. CUDNN_VERSION 8 or 9 decides version and status codes.
#pragma once
#include "convolution.h"
#include "emulator.h"

#include <mutex>
#include <set>

namespace cudnn {

using namespace convolution;
using numbers::Type;

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

struct Handle {
    void* stream = nullptr;
};

// Handles and descriptors that live.
std::set<const void*>& objects();
std::mutex& lock();

// Prints the reason on stderr and returns the status.
[[gnu::format(printf, 2, 3)]] Status refuse(Status status, const char* format, ...);
Status known(const void* object, const char* call, const char* what);

template <class T>
Status create(T** object, const char* call) {
    if (object == nullptr) return refuse(BAD_PARAM, "%s: null", call);
    std::lock_guard<std::mutex> guard(lock());
    objects().insert(*object = new T);
    return SUCCESS;
}

template <class T>
Status destroy(T* object, const char* call) {
    if (Status status = known(object, call, "object"); status != SUCCESS) return status;
    std::lock_guard<std::mutex> guard(lock());
    objects().erase(object);
    delete object;
    return SUCCESS;
}

bool typeOf(int code, Type* type);
// Whether the device has convolutions of this type.
bool runs(Type type);

// Enqueues a convolution; of x, w and y two are read, as the kind says, and one is written.
struct Data {
    CUdeviceptr x, w, y;
};
Status launch(Kind kind, const char* call, Handle* handle, const Problem& p, float alpha, float beta, const Data& data,
              CUdeviceptr workspace, size_t workspaceBytes);

}  // namespace cudnn

#define API extern "C" __attribute__((visibility("default")))
#define KNOWN(object, call, what) \
    if (Status status = known(object, call, what); status != SUCCESS) return status
