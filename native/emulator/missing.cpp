// Where the functions end that JCuda's natives import and the emulator does not have.
#include <cstdio>
#include <cstdlib>

extern "C" [[noreturn]] void emulator_missing(const char* name, const char* library) {
    fprintf(stderr, "emulator: %s of %s was called; native/emulator does not have it\n", name, library);
    abort();
}
