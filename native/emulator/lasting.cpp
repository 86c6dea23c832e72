// Nothing of the emulator is destroyed when the process ends: other threads may still be at work in it then, as with
// the real libraries. Static objects would register their destructors here; nobody keeps them.
extern "C" int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }
