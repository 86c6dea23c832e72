// How every function of the driver begins: the checks that all of them share.
#pragma once
#include "emulator.h"

#define API extern "C" __attribute__((visibility("default"))) CUresult

namespace emulator {

enum Rules : unsigned {
    ANY_TIME = 0,
    NEEDS_CONTEXT = 1,
    NOT_IN_CAPTURE = 2,  // what CUDA calls potentially unsafe
    WAITS_FOR_ALL = 4,   // which no capture survives, whoever captures
    ORDINARY = NEEDS_CONTEXT,
    UNSAFE = NEEDS_CONTEXT | NOT_IN_CAPTURE,
    ENCOMPASSING = UNSAFE | WAITS_FOR_ALL,
};

// Runs the body under the lock if the rules allow the call, and keeps an error that sticks.
CUresult call(const char* name, Rules rules, const std::function<CUresult()>& body);
// For bodies that need a valid stream.
CUresult onStream(const char* name, Rules rules, Stream* stream, const std::function<CUresult()>& body);

// Major (0) or minor (1) number of the compute capability.
int capability(int part);

}  // namespace emulator
