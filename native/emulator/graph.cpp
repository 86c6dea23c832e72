// Stream capture: while a stream is captured its work becomes the nodes of a graph, with the dependencies that streams
// and events give them, and does not run. A launch of the graph runs the nodes.
#include "api.h"

#include <algorithm>
#include <functional>
#include <set>
#include <thread>
#include <utility>

namespace emulator {

struct GraphExec {
    std::shared_ptr<Graph> graph;
    size_t bytes() const { return graph->nodes.size() * NODE_BYTES; }
    // Made up: a real driver takes some, too.
    static constexpr size_t NODE_BYTES = 1024;
};

namespace {

std::set<std::shared_ptr<Capture>> active;
std::set<Graph*> graphs;
std::set<GraphExec*> execs;
thread_local CaptureMode threadMode = CAPTURE_GLOBAL;

size_t thisThread() { return std::hash<std::thread::id>()(std::this_thread::get_id()); }

void end(Capture& capture) {
    for (Stream* stream : capture.streams) setCapture(stream, nullptr);
    for (auto i = active.begin(); i != active.end(); ++i)
        if (i->get() == &capture) {
            active.erase(i);
            break;
        }
}

}  // namespace

CUresult invalidate(Capture& capture, CUresult code, const char* why) {
    capture.status = CAPTURE_INVALIDATED;
    return refuse(code, "%s ends a capture that is going on, and the graph is lost", why);
}

CUresult refuseInCapture(const char* call, bool waitsForAll) {
    for (auto& capture : active) {
        if (waitsForAll && capture->status == CAPTURE_ACTIVE)
            return invalidate(*capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, call);
        bool concerned = capture->mode == CAPTURE_GLOBAL ||
                         (capture->mode == CAPTURE_THREAD_LOCAL && capture->thread == thisThread());
        if (concerned && threadMode != CAPTURE_RELAXED && capture->status == CAPTURE_ACTIVE)
            return invalidate(*capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, call);
    }
    return CUDA_SUCCESS;
}

CaptureMode exchangeMode(CaptureMode mode) { return std::exchange(threadMode, mode); }

CUresult beginCapture(Stream* stream, CaptureMode mode) {
    if (stream == nullptr)
        return refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
                      "cuStreamBeginCapture: the null stream cannot be captured");
    if (captureOf(stream) != nullptr)
        return refuse(CUDA_ERROR_INVALID_VALUE, "cuStreamBeginCapture: the stream is being captured already");
    auto capture = std::make_shared<Capture>();
    capture->origin = stream;
    capture->streams = {stream};
    capture->mode = mode;
    capture->thread = thisThread();
    setCapture(stream, capture);
    active.insert(capture);
    return CUDA_SUCCESS;
}

CUresult add(Capture& capture, Stream* stream, const std::string& name, Work work) {
    if (capture.status == CAPTURE_INVALIDATED)
        return refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "%s in a capture that has failed", name.c_str());
    auto& frontier = frontierOf(stream);
    capture.graph.nodes.push_back({name, std::move(work), frontier});
    frontier = {int(capture.graph.nodes.size()) - 1};
    return CUDA_SUCCESS;
}

CUresult endCapture(Stream* stream, Graph** graph) {
    *graph = nullptr;
    auto capture = stream == nullptr ? nullptr : captureOf(stream);
    if (capture == nullptr)
        return refuse(CUDA_ERROR_INVALID_VALUE, "cuStreamEndCapture: the stream is not being captured");
    if (capture->origin != stream)
        return invalidate(*capture, CUDA_ERROR_STREAM_CAPTURE_UNMATCHED,
                          "cuStreamEndCapture on a stream that only joined");
    if (capture->mode != CAPTURE_RELAXED && capture->thread != thisThread())
        return invalidate(*capture, CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "cuStreamEndCapture on another thread");

    // Whatever other streams recorded must have been joined: be an ancestor of what the origin would wait for.
    std::vector<bool> joined(capture->graph.nodes.size());
    std::vector<int> open = frontierOf(stream);
    while (!open.empty()) {
        int node = open.back();
        open.pop_back();
        if (joined[size_t(node)]) continue;
        joined[size_t(node)] = true;
        for (int need : capture->graph.nodes[size_t(node)].needs) open.push_back(need);
    }
    auto lost = std::find(joined.begin(), joined.end(), false);
    bool valid = capture->status == CAPTURE_ACTIVE;
    end(*capture);
    capture->status = CAPTURE_INVALIDATED;  // for events that were recorded in it
    if (!valid)
        return refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "cuStreamEndCapture: the capture has failed before");
    if (lost != joined.end())
        return refuse(CUDA_ERROR_STREAM_CAPTURE_UNJOINED,
                      "cuStreamEndCapture: \"%s\" on another stream was never joined",
                      capture->graph.nodes[size_t(lost - joined.begin())].name.c_str());
    *graph = new Graph(std::move(capture->graph));
    return CUDA_SUCCESS;
}

CUresult captureStatus(Stream* stream, CaptureStatus* status) {
    auto capture = stream == nullptr ? nullptr : captureOf(stream);
    *status = capture == nullptr ? CAPTURE_NONE : capture->status;
    return CUDA_SUCCESS;
}

// Recorded order satisfies all dependencies. In deferred mode the order is another one that does, and that lets the
// branch go first which was recorded last: a join that was forgotten shows.
CUresult runGraph(const Graph& graph) {
    size_t count = graph.nodes.size();
    std::vector<bool> done(count);
    for (size_t step = 0; step < count; step++) {
        size_t next = step;
        if (deferred()) {
            for (size_t i = count; i-- > 0;) {
                auto& needs = graph.nodes[i].needs;
                if (!done[i] && std::all_of(needs.begin(), needs.end(), [&](int n) { return done[size_t(n)]; })) {
                    next = i;
                    break;
                }
            }
        }
        done[next] = true;
        if (CUresult result = graph.nodes[next].work(); result != CUDA_SUCCESS) return result;
    }
    return CUDA_SUCCESS;
}

void forgetGraphs() {
    for (Graph* graph : graphs) delete graph;
    for (GraphExec* exec : execs) {
        memory::giveBack(exec->bytes());
        delete exec;
    }
    graphs.clear();
    execs.clear();
}

}  // namespace emulator

using namespace emulator;

API cuStreamBeginCapture_v2(Stream* stream, int mode) {
    return onStream("cuStreamBeginCapture", ORDINARY, stream, [&] { return beginCapture(stream, CaptureMode(mode)); });
}

API cuStreamEndCapture(Stream* stream, Graph** graph) {
    return onStream("cuStreamEndCapture", ORDINARY, stream, [&] {
        CUresult result = endCapture(stream, graph);
        if (result == CUDA_SUCCESS) graphs.insert(*graph);
        return result;
    });
}

API cuStreamIsCapturing(Stream* stream, int* status) {
    return onStream("cuStreamIsCapturing", ORDINARY, stream, [&] {
        CaptureStatus now;
        CUresult result = captureStatus(stream, &now);
        return *status = now, result;
    });
}

API cuThreadExchangeStreamCaptureMode(int* mode) {
    return call("cuThreadExchangeStreamCaptureMode", ANY_TIME,
                [&] { return *mode = exchangeMode(CaptureMode(*mode)), CUDA_SUCCESS; });
}

API cuGraphInstantiateWithFlags(GraphExec** exec, Graph* graph, unsigned long long) {
    return call("cuGraphInstantiate", UNSAFE, [&] {
        if (graphs.count(graph) == 0)
            return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphInstantiate of an unknown graph");
        auto made = std::make_unique<GraphExec>(GraphExec{std::make_shared<Graph>(*graph)});
        if (CUresult result = memory::reserve(made->bytes(), "cuGraphInstantiate"); result != CUDA_SUCCESS)
            return result;
        *exec = made.release();
        return execs.insert(*exec), CUDA_SUCCESS;
    });
}

API cuGraphLaunch(GraphExec* exec, Stream* stream) {
    return onStream("cuGraphLaunch", ORDINARY, stream, [&] {
        if (execs.count(exec) == 0)
            return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphLaunch of an unknown executable graph");
        return submit(stream, "cuGraphLaunch", [graph = exec->graph] { return runGraph(*graph); });
    });
}

API cuGraphUpload(GraphExec* exec, Stream* stream) {
    return onStream("cuGraphUpload", ORDINARY, stream, [&] {
        return execs.count(exec) != 0
                   ? CUDA_SUCCESS
                   : refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphUpload of an unknown executable graph");
    });
}

// Only the number of nodes: what they are is nobody's business.
API cuGraphGetNodes(Graph* graph, void** nodes, size_t* count) {
    return call("cuGraphGetNodes", ORDINARY, [&] {
        if (graphs.count(graph) == 0) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphGetNodes of an unknown graph");
        if (nodes != nullptr)
            return refuse(CUDA_ERROR_NOT_SUPPORTED, "cuGraphGetNodes gives only the number of nodes here");
        return *count = graph->nodes.size(), CUDA_SUCCESS;
    });
}

API cuGraphDestroy(Graph* graph) {
    return call("cuGraphDestroy", ORDINARY, [&] {
        if (graphs.erase(graph) == 0) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphDestroy of an unknown graph");
        delete graph;
        return CUDA_SUCCESS;
    });
}

API cuGraphExecDestroy(GraphExec* exec) {
    return call("cuGraphExecDestroy", ORDINARY, [&] {
        if (execs.erase(exec) == 0)
            return refuse(CUDA_ERROR_INVALID_HANDLE, "cuGraphExecDestroy of an unknown executable graph");
        memory::giveBack(exec->bytes());
        delete exec;
        return CUDA_SUCCESS;
    });
}
