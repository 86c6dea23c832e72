// Reads a preprocessed CUDA source as far as its emulation needs it.
#pragma once
#include <string>
#include <vector>

struct Kernel {
    std::string name;
    std::string maxThreads;  // an expression: the first argument of __launch_bounds__, or 0
    bool barriers;           // whether it, or something that it calls, waits for other threads
};

// The kernels of a source: every `__global__` function.
std::vector<Kernel> kernelsOf(const std::string& source);

// The source as g++ takes it: `extern __shared__ T name[]` becomes a pointer, and everything is local to the module, so
// that a static variable of a template can lie in the section of shared memory.
std::string translate(const std::string& source, const std::vector<Kernel>& kernels);
