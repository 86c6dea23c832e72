// Streams and events. Work runs when it is submitted or, with LAMINA_EMULATOR_STREAMS=deferred, as late as CUDA allows:
// only when somebody waits for it. With LAMINA_EMULATOR_STREAMS=uneven every second stream is late and the others are
// not. A wait that was forgotten gives wrong results in one of them, each time.
#include "api.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <set>

namespace emulator {

struct Stream {
    unsigned flags = STREAM_NON_BLOCKING;
    bool late = false;
    std::deque<Work> queue;
    std::shared_ptr<Capture> capture;
    std::vector<int> frontier;  // nodes of the capture that the next one depends on
};

namespace {

std::set<Stream*> streams;
std::set<Event*> events;

// The stream of the null handle: it waits for all streams that were not made non-blocking.
Stream* nullStream() {
    static Stream stream;
    return &stream;
}

Stream* resolve(Stream* stream) { return stream == nullptr ? nullStream() : stream; }

double now() {
    auto time = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(time).count();
}

CUresult runOne(Stream* stream) {
    Work work = std::move(stream->queue.front());
    stream->queue.pop_front();
    CUresult result = work();
    if (result != CUDA_SUCCESS) stick(result);
    return result;
}

CUresult drain(Stream* stream) {
    while (!stream->queue.empty())
        if (CUresult result = runOne(stream); result != CUDA_SUCCESS) return result;
    return CUDA_SUCCESS;
}

CUresult drain(const std::shared_ptr<Ticket>& ticket) {
    while (!ticket->done)
        if (CUresult result = runOne(ticket->stream); result != CUDA_SUCCESS) return result;
    return CUDA_SUCCESS;
}

CUresult drainBlocking() {
    for (Stream* stream : streams)
        if ((stream->flags & STREAM_NON_BLOCKING) == 0)
            if (CUresult result = drain(stream); result != CUDA_SUCCESS) return result;
    return CUDA_SUCCESS;
}

CUresult enqueue(Stream* stream, Work work) {
    if (stream == nullStream()) {
        if (CUresult result = drainBlocking(); result != CUDA_SUCCESS) return result;
    }
    stream->queue.push_back(std::move(work));
    // Nothing can tell whether the null stream runs late: all that waits for it would make it run.
    return stream->late ? CUDA_SUCCESS : drain(stream);
}

// The null stream may not be used while a blocking stream is captured: it would have to wait for it.
CUresult refuseImplicit(Stream* stream, const char* call) {
    if (stream != nullStream()) return CUDA_SUCCESS;
    for (Stream* other : streams)
        if (other->capture != nullptr && (other->flags & STREAM_NON_BLOCKING) == 0)
            return invalidate(*other->capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, call);
    return CUDA_SUCCESS;
}

CUresult refuseCapturing(Stream* stream, const char* call) {
    if (stream->capture != nullptr) return invalidate(*stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, call);
    return CUDA_SUCCESS;
}

}  // namespace

namespace {
bool mode(const char* name) {
    const char* wish = getenv("LAMINA_EMULATOR_STREAMS");
    return wish != nullptr && strcmp(wish, name) == 0;
}
}  // namespace

bool deferred() {
    static const bool value = mode("deferred");
    return value;
}

Stream* createStream(unsigned flags) {
    auto* stream = new Stream;
    stream->flags = flags;
    stream->late = deferred() || (mode("uneven") && streams.size() % 2 == 1);
    streams.insert(stream);
    return stream;
}

bool known(Stream* stream) { return stream == nullptr || streams.count(stream) != 0; }
unsigned flagsOf(Stream* stream) { return stream == nullptr ? 0 : stream->flags; }
bool capturing(Stream* stream) { return resolve(stream)->capture != nullptr; }
bool idle(Stream* stream) { return resolve(stream)->queue.empty(); }
std::shared_ptr<Capture> captureOf(Stream* stream) { return stream->capture; }
std::vector<int>& frontierOf(Stream* stream) { return stream->frontier; }
void setCapture(Stream* stream, std::shared_ptr<Capture> capture) {
    stream->capture = std::move(capture);
    stream->frontier.clear();
}

CUresult destroyStream(Stream* stream) {
    if (stream == nullptr || !known(stream))
        return refuse(CUDA_ERROR_INVALID_HANDLE, "cuStreamDestroy of an unknown stream");
    if (stream->capture != nullptr)
        return invalidate(*stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "cuStreamDestroy");
    CUresult result = drain(stream);
    streams.erase(stream);
    delete stream;
    return result;
}

CUresult submit(Stream* stream, const std::string& name, Work work) {
    stream = resolve(stream);
    if (CUresult result = refuseImplicit(stream, name.c_str()); result != CUDA_SUCCESS) return result;
    work = withFault(name, std::move(work));
    if (stream->capture != nullptr) return add(*stream->capture, stream, name, std::move(work));
    return enqueue(stream, std::move(work));
}

CUresult synchronize(Stream* stream) {
    stream = resolve(stream);
    if (CUresult result = refuseImplicit(stream, "cuStreamSynchronize"); result != CUDA_SUCCESS) return result;
    if (CUresult result = refuseCapturing(stream, "cuStreamSynchronize"); result != CUDA_SUCCESS) return result;
    if (stream == nullStream())
        if (CUresult result = drainBlocking(); result != CUDA_SUCCESS) return result;
    return drain(stream);
}

CUresult synchronizeAll() {
    for (Stream* stream : streams)
        if (CUresult result = drain(stream); result != CUDA_SUCCESS) return result;
    return CUDA_SUCCESS;
}

Event* createEvent(unsigned flags) {
    auto* event = new Event;
    event->flags = flags;
    events.insert(event);
    return event;
}

CUresult destroyEvent(Event* event) {
    if (events.erase(event) == 0) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuEventDestroy of an unknown event");
    delete event;
    return CUDA_SUCCESS;
}

namespace {
CUresult refuseUnknown(Event* event, const char* call) {
    return events.count(event) != 0 ? CUDA_SUCCESS : refuse(CUDA_ERROR_INVALID_HANDLE, "%s: unknown event", call);
}
}  // namespace

CUresult record(Event* event, Stream* stream) {
    stream = resolve(stream);
    if (CUresult result = refuseUnknown(event, "cuEventRecord"); result != CUDA_SUCCESS) return result;
    if (CUresult result = refuseImplicit(stream, "cuEventRecord"); result != CUDA_SUCCESS) return result;
    if (stream->capture != nullptr) {
        if (stream->capture->status == CAPTURE_INVALIDATED)
            return refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "cuEventRecord");
        event->capture = stream->capture;
        event->frontier = stream->frontier;
        event->ticket = nullptr;
        return CUDA_SUCCESS;
    }
    auto ticket = std::make_shared<Ticket>();
    ticket->stream = stream;
    event->capture = nullptr;
    event->ticket = ticket;
    return enqueue(stream, [ticket] {
        ticket->done = true;
        ticket->milliseconds = now();
        return CUDA_SUCCESS;
    });
}

CUresult wait(Stream* stream, Event* event) {
    stream = resolve(stream);
    if (CUresult result = refuseUnknown(event, "cuStreamWaitEvent"); result != CUDA_SUCCESS) return result;
    if (event->capture != nullptr) {
        auto capture = event->capture;
        if (capture->status != CAPTURE_ACTIVE)
            return refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "cuStreamWaitEvent: the event's capture is over");
        if (stream->capture == nullptr) {
            if (stream == nullStream())
                return invalidate(*capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "cuStreamWaitEvent");
            setCapture(stream, capture);
            capture->streams.push_back(stream);
        } else if (stream->capture != capture) {
            return invalidate(*capture, CUDA_ERROR_STREAM_CAPTURE_MERGE, "cuStreamWaitEvent between two captures");
        }
        for (int node : event->frontier)
            if (std::find(stream->frontier.begin(), stream->frontier.end(), node) == stream->frontier.end())
                stream->frontier.push_back(node);
        return CUDA_SUCCESS;
    }
    if (stream->capture != nullptr)
        return invalidate(*stream->capture, CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
                          "cuStreamWaitEvent for an event recorded outside of the capture");
    auto ticket = event->ticket;
    if (ticket == nullptr) return CUDA_SUCCESS;
    return enqueue(stream, [ticket] { return drain(ticket); });
}

CUresult synchronize(Event* event) {
    if (CUresult result = refuseUnknown(event, "cuEventSynchronize"); result != CUDA_SUCCESS) return result;
    if (event->capture != nullptr) return invalidate(*event->capture, CUDA_ERROR_CAPTURED_EVENT, "cuEventSynchronize");
    return event->ticket == nullptr ? CUDA_SUCCESS : drain(event->ticket);
}

// Who asks often enough must get the answer that he waits for, even when nothing else makes the stream run.
CUresult query(Event* event) {
    if (CUresult result = refuseUnknown(event, "cuEventQuery"); result != CUDA_SUCCESS) return result;
    if (event->capture != nullptr) return invalidate(*event->capture, CUDA_ERROR_CAPTURED_EVENT, "cuEventQuery");
    if (event->ticket == nullptr || event->ticket->done) return CUDA_SUCCESS;
    if (CUresult result = runOne(event->ticket->stream); result != CUDA_SUCCESS) return result;
    return CUDA_ERROR_NOT_READY;
}

CUresult elapsed(float* milliseconds, Event* start, Event* end) {
    for (Event* event : {start, end}) {
        if (CUresult result = refuseUnknown(event, "cuEventElapsedTime"); result != CUDA_SUCCESS) return result;
        if (event->flags & EVENT_DISABLE_TIMING)
            return refuse(CUDA_ERROR_INVALID_HANDLE, "cuEventElapsedTime: the event was made without timing");
        if (event->ticket == nullptr)
            return refuse(CUDA_ERROR_INVALID_HANDLE, "cuEventElapsedTime: the event was not recorded");
        if (!event->ticket->done) return CUDA_ERROR_NOT_READY;
    }
    *milliseconds = float(end->ticket->milliseconds - start->ticket->milliseconds);
    return CUDA_SUCCESS;
}

void forgetStreams() {
    for (Stream* stream : streams) delete stream;
    for (Event* event : events) delete event;
    streams.clear();
    events.clear();
    setCapture(nullStream(), nullptr);
    nullStream()->queue.clear();
}

}  // namespace emulator

using namespace emulator;

API cuStreamCreate(Stream** stream, unsigned flags) {
    return call("cuStreamCreate", ORDINARY, [&] { return *stream = createStream(flags), CUDA_SUCCESS; });
}

API cuStreamCreateWithPriority(Stream** stream, unsigned flags, int) {
    return call("cuStreamCreateWithPriority", ORDINARY, [&] { return *stream = createStream(flags), CUDA_SUCCESS; });
}

API cuStreamDestroy_v2(Stream* stream) {
    return call("cuStreamDestroy", ORDINARY, [&] { return destroyStream(stream); });
}

API cuStreamSynchronize(Stream* stream) {
    return onStream("cuStreamSynchronize", ORDINARY, stream, [&] { return synchronize(stream); });
}

API cuStreamQuery(Stream* stream) {
    return onStream("cuStreamQuery", ORDINARY, stream, [&]() -> CUresult {
        if (!capturing(stream) && idle(stream)) return CUDA_SUCCESS;
        CUresult result = synchronize(stream);  // not ready this time; next time it is
        return result != CUDA_SUCCESS ? result : CUDA_ERROR_NOT_READY;
    });
}

API cuStreamGetFlags(Stream* stream, unsigned* flags) {
    return onStream("cuStreamGetFlags", ORDINARY, stream, [&] { return *flags = flagsOf(stream), CUDA_SUCCESS; });
}

API cuStreamWaitEvent(Stream* stream, Event* event, unsigned) {
    return onStream("cuStreamWaitEvent", ORDINARY, stream, [&] { return wait(stream, event); });
}

API cuEventCreate(Event** event, unsigned flags) {
    return call("cuEventCreate", ORDINARY, [&] { return *event = createEvent(flags), CUDA_SUCCESS; });
}

API cuEventDestroy_v2(Event* event) {
    return call("cuEventDestroy", ORDINARY, [&] { return destroyEvent(event); });
}

API cuEventRecord(Event* event, Stream* stream) {
    return onStream("cuEventRecord", ORDINARY, stream, [&] { return record(event, stream); });
}

API cuEventSynchronize(Event* event) {
    return call("cuEventSynchronize", ORDINARY, [&] { return synchronize(event); });
}

API cuEventQuery(Event* event) {
    return call("cuEventQuery", ORDINARY, [&] { return query(event); });
}

API cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
    return call("cuEventElapsedTime", ORDINARY, [&] { return elapsed(milliseconds, start, end); });
}
