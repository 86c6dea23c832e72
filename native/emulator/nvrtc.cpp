// Stands in for NVRTC: g++ compiles the kernels, with device.h in front and the functions of the thread sanitizer
// called at every access, to a shared object that the emulated driver loads. Results are kept, by content, in a folder
// beside this library or in LAMINA_EMULATOR_CACHE.
#include "kernels.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

extern const char emulator_device_header[];  // device.h, put into the library by the Makefile

namespace {

enum Result { SUCCESS = 0, INVALID_INPUT = 3, INVALID_PROGRAM = 4, INVALID_OPTION = 5, COMPILATION = 6, INTERNAL = 11 };
#if CUDA_VERSION == 13
constexpr int MAJOR = 13, MINOR = 0;
const int architectures[] = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};
#else
constexpr int MAJOR = 12, MINOR = 6;
const int architectures[] = {50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90};
#endif

struct Program {
    std::string source;
    std::string name;
    std::string log;
    std::string cubin;
    std::string ptx;
};

struct Options {
    std::string definitions;  // for g++
    std::string standard = "c++17";
    bool fmad = true;
    bool real = false;  // compiled for a GPU (sm_80), not only for the driver's compiler (compute_80)
    std::string refused;
};

std::string quoted(const std::string& text) {
    std::string result = "'";
    for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

bool starts(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

// The options that Lamina uses, and those that change nothing here. NVRTC refuses what it does not know; so does this.
Options parse(int count, const char* const* texts) {
    Options options;
    for (int i = 0; i < count && options.refused.empty(); i++) {
        std::string option = texts[i];
        std::string key = option.substr(0, option.find('='));
        std::string value = key.size() < option.size() ? option.substr(key.size() + 1) : "";
        if (starts(key, "--")) key = key.substr(1);
        if (starts(option, "-D")) {
            std::string definition = option.substr(2);
            if (definition.empty() && i + 1 < count) definition = texts[++i];
            options.definitions += " -D" + quoted(definition);
        } else if (key == "-define-macro") {
            options.definitions += " -D" + quoted(value);
        } else if (key == "-gpu-architecture" || key == "-arch") {
            options.real = starts(value, "sm_");
            size_t digits = value.find('_');
            int number = digits == std::string::npos ? 0 : atoi(value.c_str() + digits + 1);
            bool known =
                (options.real || starts(value, "compute_")) &&
                std::find(std::begin(architectures), std::end(architectures), number) != std::end(architectures);
            if (!known) options.refused = "nvrtc: error: invalid value for --gpu-architecture (-arch): " + value;
        } else if (key == "-fmad") {
            options.fmad = value == "true";
            if (value != "true" && value != "false")
                options.refused = "nvrtc: error: invalid value for --fmad: " + value;
        } else if (key == "-std") {
            options.standard = value;
            if (value != "c++17" && value != "c++14" && value != "c++20")
                options.refused = "nvrtc: error: invalid value for --std: " + value;
        } else if (key == "-prec-div" || key == "-prec-sqrt") {
            if (value != "true")
                options.refused = "nvrtc: error: the emulator divides and takes roots exactly: " + option;
        } else if (key == "-ftz") {
            if (value != "false") options.refused = "nvrtc: error: the emulator keeps denormal numbers: " + option;
        } else if (key != "-device-as-default-execution-space" && key != "-default-device" && key != "-restrict" &&
                   key != "-maxrregcount" && key != "-lineinfo" && key != "-generate-line-info" &&
                   key != "-disable-warnings" && key != "-w" && key != "-diag-suppress" &&
                   key != "-extra-device-vectorization" && key != "-dopt" && key != "-minimal") {
            options.refused = "nvrtc: error: unrecognized option " + option + " found";
        }
    }
    return options;
}

std::string readAll(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool writeAll(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    return bool(file.flush());
}

// FNV-1a twice with different starts: 128 bits, to tell sources apart and not to withstand anybody.
std::string hash(const std::string& text) {
    unsigned long long a = 14695981039346656037ull, b = 0x9e3779b97f4a7c15ull;
    for (unsigned char c : text) {
        a = (a ^ c) * 1099511628211ull;
        b = (b ^ c) * 1099511628211ull;
        b ^= b >> 29;
    }
    char digits[40];
    snprintf(digits, sizeof digits, "%016llx%016llx", a, b);
    return digits;
}

std::string libraryFolder() {
    Dl_info info{};
    dladdr(reinterpret_cast<void*>(&libraryFolder), &info);
    std::string path = info.dli_fname;
    size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string cacheFolder() {
    const char* wish = getenv("LAMINA_EMULATOR_CACHE");
    std::string folder = wish != nullptr ? wish : libraryFolder() + "/kernels";
    mkdir(folder.c_str(), 0700);
    if (access(folder.c_str(), W_OK) == 0) return folder;
    const char* temporary = getenv("TMPDIR");
    return temporary != nullptr ? temporary : "/tmp";
}

const std::string& compiler() {
    static const std::string name = getenv("CXX") != nullptr ? getenv("CXX") : "g++";
    return name;
}

// Runs a command; its standard error goes to `log`. True if it went well.
bool run(const std::string& command, std::string& log) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return false;
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0;) log.append(part, n);
    int status = pclose(pipe);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string hexadecimal(const std::string& bytes) {
    std::string text;
    for (unsigned char c : bytes) {
        text += "0123456789abcdef"[c >> 4];
        text += "0123456789abcdef"[c & 15];
    }
    return text;
}

// Compiles in a folder of its own; what comes out is moved to `result` in one step, so that others never see half of
// it.
Result compile(Program& program, const Options& options, const std::string& flags, const std::string& result) {
    std::string folder = result + ".XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return program.log = "cannot make " + folder, INTERNAL;
    auto file = [&](const char* name) { return folder + "/" + name; };
    std::string gxx = quoted(compiler());
    bool good = writeAll(file("device.h"), emulator_device_header) &&
                writeAll(file("source.cpp"), "#line 1 \"" + program.name + "\"\n" + program.source);
    good =
        good && run(gxx + " -E -x c++ -std=" + options.standard + " -D__CUDACC__ -D__CUDACC_RTC__ -DLAMINA_EMULATOR=1" +
                        options.definitions + " " + quoted(file("source.cpp")) + " -o " + quoted(file("plain.cpp")),
                    program.log);
    if (good) {
        std::string plain = readAll(file("plain.cpp"));
        good = writeAll(file("kernels.cpp"), translate(plain, kernelsOf(plain)));
    }
    good = good && run(gxx + flags + " -include " + quoted(file("device.h")) + " -c " + quoted(file("kernels.cpp")) +
                           " -o " + quoted(file("kernels.o")),
                       program.log);
    good = good && run(gxx + " -shared -nostdlib " + quoted(file("kernels.o")) + " -o " + quoted(file("kernels.so")) +
                           " -L" + quoted(libraryFolder()) + " -l:libcuda.so.1 -lm -lc -lgcc -Wl,-z,defs",
                       program.log);
    good = good && rename(file("kernels.so").c_str(), result.c_str()) == 0;
    for (const char* name : {"device.h", "source.cpp", "plain.cpp", "kernels.cpp", "kernels.o"})
        unlink(file(name).c_str());
    rmdir(folder.c_str());
    return good ? SUCCESS : COMPILATION;
}

Result compile(Program& program, const Options& options) {
    program.log.clear();
    program.cubin.clear();
    program.ptx.clear();
    if (!options.refused.empty()) return program.log = options.refused, INVALID_OPTION;
    __builtin_cpu_init();
    std::string flags =
        " -x c++ -std=" + options.standard +
        " -O2 -fno-tree-vectorize -fPIC -fvisibility=hidden -fno-exceptions -fno-rtti -fno-strict-aliasing"
        " -fno-math-errno -fno-stack-protector -w -fsanitize=thread --param tsan-instrument-func-entry-exit=0";
    if (__builtin_cpu_supports("fma")) flags += " -mfma";
    flags += options.fmad ? " -ffp-contract=fast" : " -ffp-contract=off";
    std::string all = compiler() + flags + options.definitions + emulator_device_header + program.name + program.source;
    std::string path = cacheFolder() + "/" + hash(all) + ".so";
    std::string object = readAll(path);
    if (object.empty()) {
        Result result = compile(program, options, flags, path);
        if (result != SUCCESS) return result;
        object = readAll(path);
    }
    program.ptx = "// Lamina emulator\n" + hexadecimal(object);
    if (options.real) program.cubin = object;
    return SUCCESS;
}

template <class Body>
int with(Program* program, Body body) {
    return program == nullptr ? int(INVALID_PROGRAM) : int(body());
}

}  // namespace

#define API extern "C" __attribute__((visibility("default")))

API int nvrtcVersion(int* major, int* minor) { return *major = MAJOR, *minor = MINOR, SUCCESS; }

API int nvrtcGetNumSupportedArchs(int* count) { return *count = int(std::size(architectures)), SUCCESS; }

API int nvrtcGetSupportedArchs(int* numbers) {
    return std::copy(std::begin(architectures), std::end(architectures), numbers), SUCCESS;
}

API const char* nvrtcGetErrorString(int result) {
    switch (result) {
        case SUCCESS: return "NVRTC_SUCCESS";
        case INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
        case INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
        case INVALID_OPTION: return "NVRTC_ERROR_INVALID_OPTION";
        case COMPILATION: return "NVRTC_ERROR_COMPILATION";
        case INTERNAL: return "NVRTC_ERROR_INTERNAL_ERROR";
        default: return "NVRTC_ERROR unknown";
    }
}

API int nvrtcCreateProgram(Program** program, const char* source, const char* name, int headers, const char* const*,
                           const char* const*) {
    if (program == nullptr || source == nullptr || headers != 0) return INVALID_INPUT;
    *program = new Program{source, name == nullptr ? "default_program" : name, "", "", ""};
    return SUCCESS;
}

API int nvrtcDestroyProgram(Program** program) {
    if (program == nullptr) return INVALID_PROGRAM;
    delete *program;
    *program = nullptr;
    return SUCCESS;
}

API int nvrtcCompileProgram(Program* program, int count, const char* const* options) {
    return with(program, [&] { return compile(*program, parse(count, options)); });
}

API int nvrtcGetProgramLogSize(Program* program, size_t* size) {
    return with(program, [&] { return *size = program->log.size() + 1, SUCCESS; });
}

API int nvrtcGetProgramLog(Program* program, char* log) {
    return with(program, [&] { return memcpy(log, program->log.c_str(), program->log.size() + 1), SUCCESS; });
}

// 0 when it was compiled for compute_XX.
API int nvrtcGetCUBINSize(Program* program, size_t* size) {
    return with(program, [&] { return *size = program->cubin.size(), SUCCESS; });
}

API int nvrtcGetCUBIN(Program* program, char* cubin) {
    return with(program, [&] {
        if (program->cubin.empty()) return INVALID_PROGRAM;
        return memcpy(cubin, program->cubin.data(), program->cubin.size()), SUCCESS;
    });
}

API int nvrtcGetPTXSize(Program* program, size_t* size) {
    return with(program, [&] {
        if (program->ptx.empty()) return INVALID_PROGRAM;
        return *size = program->ptx.size() + 1, SUCCESS;
    });
}

API int nvrtcGetPTX(Program* program, char* ptx) {
    return with(program, [&] {
        if (program->ptx.empty()) return INVALID_PROGRAM;
        return memcpy(ptx, program->ptx.c_str(), program->ptx.size() + 1), SUCCESS;
    });
}
