// Faults on demand: LAMINA_EMULATOR_FAULT=NAME:N lets the N-th run of a kernel or library function go wrong as kernels on
// a GPU do: the call that started it was answered long ago.
#include "emulator.h"

#include <cstdlib>

namespace emulator {
namespace {

struct Fault {
    std::string name;
    long run = 0;
};

Fault wished() {
    const char* wish = getenv("LAMINA_EMULATOR_FAULT");
    std::string text = wish == nullptr ? "" : wish;
    size_t colon = text.find(':');
    return colon == std::string::npos ? Fault{} : Fault{text.substr(0, colon), atol(text.c_str() + colon + 1)};
}

}  // namespace

Work withFault(const std::string& name, Work work) {
    static Fault fault = wished();
    if (fault.run <= 0 || name != fault.name) return work;
    return [work = std::move(work)]() -> CUresult {
        if (--fault.run != 0) return work();
        stick(refuse(CUDA_ERROR_ILLEGAL_ADDRESS, "a fault in %s, by LAMINA_EMULATOR_FAULT", fault.name.c_str()));
        return CUDA_SUCCESS;
    };
}

}  // namespace emulator
