// Modules: shared objects that the emulated NVRTC made, loaded from memory. Functions, and their launch.
#include "api.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

namespace emulator {

struct ModuleEntry {  // the same as EmulatedModule in device.h
    const KernelEntry* kernels;
    int count;
    char* sharedBegin;
    char* sharedEnd;
};

struct Module {
    int file;
    void* library;
    const ModuleEntry* entry;
    memory::Image image;
    std::map<std::string, std::unique_ptr<Function>> functions;
};

namespace {

std::set<Module*> modules;
std::set<Function*> functions;

// CUBIN is the shared object itself; PTX is a line that says so, and the same in hexadecimal digits.
std::string sharedObject(const void* image) {
    auto* bytes = static_cast<const char*>(image);
    const std::string title = "// Lamina emulator\n";
    if (strncmp(bytes, title.c_str(), title.size()) == 0) {
        std::string object;
        for (const char* p = bytes + title.size(); p[0] != 0 && p[1] != 0; p += 2) {
            char pair[3] = {p[0], p[1], 0};
            object += char(strtol(pair, nullptr, 16));
        }
        return object;
    }
    if (memcmp(bytes, ELFMAG, SELFMAG) != 0) return "";
    // The table of sections is the last thing in a file that a linker wrote.
    auto* header = reinterpret_cast<const Elf64_Ehdr*>(bytes);
    return std::string(bytes, header->e_shoff + size_t(header->e_shnum) * header->e_shentsize);
}

int findImage(dl_phdr_info* info, size_t, void* data) {
    auto* module = static_cast<Module*>(data);
    auto* inside = reinterpret_cast<const char*>(module->entry);
    uintptr_t low = UINTPTR_MAX, high = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        auto& segment = info->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD) continue;
        low = std::min<uintptr_t>(low, info->dlpi_addr + segment.p_vaddr);
        high = std::max<uintptr_t>(high, info->dlpi_addr + segment.p_vaddr + segment.p_memsz);
    }
    auto* begin = reinterpret_cast<char*>(low);
    auto* end = reinterpret_cast<char*>(high);
    if (inside < begin || inside >= end) return 0;
    module->image = {begin, end, module->entry->sharedBegin,
                     size_t(module->entry->sharedEnd - module->entry->sharedBegin)};
    return 1;
}

void close(Module* module) {
    for (auto& [name, function] : module->functions) functions.erase(function.get());
    dlclose(module->library);
    ::close(module->file);
    delete module;
}

}  // namespace

CUresult loadModule(Module** result, const void* image) {
    std::string object = sharedObject(image);
    if (object.empty())
        return refuse(CUDA_ERROR_INVALID_IMAGE, "cuModuleLoadData: this is nothing that the emulated NVRTC compiled");
    int file = memfd_create("lamina-emulator-module", MFD_CLOEXEC);
    if (file < 0 || write(file, object.data(), object.size()) != ssize_t(object.size()))
        return refuse(CUDA_ERROR_OUT_OF_MEMORY, "cuModuleLoadData: cannot keep the module");
    // The file stays open as long as the module lives: the loader takes a path that it has seen for the same library.
    std::string path = "/proc/self/fd/" + std::to_string(file);
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    auto* entry =
        library == nullptr ? nullptr : static_cast<const ModuleEntry*>(dlsym(library, "lamina_emulated_module"));
    if (entry == nullptr) {
        ::close(file);
        return refuse(CUDA_ERROR_INVALID_IMAGE, "cuModuleLoadData: %s", dlerror());
    }
    auto* module = new Module{file, library, entry, {}, {}};
    dl_iterate_phdr(findImage, module);
    modules.insert(module);
    *result = module;
    return CUDA_SUCCESS;
}

CUresult unloadModule(Module* module) {
    if (modules.erase(module) == 0) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuModuleUnload of an unknown module");
    CUresult result = synchronizeAll();
    close(module);
    return result;
}

void unloadAll() {
    for (Module* module : modules) close(module);
    modules.clear();
}

CUresult findFunction(Function** result, Module* module, const char* name) {
    if (modules.count(module) == 0)
        return refuse(CUDA_ERROR_INVALID_HANDLE, "cuModuleGetFunction of an unknown module");
    for (int i = 0; i < module->entry->count; i++) {
        const KernelEntry& kernel = module->entry->kernels[i];
        if (strcmp(kernel.name, name) != 0) continue;
        auto& function = module->functions[name];
        if (function == nullptr) {
            function.reset(new Function{module, &kernel});
            function->staticShared = module->image.sharedBytes;
            functions.insert(function.get());
        }
        *result = function.get();
        return CUDA_SUCCESS;
    }
    return refuse(CUDA_ERROR_NOT_FOUND, "cuModuleGetFunction: no kernel is named %s", name);
}

bool known(Function* function) { return functions.count(function) != 0; }

CUresult launch(Function* function, Dim3 grid, Dim3 block, size_t sharedBytes, Stream* stream, void** parameters) {
    const KernelEntry& kernel = *function->kernel;
    size_t threads = size_t(block.x) * block.y * block.z;
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || threads == 0 || grid.x > 0x7fffffff || grid.y > 65535 ||
        grid.z > 65535)
        return refuse(CUDA_ERROR_INVALID_VALUE, "cuLaunchKernel %s: grid (%u,%u,%u), block (%u,%u,%u)", kernel.name,
                      grid.x, grid.y, grid.z, block.x, block.y, block.z);
    if (threads > 1024 || block.z > 64)
        return refuse(CUDA_ERROR_INVALID_VALUE, "cuLaunchKernel %s: a block of %zu threads", kernel.name, threads);
    if (kernel.maxThreads > 0 && threads > size_t(kernel.maxThreads))
        return refuse(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
                      "cuLaunchKernel %s: blocks of %zu threads, __launch_bounds__ says %d", kernel.name, threads,
                      kernel.maxThreads);
    if (sharedBytes > function->maxDynamicShared)
        return refuse(CUDA_ERROR_INVALID_VALUE,
                      "cuLaunchKernel %s: %zu bytes of dynamic shared memory, allowed are %zu", kernel.name,
                      sharedBytes, function->maxDynamicShared);
    if (kernel.count > 0 && parameters == nullptr)
        return refuse(CUDA_ERROR_INVALID_VALUE, "cuLaunchKernel %s: no parameters, it takes %d", kernel.name,
                      kernel.count);

    // The values are taken now, as CUDA does; a graph keeps them for good. Sixteen bytes for each, or more for a
    // struct.
    std::vector<uint64_t> values;
    std::vector<size_t> places;
    for (int i = 0; i < kernel.count; i++) {
        if (parameters[i] == nullptr)
            return refuse(CUDA_ERROR_INVALID_VALUE, "cuLaunchKernel %s: parameter %d is null", kernel.name, i);
        size_t bytes = size_t(std::abs(kernel.sizes[i]));
        places.push_back(values.size());
        values.resize(values.size() + (bytes + 15) / 16 * 2);
        memcpy(&values[places.back()], parameters[i], bytes);
        if (kernel.sizes[i] > 0) continue;
        void* pointer;
        memcpy(&pointer, parameters[i], sizeof pointer);
        pointer = memory::translate(pointer);
        memcpy(&values[places.back()], &pointer, sizeof pointer);
    }
    return submit(stream, kernel.name, [function, grid, block, sharedBytes, values, places]() -> CUresult {
        if (!known(function)) return refuse(CUDA_ERROR_INVALID_HANDLE, "a kernel runs whose module was unloaded");
        std::vector<void*> pointers;
        for (size_t place : places) pointers.push_back(const_cast<uint64_t*>(&values[place]));
        memory::beginKernel(function->module->image);
        CUresult result = runKernel(*function->kernel, grid, block, pointers.data(), sharedBytes);
        memory::endKernel();
        return result;
    });
}

}  // namespace emulator

using namespace emulator;

API cuModuleLoadData(Module** module, const void* image) {
    return call("cuModuleLoadData", UNSAFE, [&] { return loadModule(module, image); });
}

API cuModuleLoadDataEx(Module** module, const void* image, unsigned, int*, void**) {
    return call("cuModuleLoadDataEx", UNSAFE, [&] { return loadModule(module, image); });
}

API cuModuleUnload(Module* module) {
    return call("cuModuleUnload", UNSAFE, [&] { return unloadModule(module); });
}

API cuModuleGetFunction(Function** function, Module* module, const char* name) {
    return call("cuModuleGetFunction", ORDINARY, [&] { return findFunction(function, module, name); });
}

API cuFuncGetAttribute(int* value, int attribute, Function* function) {
    return call("cuFuncGetAttribute", ORDINARY, [&] {
        if (!known(function)) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuFuncGetAttribute of an unknown function");
        int threads = function->kernel->maxThreads;
        switch (attribute) {
            case 0: *value = threads > 0 ? threads : 1024; break;
            case 1: *value = int(function->staticShared); break;
            case 2:
            case 3: *value = 0; break;
            case 4: *value = 32; break;
            case 5:
            case 6: *value = capability(0) * 10 + capability(1); break;
            case 7:
            case 9: *value = 0; break;
            case FUNCTION_MAX_DYNAMIC_SHARED: *value = int(function->maxDynamicShared); break;
            default:
                return refuse(CUDA_ERROR_INVALID_VALUE, "cuFuncGetAttribute: the emulator has no attribute %d",
                              attribute);
        }
        return CUDA_SUCCESS;
    });
}

API cuFuncSetAttribute(Function* function, int attribute, int value) {
    return call("cuFuncSetAttribute", ORDINARY, [&] {
        if (!known(function)) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuFuncSetAttribute of an unknown function");
        if (attribute == FUNCTION_MAX_DYNAMIC_SHARED) {
            if (value < 0 || value > 99 * 1024)
                return refuse(CUDA_ERROR_INVALID_VALUE, "cuFuncSetAttribute: %d bytes of shared memory", value);
            function->maxDynamicShared = size_t(value);
        }
        return CUDA_SUCCESS;
    });
}

API cuFuncSetCacheConfig(Function* function, int) {
    return call("cuFuncSetCacheConfig", ORDINARY, [&] {
        return known(function) ? CUDA_SUCCESS
                               : refuse(CUDA_ERROR_INVALID_HANDLE, "cuFuncSetCacheConfig of an unknown function");
    });
}

API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function* function, int threads, size_t) {
    return call("cuOccupancyMaxActiveBlocksPerMultiprocessor", ORDINARY, [&] {
        if (!known(function) || threads <= 0)
            return refuse(CUDA_ERROR_INVALID_VALUE, "cuOccupancyMaxActiveBlocksPerMultiprocessor: %d threads", threads);
        return *blocks = std::min(16, 2048 / threads), CUDA_SUCCESS;
    });
}

API cuLaunchKernel(Function* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned sharedBytes, Stream* stream, void** parameters, void** extra) {
    return onStream("cuLaunchKernel", ORDINARY, stream, [&] {
        if (!known(function)) return refuse(CUDA_ERROR_INVALID_HANDLE, "cuLaunchKernel of an unknown function");
        if (extra != nullptr) return refuse(CUDA_ERROR_NOT_SUPPORTED, "cuLaunchKernel: parameters as \"extra\"");
        return launch(function, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, stream, parameters);
    });
}
