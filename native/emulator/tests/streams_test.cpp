// Streams, events, capture and replay. Run twice: eagerly and with LAMINA_EMULATOR_STREAMS=deferred.
#include "test.h"

#include <thread>

static const char* const SOURCE = R"(
extern "C" __global__ void add(float* to, const float* from, float value, int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) to[i] = from[i] + value;
}
)";

static bool deferred() { return getenv("LAMINA_EMULATOR_STREAMS") != nullptr; }

static Stream* stream() {
    Stream* s;
    OK(cuStreamCreate(&s, STREAM_NON_BLOCKING));
    return s;
}

static Event* event() {
    Event* e;
    OK(cuEventCreate(&e, 0));
    return e;
}

static void waiting() {
    Function* add = function(SOURCE, "add");
    CUdeviceptr a = upload({0}), b = upload({0});
    Stream *s = stream(), *t = stream();
    Event *written = event(), *end = event();
    OK(launch(add, 1, 1, 0, s, a, a, 1.0f, 1));
    OK(cuEventRecord(written, s));
    OK(cuStreamWaitEvent(t, written, 0));
    OK(launch(add, 1, 1, 0, t, b, a, 1.0f, 1));
    OK(cuEventRecord(end, t));
    OK(cuEventSynchronize(end));
    CHECK(download(b, 1)[0] == 2);
    float time = -1;
    OK(cuEventElapsedTime(&time, written, end));
    CHECK(time >= 0);
}

// Nobody waits: right only by luck, which eager streams have and deferred ones never.
static void missingWait() {
    Function* add = function(SOURCE, "add");
    CUdeviceptr a = upload({0}), b = upload({0});
    Stream *s = stream(), *t = stream();
    OK(launch(add, 1, 1, 0, s, a, a, 1.0f, 1));
    OK(launch(add, 1, 1, 0, t, b, a, 1.0f, 1));
    OK(cuStreamSynchronize(t));
    CHECK(download(b, 1)[0] == (deferred() ? 1 : 2));
}

static void copies() {
    void* pinned;
    OK(cuMemHostAlloc(&pinned, 4, 0));
    auto* host = static_cast<float*>(pinned);
    CUdeviceptr a = room(1);
    Stream* s = stream();
    *host = 3;
    OK(cuMemcpyHtoDAsync_v2(a, host, 4, s));
    *host = 4;  // too early
    OK(cuStreamSynchronize(s));
    CHECK(download(a, 1)[0] == (deferred() ? 4 : 3));
    float pageable = 5;
    OK(cuMemcpyHtoDAsync_v2(a, &pageable, 4, s));
    pageable = 6;
    OK(cuMemcpyDtoHAsync_v2(&pageable, a, 4, s));
    CHECK(pageable == 5);
}

// Two streams that part and meet: a = 1, then b = a + 10 beside c = a + 100, then a = b + c.
static void capture() {
    Function* add = function(SOURCE, "add");
    Function* sum = function(
        "extern \"C\" __global__ void sum(float* to, const float* x, const float* y) { *to = *x + *y; }", "sum");
    CUdeviceptr a = upload({0}), b = room(1), c = room(1);
    Stream *s = stream(), *t = stream();
    Event *fork = event(), *join = event();
    Graph* graph;
    Exec* exec;
    int status;
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    OK(launch(add, 1, 1, 0, s, a, a, 1.0f, 1));
    OK(cuEventRecord(fork, s));
    OK(cuStreamWaitEvent(t, fork, 0));
    OK(launch(add, 1, 1, 0, t, c, a, 100.0f, 1));
    OK(cuEventRecord(join, t));
    OK(launch(add, 1, 1, 0, s, b, a, 10.0f, 1));
    OK(cuStreamWaitEvent(s, join, 0));
    OK(launch(sum, 1, 1, 0, s, a, b, c));
    OK(cuStreamIsCapturing(t, &status));
    CHECK(status == CAPTURE_ACTIVE);
    OK(cuStreamEndCapture(s, &graph));
    OK(cuStreamIsCapturing(t, &status));
    CHECK(status == CAPTURE_NONE);
    size_t nodes;
    OK(cuGraphGetNodes(graph, nullptr, &nodes));
    CHECK(nodes == 4);
    CHECK(download(a, 1)[0] == 0);  // nothing has run
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    OK(cuGraphDestroy(graph));
    OK(cuGraphLaunch(exec, s));
    OK(cuStreamSynchronize(s));
    CHECK(download(a, 1)[0] == 112);  // (0 + 1 + 10) + (0 + 1 + 100)
    OK(cuGraphLaunch(exec, s));
    OK(cuGraphLaunch(exec, s));
    OK(cuStreamSynchronize(s));
    CHECK(download(a, 1)[0] == 4 * 112 + 2 * 112 + 112);
    OK(cuGraphExecDestroy(exec));
    CHECK(cuGraphLaunch(exec, s) == CUDA_ERROR_INVALID_HANDLE);
}

// Without the join the graph is refused; with a join in the wrong place the deferred order shows it.
static void unjoined() {
    Function* add = function(SOURCE, "add");
    CUdeviceptr a = upload({0});
    Stream *s = stream(), *t = stream();
    Event* fork = event();
    Graph* graph;
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    OK(launch(add, 1, 1, 0, s, a, a, 1.0f, 1));
    OK(cuEventRecord(fork, s));
    OK(cuStreamWaitEvent(t, fork, 0));
    OK(launch(add, 1, 1, 0, t, a, a, 1.0f, 1));
    CHECK(cuStreamEndCapture(t, &graph) == CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
    CHECK(cuStreamEndCapture(s, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    OK(cuEventRecord(fork, s));
    OK(cuStreamWaitEvent(t, fork, 0));
    OK(launch(add, 1, 1, 0, t, a, a, 1.0f, 1));
    CHECK(cuStreamEndCapture(s, &graph) == CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
}

static void race() {
    Function* add = function(SOURCE, "add");
    CUdeviceptr a = upload({0}), b = upload({0});
    Stream *s = stream(), *t = stream();
    Event *fork = event(), *join = event();
    Graph* graph;
    Exec* exec;
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    OK(cuEventRecord(fork, s));
    OK(cuStreamWaitEvent(t, fork, 0));
    OK(launch(add, 1, 1, 0, t, a, a, 1.0f, 1));
    OK(cuEventRecord(join, t));
    OK(launch(add, 1, 1, 0, s, b, a, 1.0f, 1));  // reads a without waiting for t
    OK(cuStreamWaitEvent(s, join, 0));
    OK(cuStreamEndCapture(s, &graph));
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    OK(cuGraphLaunch(exec, s));
    OK(cuStreamSynchronize(s));
    CHECK(download(b, 1)[0] == (deferred() ? 1 : 2));
}

static void illegalInCapture() {
    Function* add = function(SOURCE, "add");
    CUdeviceptr a = upload({0}), b;
    Stream* s = stream();
    Graph* graph;
    int status;
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    CHECK(cuMemAlloc_v2(&b, 4) == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    OK(cuStreamIsCapturing(s, &status));
    CHECK(status == CAPTURE_INVALIDATED);
    CHECK(launch(add, 1, 1, 0, s, a, a, 1.0f, 1) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    CHECK(cuStreamEndCapture(s, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    CHECK(graph == nullptr);

    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    CHECK(cuStreamSynchronize(s) == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    CHECK(cuStreamEndCapture(s, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);

    float host = 0;
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    CHECK(cuMemcpyHtoDAsync_v2(a, &host, 4, s) == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    CHECK(cuStreamEndCapture(s, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);

    Event* e = event();
    Stream* t = stream();
    OK(cuEventRecord(e, t));
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    CHECK(cuStreamWaitEvent(s, e, 0) == CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
    CHECK(cuStreamEndCapture(s, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);

    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    OK(cuEventRecord(e, s));
    CHECK(cuEventSynchronize(e) == CUDA_ERROR_CAPTURED_EVENT);
    CHECK(cuStreamEndCapture(s, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);

    // Another thread may allocate: the mode concerns this thread alone.
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    std::thread([&] {
        Context* context;
        OK(cuDevicePrimaryCtxRetain(&context, 0));
        OK(cuCtxSetCurrent(context));
        OK(cuMemAlloc_v2(&b, 4));
    }).join();
    OK(launch(add, 1, 1, 0, s, a, a, 1.0f, 1));
    OK(cuStreamEndCapture(s, &graph));

    // But not wait for all of the device, whatever the mode.
    OK(cuStreamBeginCapture_v2(s, CAPTURE_RELAXED));
    std::thread([&] {
        Context* context;
        OK(cuDevicePrimaryCtxRetain(&context, 0));
        OK(cuCtxSetCurrent(context));
        CHECK(cuCtxSynchronize() == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    }).join();
    CHECK(cuStreamEndCapture(s, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

// A graph remembers addresses; when the memory is gone a launch must not write there.
static void replayAfterFree() {
    Function* add = function(SOURCE, "add");
    CUdeviceptr a = upload({0});
    Stream* s = stream();
    Graph* graph;
    Exec* exec;
    OK(cuStreamBeginCapture_v2(s, CAPTURE_THREAD_LOCAL));
    OK(launch(add, 1, 1, 0, s, a, a, 1.0f, 1));
    OK(cuStreamEndCapture(s, &graph));
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    OK(cuMemFree_v2(a));
    CUresult launched = cuGraphLaunch(exec, s);
    CHECK(launched == (deferred() ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_ADDRESS));
    CHECK(cuStreamSynchronize(s) == CUDA_ERROR_ILLEGAL_ADDRESS);
}

static void memoryIsCounted() {
    size_t free, total, less;
    OK(cuMemGetInfo_v2(&free, &total));
    CHECK(free == total);
    CUdeviceptr a = room(250);
    OK(cuMemGetInfo_v2(&less, &total));
    CHECK(free - less == 1000);
    CUdeviceptr big;
    CHECK(cuMemAlloc_v2(&big, total) == CUDA_ERROR_OUT_OF_MEMORY);
    OK(cuMemFree_v2(a));
    OK(cuMemGetInfo_v2(&less, &total));
    CHECK(free == less);
}

int main() {
    start();
    void (*tests[])() = {waiting, missingWait,      copies,          capture,        unjoined,
                         race,    illegalInCapture, replayAfterFree, memoryIsCounted};
    for (auto* test : tests) {
        test();
        reset();
    }
    printf("streams, %s: %s\n", deferred() ? "deferred" : "eager", failures == 0 ? "good" : "FAILED");
    return failures != 0;
}
