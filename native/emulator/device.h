// CUDA C++ for g++: what a kernel sees without any header of NVIDIA's, put in front of every emulated source.
// LAMINA_EMULATOR is defined, __CUDA_ARCH__ is not: PTX stands behind the latter.
#pragma once
#define LAMINA_EMULATOR 1

// ---- the emulated driver -------------------------------------------------------------------------------------------

extern "C" {
// Constant within a thread: each runs in its own call of the kernel.
__attribute__((const)) unsigned emulator_coordinate(int which);
__attribute__((const)) unsigned emulator_lane();
__attribute__((const)) void* emulator_dynamic_shared();
int emulator_barrier(int predicate);
unsigned long long emulator_shuffle(unsigned mask, unsigned long long value, unsigned source);
unsigned emulator_ballot(unsigned mask, int predicate);
void emulator_atomic(int begins);
void emulator_trap(const char* why);
}

#define EMULATOR_INLINE static inline __attribute__((always_inline))

// ---- qualifiers ------------------------------------------------------------------------------------------------

#define __global__ __attribute__((noinline))  // into what unpacks its parameters, which is not checked
#define __device__
#define __host__
#define __constant__
#define __shared__ static __attribute__((section("lamina_shared")))
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__

// ---- vectors ---------------------------------------------------------------------------------------------------

#define EMULATOR_VECTORS(T, name, pair, quad)                                   \
    struct name##1 {                                                            \
        T x;                                                                    \
    };                                                                          \
    struct alignas(pair) name##2 {                                              \
        T x, y;                                                                 \
    };                                                                          \
    struct name##3 {                                                            \
        T x, y, z;                                                              \
    };                                                                          \
    struct alignas(quad) name##4 {                                              \
        T x, y, z, w;                                                           \
    };                                                                          \
    EMULATOR_INLINE name##2 make_##name##2(T x, T y) { return {x, y}; }         \
    EMULATOR_INLINE name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; } \
    EMULATOR_INLINE name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
EMULATOR_VECTORS(signed char, char, 2, 4)
EMULATOR_VECTORS(unsigned char, uchar, 2, 4)
EMULATOR_VECTORS(short, short, 4, 8)
EMULATOR_VECTORS(unsigned short, ushort, 4, 8)
EMULATOR_VECTORS(int, int, 8, 16)
EMULATOR_VECTORS(unsigned, uint, 8, 16)
EMULATOR_VECTORS(long long, longlong, 16, 16)
EMULATOR_VECTORS(unsigned long long, ulonglong, 16, 16)
EMULATOR_VECTORS(float, float, 8, 16)
EMULATOR_VECTORS(double, double, 16, 16)
#undef EMULATOR_VECTORS
struct dim3 {
    unsigned x, y, z;
};

EMULATOR_INLINE uint3 emulator_coordinates(int first) {
    return {emulator_coordinate(first), emulator_coordinate(first + 1), emulator_coordinate(first + 2)};
}
#define threadIdx (emulator_coordinates(0))
#define blockIdx (emulator_coordinates(3))
#define blockDim (emulator_coordinates(6))
#define gridDim (emulator_coordinates(9))
#define warpSize 32

// ---- barriers, shuffles, votes ------------------------------------------------------------------------------------

EMULATOR_INLINE void __syncthreads() { emulator_barrier(0); }
EMULATOR_INLINE int __syncthreads_count(int predicate) { return emulator_barrier(predicate); }
EMULATOR_INLINE int __syncthreads_or(int predicate) { return emulator_barrier(predicate) != 0; }
EMULATOR_INLINE int __syncthreads_and(int predicate) { return emulator_barrier(predicate == 0) == 0; }
EMULATOR_INLINE void __syncwarp(unsigned mask = 0xffffffffu) { emulator_ballot(mask, 0); }
EMULATOR_INLINE unsigned __ballot_sync(unsigned mask, int predicate) { return emulator_ballot(mask, predicate); }
EMULATOR_INLINE int __any_sync(unsigned mask, int predicate) { return emulator_ballot(mask, predicate) != 0; }
EMULATOR_INLINE int __all_sync(unsigned mask, int predicate) { return emulator_ballot(mask, predicate) == mask; }
EMULATOR_INLINE void __threadfence() {}
EMULATOR_INLINE void __threadfence_block() {}
EMULATOR_INLINE void __trap() { emulator_trap("__trap"); }
#define assert(condition) ((condition) ? (void)0 : emulator_trap("assertion failed: " #condition))

// A source outside of the lane's segment of `width` lanes is the lane itself.
template <class T>
EMULATOR_INLINE T emulator_exchange(unsigned mask, T value, unsigned source) {
    static_assert(sizeof(T) <= 8, "shuffles move at most 8 bytes");
    unsigned long long bits = 0;
    __builtin_memcpy(&bits, &value, sizeof(T));
    bits = emulator_shuffle(mask, bits, source);
    __builtin_memcpy(&value, &bits, sizeof(T));
    return value;
}
template <class T>
EMULATOR_INLINE T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
    unsigned first = emulator_lane() & ~unsigned(width - 1);
    return emulator_exchange(mask, value, first + (unsigned(source) & unsigned(width - 1)));
}
template <class T>
EMULATOR_INLINE T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
    unsigned me = emulator_lane(), other = me ^ unsigned(lanes), end = (me | unsigned(width - 1)) + 1;
    return emulator_exchange(mask, value, other < end ? other : me);
}
template <class T>
EMULATOR_INLINE T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    unsigned me = emulator_lane(), end = (me | unsigned(width - 1)) + 1;
    return emulator_exchange(mask, value, me + delta < end ? me + delta : me);
}
template <class T>
EMULATOR_INLINE T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    unsigned me = emulator_lane(), first = me & ~unsigned(width - 1);
    return emulator_exchange(mask, value, me >= first + delta ? me - delta : me);
}

// ---- memory ----------------------------------------------------------------------------------------------------

template <class T>
EMULATOR_INLINE T __ldg(const T* p) {
    return *p;
}
template <class T>
EMULATOR_INLINE T __ldcs(const T* p) {
    return *p;
}
template <class T>
EMULATOR_INLINE T __ldcg(const T* p) {
    return *p;
}
template <class T>
EMULATOR_INLINE void __stcs(T* p, T value) {
    *p = value;
}
template <class T>
EMULATOR_INLINE void __stcg(T* p, T value) {
    *p = value;
}

// One thread runs at a time, and keeps running until it waits: plain code is atomic.
template <class T, class F>
EMULATOR_INLINE T emulator_change(T* p, F change) {
    emulator_atomic(1);  // no race, whoever else does it
    T old = *p;
    *p = change(old);
    emulator_atomic(0);
    return old;
}
template <class T>
EMULATOR_INLINE T atomicAdd(T* p, T value) {
    return emulator_change(p, [=](T old) { return T(old + value); });
}
template <class T>
EMULATOR_INLINE T atomicSub(T* p, T value) {
    return emulator_change(p, [=](T old) { return T(old - value); });
}
template <class T>
EMULATOR_INLINE T atomicMax(T* p, T value) {
    return emulator_change(p, [=](T old) { return old < value ? value : old; });
}
template <class T>
EMULATOR_INLINE T atomicMin(T* p, T value) {
    return emulator_change(p, [=](T old) { return value < old ? value : old; });
}
template <class T>
EMULATOR_INLINE T atomicOr(T* p, T value) {
    return emulator_change(p, [=](T old) { return T(old | value); });
}
template <class T>
EMULATOR_INLINE T atomicAnd(T* p, T value) {
    return emulator_change(p, [=](T old) { return T(old & value); });
}
template <class T>
EMULATOR_INLINE T atomicExch(T* p, T value) {
    return emulator_change(p, [=](T) { return value; });
}
template <class T>
EMULATOR_INLINE T atomicCAS(T* p, T expected, T value) {
    return emulator_change(p, [=](T old) { return old == expected ? value : old; });
}

// ---- bits and integers --------------------------------------------------------------------------------------------

template <class To, class From>
EMULATOR_INLINE To emulator_bits(From value) {
    static_assert(sizeof(To) == sizeof(From), "as many bits");
    To result;
    __builtin_memcpy(&result, &value, sizeof(To));
    return result;
}
EMULATOR_INLINE float __int_as_float(int v) { return emulator_bits<float>(v); }
EMULATOR_INLINE float __uint_as_float(unsigned v) { return emulator_bits<float>(v); }
EMULATOR_INLINE int __float_as_int(float v) { return emulator_bits<int>(v); }
EMULATOR_INLINE unsigned __float_as_uint(float v) { return emulator_bits<unsigned>(v); }
EMULATOR_INLINE double __longlong_as_double(long long v) { return emulator_bits<double>(v); }
EMULATOR_INLINE long long __double_as_longlong(double v) { return emulator_bits<long long>(v); }
EMULATOR_INLINE unsigned __umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)a * b >> 32); }
EMULATOR_INLINE int __mulhi(int a, int b) { return int((long long)a * b >> 32); }
EMULATOR_INLINE unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
EMULATOR_INLINE int __popc(unsigned v) { return __builtin_popcount(v); }
EMULATOR_INLINE int __clz(int v) { return v == 0 ? 32 : __builtin_clz(unsigned(v)); }
EMULATOR_INLINE int __clzll(long long v) { return v == 0 ? 64 : __builtin_clzll((unsigned long long)v); }
EMULATOR_INLINE int __ffs(int v) { return __builtin_ffs(v); }

// ---- mathematics -------------------------------------------------------------------------------------------------

#define EMULATOR_MATH1(name)                  \
    extern "C" float name##f(float) noexcept; \
    extern "C" double name(double) noexcept;  \
    EMULATOR_INLINE float name(float x) { return __builtin_##name##f(x); }
#define EMULATOR_MATH2(name)                         \
    extern "C" float name##f(float, float) noexcept; \
    extern "C" double name(double, double) noexcept; \
    EMULATOR_INLINE float name(float x, float y) { return __builtin_##name##f(x, y); }
EMULATOR_MATH1(sqrt)
EMULATOR_MATH1(cbrt) EMULATOR_MATH1(exp) EMULATOR_MATH1(exp2) EMULATOR_MATH1(expm1) EMULATOR_MATH1(log)
    EMULATOR_MATH1(log2) EMULATOR_MATH1(log10) EMULATOR_MATH1(log1p) EMULATOR_MATH1(sin) EMULATOR_MATH1(cos)
        EMULATOR_MATH1(tan) EMULATOR_MATH1(asin) EMULATOR_MATH1(acos) EMULATOR_MATH1(atan) EMULATOR_MATH1(sinh)
            EMULATOR_MATH1(cosh) EMULATOR_MATH1(tanh) EMULATOR_MATH1(erf) EMULATOR_MATH1(erfc) EMULATOR_MATH1(floor)
                EMULATOR_MATH1(ceil) EMULATOR_MATH1(trunc) EMULATOR_MATH1(rint) EMULATOR_MATH1(nearbyint)
                    EMULATOR_MATH1(round) EMULATOR_MATH1(fabs) EMULATOR_MATH2(pow) EMULATOR_MATH2(fmod)
                        EMULATOR_MATH2(fmin) EMULATOR_MATH2(fmax) EMULATOR_MATH2(atan2) EMULATOR_MATH2(copysign)
                            EMULATOR_MATH2(hypot)
#undef EMULATOR_MATH1
#undef EMULATOR_MATH2
                                extern "C" float fmaf(float, float, float) noexcept;
extern "C" double fma(double, double, double) noexcept;
extern "C" float ldexpf(float, int) noexcept;
extern "C" double ldexp(double, int) noexcept;
extern "C" float scalbnf(float, int) noexcept;
extern "C" float frexpf(float, int*) noexcept;
extern "C" int abs(int) noexcept;
EMULATOR_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
EMULATOR_INLINE float abs(float v) { return __builtin_fabsf(v); }
EMULATOR_INLINE double abs(double v) { return __builtin_fabs(v); }
EMULATOR_INLINE float rsqrtf(float v) { return float(1.0 / __builtin_sqrt(double(v))); }
EMULATOR_INLINE double rsqrt(double v) { return 1.0 / __builtin_sqrt(v); }
template <class T>
EMULATOR_INLINE bool isnan(T v) {
    return __builtin_isnan(v);
}
template <class T>
EMULATOR_INLINE bool isinf(T v) {
    return __builtin_isinf(v);
}
template <class T>
EMULATOR_INLINE bool isfinite(T v) {
    return __builtin_isfinite(v);
}
template <class T>
EMULATOR_INLINE bool signbit(T v) {
    return __builtin_signbit(v);
}

// As CUDA's: the other operand where one is NaN.
EMULATOR_INLINE float min(float a, float b) { return __builtin_fminf(a, b); }
EMULATOR_INLINE float max(float a, float b) { return __builtin_fmaxf(a, b); }
EMULATOR_INLINE double min(double a, double b) { return __builtin_fmin(a, b); }
EMULATOR_INLINE double max(double a, double b) { return __builtin_fmax(a, b); }
#define EMULATOR_MINMAX(T)                                    \
    EMULATOR_INLINE T min(T a, T b) { return b < a ? b : a; } \
    EMULATOR_INLINE T max(T a, T b) { return a < b ? b : a; }
EMULATOR_MINMAX(int)
EMULATOR_MINMAX(unsigned) EMULATOR_MINMAX(long long) EMULATOR_MINMAX(unsigned long long) EMULATOR_MINMAX(long)
    EMULATOR_MINMAX(unsigned long)
#undef EMULATOR_MINMAX

// Rounded once, never merged into a fused multiply-add: the empty statement keeps the compiler from it.
#define EMULATOR_ROUNDED(T, prefix)                                                  \
    EMULATOR_INLINE T emulator_alone(T v) {                                          \
        asm("" : "+x"(v));                                                           \
        return v;                                                                    \
    }                                                                                \
    EMULATOR_INLINE T __##prefix##add_rn(T a, T b) { return emulator_alone(a + b); } \
    EMULATOR_INLINE T __##prefix##sub_rn(T a, T b) { return emulator_alone(a - b); } \
    EMULATOR_INLINE T __##prefix##mul_rn(T a, T b) { return emulator_alone(a * b); } \
    EMULATOR_INLINE T __##prefix##div_rn(T a, T b) { return emulator_alone(a / b); }
        EMULATOR_ROUNDED(float, f) EMULATOR_ROUNDED(double, d)
#undef EMULATOR_ROUNDED
            EMULATOR_INLINE float __fmaf_rn(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
}
EMULATOR_INLINE double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
EMULATOR_INLINE float __fsqrt_rn(float v) { return __builtin_sqrtf(v); }
EMULATOR_INLINE double __dsqrt_rn(double v) { return __builtin_sqrt(v); }
EMULATOR_INLINE float __frcp_rn(float v) { return emulator_alone(1.0f / v); }
EMULATOR_INLINE float __frsqrt_rn(float v) { return rsqrtf(v); }
EMULATOR_INLINE float __fdividef(float a, float b) { return a / b; }
EMULATOR_INLINE float __expf(float v) { return __builtin_expf(v); }
EMULATOR_INLINE float __logf(float v) { return __builtin_logf(v); }
EMULATOR_INLINE float __saturatef(float v) { return !(v > 0) ? 0 : v > 1 ? 1 : v; }
EMULATOR_INLINE int __float2int_rn(float v) { return int(__builtin_rintf(v)); }
EMULATOR_INLINE int __float2int_rz(float v) { return int(v); }
EMULATOR_INLINE float __int2float_rn(int v) { return float(v); }

// ---- what a module says about its kernels (written behind the source by the emulated NVRTC) -------------------------

struct EmulatedKernel {
    const char* name;
    void (*call)(void* const* parameters);
    const int* sizes;  // in bytes; negative for pointers
    int count;
    int barriers;
    int maxThreads;
};
struct EmulatedModule {
    const EmulatedKernel* kernels;
    int count;
    char* sharedBegin;
    char* sharedEnd;
};
extern "C" __attribute__((weak, visibility("hidden"))) char __start_lamina_shared[];
extern "C" __attribute__((weak, visibility("hidden"))) char __stop_lamina_shared[];

// Takes a kernel's parameters out of the array of pointers that cuLaunchKernel gets.
template <int... I>
struct EmulatedIndices {};
template <class T>
struct EmulatedSize {
    static constexpr int value = sizeof(T);
};
template <class T>
struct EmulatedSize<T*> {
    static constexpr int value = -int(sizeof(T*));
};
template <auto kernel>
struct EmulatedCall;
template <class... P, void (*kernel)(P...)>
struct EmulatedCall<kernel> {
    static constexpr int sizes[sizeof...(P) + 1] = {EmulatedSize<P>::value...};
    static constexpr int count = sizeof...(P);
    template <int... I>
    __attribute__((no_sanitize("thread"))) static void unpack(void* const* p, EmulatedIndices<I...>) {
        kernel(*static_cast<P*>(p[I])...);
    }
    __attribute__((no_sanitize("thread"))) static void call(void* const* parameters) {
        unpack(parameters, EmulatedIndices<__integer_pack(count)...>());
    }
};
