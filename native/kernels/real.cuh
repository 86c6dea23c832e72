// Element types, and how threads read and write several elements at once. This text is put in front of every kernel.
//
// Nothing here needs a header, so that NVRTC compiles it where no CUDA toolkit is installed; what only a GPU has stands
// behind __CUDA_ARCH__, so that a compiler for the host takes the same text. WIDTH is the number of neighbouring
// elements that a thread handles together (16 bytes of the narrowest type, where alignment and extents allow), else 1.

#ifndef WIDTH
#define WIDTH 1
#endif

#define DEVICE __device__ __forceinline__

// Counts and places of elements: 32 bits wherever they suffice, for 64-bit division is slow on a GPU.
#ifdef WIDE_INDEX
typedef long long Index;
#else
typedef int Index;
#endif

typedef float Float32;
typedef double Float64;
typedef int Int32;
typedef unsigned char UInt8;

struct Bfloat16 {
  unsigned short bits;
};

struct Float16 {
  unsigned short bits;
};

#if defined(REAL_BF16)
typedef Bfloat16 Real;
#elif defined(REAL_F16)
typedef Float16 Real;
#else
typedef Float32 Real;
#endif

DEVICE float float_of(unsigned bits) {
  union {
    unsigned from;
    float to;
  } both;
  both.from = bits;
  return both.to;
}

DEVICE unsigned bits_of(float value) {
  union {
    float from;
    unsigned to;
  } both;
  both.from = value;
  return both.to;
}

// ---- arithmetic with the same bits everywhere ----

DEVICE float fused_multiply_add(float a, float b, float c) {
#ifdef __CUDA_ARCH__
  return __fmaf_rn(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}

DEVICE float square_root(float a) {
#ifdef __CUDA_ARCH__
  return __fsqrt_rn(a);
#else
  return __builtin_sqrtf(a);
#endif
}

DEVICE double square_root(double a) {
#ifdef __CUDA_ARCH__
  return __dsqrt_rn(a);
#else
  return __builtin_sqrt(a);
#endif
}

DEVICE float magnitude(float a) { return float_of(bits_of(a) & 0x7fffffffu); }

DEVICE bool is_finite(float a) { return (bits_of(a) & 0x7f800000u) != 0x7f800000u; }

DEVICE double magnitude(double a) { return a < 0 ? -a : a == 0 ? 0.0 : a; }

// NaN if either is; -0 is less than +0.
DEVICE float larger(float a, float b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  float result;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
  return result;
#else
  return a != a ? a : b != b ? b : a < b ? b : b < a ? a : float_of(bits_of(a) & bits_of(b));
#endif
}

DEVICE float smaller(float a, float b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  float result;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
  return result;
#else
  return a != a ? a : b != b ? b : a < b ? a : b < a ? b : float_of(bits_of(a) | bits_of(b));
#endif
}

DEVICE double larger(double a, double b) {
  return a != a ? a : b != b ? b : a < b ? b : b < a ? a : a == 0 ? a + b : a;
}

DEVICE double smaller(double a, double b) {
  return a != a ? a : b != b ? b : a < b ? a : b < a ? b : a == 0 ? -(-a - b) : a;
}

// ---- what GPUs have as single instructions, with errors of up to 2^-22 (PTX ISA, ex2, lg2, rcp), for results of 16 bits ----

#ifndef __CUDA_ARCH__
// Not exact here either, and no subnormal numbers.
DEVICE float coarse(float a) {
  const unsigned bits = bits_of(a);
  return float_of((bits & 0x7f800000u) == 0 ? bits & 0x80000000u : bits & ~1u);
}
#endif

DEVICE float coarse_exp2(float a) {
#ifdef __CUDA_ARCH__
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(a));
  return result;
#else
  return coarse(__builtin_exp2f(a));
#endif
}

DEVICE float coarse_log2(float a) {
#ifdef __CUDA_ARCH__
  float result;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(a));
  return result;
#else
  return coarse(__builtin_log2f(coarse(a)));
#endif
}

DEVICE float coarse_reciprocal(float a) {
#ifdef __CUDA_ARCH__
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(a));
  return result;
#else
  return coarse(1.0f / coarse(a));
#endif
}

// ---- from elements to the type that is computed in ----

template <class V, class T>
DEVICE void widen(V& value, T element) {
  value = (V) element;
}

template <class V>
DEVICE void widen(V& value, Bfloat16 element) {
  value = (V) float_of((unsigned) element.bits << 16);
}

template <class V>
DEVICE void widen(V& value, Float16 element) {
#ifdef __CUDA_ARCH__
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(element.bits));
  value = (V) wide;
#else
  const unsigned sign = ((unsigned) element.bits & 0x8000u) << 16;
  const unsigned rest = (unsigned) element.bits & 0x7fffu;
  // The exponent is moved to where a float has it, then multiplied by 2^112 for the difference of the two biases.
  float wide = float_of(rest << 13) * 5192296858534827628530496329220096.0f;
  if (rest >= 0x7c00u) {
    wide = float_of(0x7f800000u | rest << 13);
  }
  value = (V) float_of(bits_of(wide) | sign);
#endif
}

// ---- and back: to nearest even, NaN stays NaN; to integers as Java does ----

// A float whose last bit says whether anything was cut off: rounded again, to 16 bits, it is as if rounded once.
DEVICE float rounded_to_odd(double value) {
  const float nearest = (float) value;
  if ((double) nearest == value || nearest != nearest) {
    return nearest;
  }
  unsigned bits = bits_of(nearest);
  if (magnitude((double) nearest) > magnitude(value)) {
    bits -= 1;
  }
  return float_of(bits | 1u);
}

DEVICE float rounded_to_odd(float value) { return value; }

DEVICE void narrow(Float32& element, float value) { element = value; }

DEVICE void narrow(Float32& element, double value) { element = (float) value; }

DEVICE void narrow(Float64& element, double value) { element = value; }

DEVICE void narrow(Float64& element, float value) { element = (double) value; }

template <class V>
DEVICE void narrow(Int32& element, V value) {
  element = value != value          ? 0
      : value >= (V) 2147483648.0   ? 2147483647
      : value <= (V) - 2147483648.0 ? -2147483647 - 1
                                    : (int) value;
}

template <class V>
DEVICE void narrow(UInt8& element, V value) {
  Int32 whole;
  narrow(whole, value);
  element = (unsigned char) whole;
}

template <class V>
DEVICE void narrow(Bfloat16& element, V value) {
  const float single = rounded_to_odd(value);
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(element.bits) : "f"(single));
#else
  const unsigned bits = bits_of(single);
  element.bits = single != single ? (unsigned short) 0x7fc0
                                  : (unsigned short) ((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
#endif
}

template <class V>
DEVICE void narrow(Float16& element, V value) {
  const float single = rounded_to_odd(value);
#ifdef __CUDA_ARCH__
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(element.bits) : "f"(single));
#else
  const unsigned sign = bits_of(single) >> 16 & 0x8000u;
  const unsigned rest = bits_of(single) & 0x7fffffffu;
  unsigned half;
  if (rest > 0x7f800000u) {
    half = 0x7e00u;
  } else if (rest >= 0x477ff000u) { // from half way between the largest and 2^16 on
    half = 0x7c00u;
  } else if (rest >= 0x38800000u) { // normal
    half = (rest - 0x38000000u + 0xfffu + (rest >> 13 & 1u)) >> 13;
  } else { // adding 1/2 leaves the result in the last bits of the sum, rounded
    half = bits_of(float_of(rest) + 0.5f) - 0x3f000000u;
  }
  element.bits = (unsigned short) (sign | half);
#endif
}

// ---- several at once ----

template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T lane[N];
};

// A pack as words, to be held while others are under way: elements of 16 bits would take a register each.
template <class T, int N>
struct Words {
  unsigned word[sizeof(T) * N < 4 ? 1 : sizeof(T) * N / 4];
};

// From an aligned address.
template <class T, int N>
DEVICE void hold(Words<T, N>& words, const T* from) {
  if (sizeof(T) * N < 4) {
    words.word[0] = *(const unsigned short*) from;
  } else {
    const Pack<unsigned, sizeof(words.word) / 4> pack = *(const Pack<unsigned, sizeof(words.word) / 4>*) from;
#pragma unroll
    for (int i = 0; i < (int) sizeof(words.word) / 4; i++) {
      words.word[i] = pack.lane[i];
    }
  }
}

template <int N>
DEVICE float lane_of(const Words<Float32, N>& words, int lane) {
  return float_of(words.word[lane]);
}

template <int N>
DEVICE float lane_of(const Words<Bfloat16, N>& words, int lane) {
  return float_of(lane % 2 == 0 ? words.word[lane / 2] << 16 : words.word[lane / 2] & 0xffff0000u);
}

template <int N>
DEVICE float lane_of(const Words<Float16, N>& words, int lane) {
  Float16 half;
  half.bits = (unsigned short) (lane % 2 == 0 ? words.word[lane / 2] : words.word[lane / 2] >> 16);
  float value;
  widen(value, half);
  return value;
}

// WIDTH elements from an aligned address.
template <class V, class T>
DEVICE void load_lanes(V (&value)[WIDTH], const T* from) {
  const Pack<T, WIDTH> pack = *(const Pack<T, WIDTH>*) from;
#pragma unroll
  for (int lane = 0; lane < WIDTH; lane++) {
    widen(value[lane], pack.lane[lane]);
  }
}

// The first count of WIDTH elements; the others are zeros. Whole packs are aligned.
template <class V, class T>
DEVICE void load_lanes(V (&value)[WIDTH], const T* from, int count) {
  if (count == WIDTH) {
    load_lanes(value, from);
    return;
  }
#pragma unroll
  for (int lane = 0; lane < WIDTH; lane++) {
    value[lane] = 0;
    if (lane < count) {
      widen(value[lane], from[lane]);
    }
  }
}

template <class V, class T>
DEVICE void store_lanes(T* to, const V (&value)[WIDTH]) {
  Pack<T, WIDTH> pack;
#pragma unroll
  for (int lane = 0; lane < WIDTH; lane++) {
    narrow(pack.lane[lane], value[lane]);
  }
  *(Pack<T, WIDTH>*) to = pack;
}

template <class V, class T>
DEVICE void store_lanes(T* to, const V (&value)[WIDTH], int count) {
  if (count == WIDTH) {
    store_lanes(to, value);
    return;
  }
#pragma unroll
  for (int lane = 0; lane < WIDTH; lane++) {
    if (lane < count) {
      narrow(to[lane], value[lane]);
    }
  }
}

// ---- random words: Philox4x32-10 ----

DEVICE unsigned high_product(unsigned a, unsigned b) {
  return (unsigned) ((unsigned long long) a * b >> 32);
}

// The four words of a block; counter and key as RandomStream lays them out.
DEVICE void philox(unsigned (&word)[4], unsigned long long seed, unsigned long long stream, int step,
                   unsigned block) {
  unsigned c0 = block, c1 = (unsigned) step, c2 = (unsigned) stream, c3 = (unsigned) (stream >> 32);
  unsigned key0 = (unsigned) seed, key1 = (unsigned) (seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; round++) {
    const unsigned next0 = high_product(0xCD9E8D57u, c2) ^ c1 ^ key0;
    const unsigned next2 = high_product(0xD2511F53u, c0) ^ c3 ^ key1;
    c1 = 0xCD9E8D57u * c2;
    c3 = 0xD2511F53u * c0;
    c0 = next0;
    c2 = next2;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  word[0] = c0;
  word[1] = c1;
  word[2] = c2;
  word[3] = c3;
}

// The words of WIDTH elements; `at` is a multiple of WIDTH.
DEVICE void random_words(unsigned (&word)[WIDTH], unsigned long long seed, unsigned long long stream, int step,
                         Index at) {
#if WIDTH % 4 == 0
#pragma unroll
  for (int lane = 0; lane < WIDTH; lane += 4) {
    unsigned four[4];
    philox(four, seed, stream, step, (unsigned) ((at + lane) >> 2));
    word[lane] = four[0];
    word[lane + 1] = four[1];
    word[lane + 2] = four[2];
    word[lane + 3] = four[3];
  }
#else
#pragma unroll
  for (int lane = 0; lane < WIDTH; lane++) {
    unsigned four[4];
    philox(four, seed, stream, step, (unsigned) ((at + lane) >> 2));
    const int which = (int) ((at + lane) & 3);
    word[lane] = which < 2 ? which == 0 ? four[0] : four[1] : which == 2 ? four[2] : four[3];
  }
#endif
}
