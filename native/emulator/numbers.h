// Element types of cuBLAS and cuDNN, and products of matrices in float.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace numbers {

enum class Type { F32, F16, BF16 };
// How tensor cores take float operands: as they are, or cut to fewer bits.
enum class Precision { FULL, TF32, F16, BF16 };

inline size_t bytes(Type type) { return type == Type::F32 ? 4 : 2; }
inline const char* name(Type type) { return type == Type::F32 ? "fp32" : type == Type::F16 ? "fp16" : "bf16"; }

inline uint32_t bitsOf(float v) {
    uint32_t bits;
    memcpy(&bits, &v, 4);
    return bits;
}
inline float floatOf(uint32_t bits) {
    float v;
    memcpy(&v, &bits, 4);
    return v;
}

inline float fromHalf(uint16_t half) {
    int exponent = half >> 10 & 31, fraction = half & 1023;
    float magnitude = exponent == 31 ? (fraction != 0 ? NAN : INFINITY)
                      : exponent == 0 ? std::ldexp(float(fraction), -24)
                                      : std::ldexp(float(fraction + 1024), exponent - 25);
    return half & 0x8000 ? -magnitude : magnitude;
}

// To nearest, ties to even.
inline uint16_t toHalf(float v) {
    uint16_t sign = uint16_t(bitsOf(v) >> 16 & 0x8000);
    float magnitude = std::fabs(v);
    if (std::isnan(v)) return sign | 0x7e00;
    if (magnitude >= 65520.0f) return sign | 0x7c00;
    if (magnitude < 0x1p-14f) return sign | uint16_t(std::nearbyint(magnitude * 0x1p24f));
    int exponent;
    float fraction = std::frexp(magnitude, &exponent);                // 0.5 <= fraction < 1
    auto steps = uint16_t(std::nearbyint(std::ldexp(fraction, 11)));  // 1024 to 2048; the carry goes into the exponent
    return sign | uint16_t((exponent + 13) * 1024 + steps);
}

inline float fromBrain(uint16_t brain) { return floatOf(uint32_t(brain) << 16); }
inline uint16_t toBrain(float v) {
    uint32_t bits = bitsOf(v);
    if (std::isnan(v)) return 0x7fc0;
    return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline float cut(float v, Precision precision) {
    switch (precision) {
        case Precision::FULL: return v;
        case Precision::F16: return fromHalf(toHalf(v));
        case Precision::BF16: return fromBrain(toBrain(v));
        case Precision::TF32: return std::isfinite(v) ? floatOf((bitsOf(v) + 0x1000) & ~0x1fffu) : v;  // 10 bits of fraction
    }
    return v;
}

inline float load(Type type, const void* data, size_t i) {
    switch (type) {
        case Type::F32: return static_cast<const float*>(data)[i];
        case Type::F16: return fromHalf(static_cast<const uint16_t*>(data)[i]);
        case Type::BF16: return fromBrain(static_cast<const uint16_t*>(data)[i]);
    }
    return 0;
}

inline void store(Type type, void* data, size_t i, float v) {
    switch (type) {
        case Type::F32: static_cast<float*>(data)[i] = v; break;
        case Type::F16: static_cast<uint16_t*>(data)[i] = toHalf(v); break;
        case Type::BF16: static_cast<uint16_t*>(data)[i] = toBrain(v); break;
    }
}

inline std::vector<float> loadAll(Type type, const void* data, size_t count, Precision precision) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; i++) values[i] = load(type, data, i);
    if (precision != Precision::FULL && type == Type::F32)
        for (float& v : values) v = cut(v, precision);
    return values;
}

typedef float Lanes __attribute__((vector_size(32), aligned(4), may_alias));
constexpr size_t WIDE = 16;  // two vectors of AVX for each of
constexpr size_t ROWS = 6;   // rows: twelve of sixteen registers hold sums

template <size_t ROW_COUNT>
__attribute__((always_inline)) inline void tile(size_t k, const float* panel, const float* b, float* sums) {
    Lanes low[ROW_COUNT] = {}, high[ROW_COUNT] = {};
    for (size_t p = 0; p < k; p++) {
        Lanes a0 = *reinterpret_cast<const Lanes*>(panel + p * WIDE), a1 = *reinterpret_cast<const Lanes*>(panel + p * WIDE + 8);
        for (size_t r = 0; r < ROW_COUNT; r++) {
            low[r] += a0 * b[r * k + p];
            high[r] += a1 * b[r * k + p];
        }
    }
    for (size_t r = 0; r < ROW_COUNT; r++) {
        *reinterpret_cast<Lanes*>(sums + r * WIDE) = low[r];
        *reinterpret_cast<Lanes*>(sums + r * WIDE + 8) = high[r];
    }
}

// c[n][m] += sum over k of b[n][k] a[k][m], with a sum in float for each element, from the first k to the last.
inline void multiply(size_t m, size_t n, size_t k, const float* a, const float* b, float* c) {
    std::vector<float> panel(k * WIDE);  // the columns of a that are at work, zeros behind the last
    float sums[ROWS * WIDE];
    for (size_t i = 0; i < m; i += WIDE) {
        size_t wide = m - i < WIDE ? m - i : WIDE;
        for (size_t p = 0; p < k; p++) memcpy(&panel[p * WIDE], a + p * m + i, wide * sizeof(float));
        for (size_t j = 0; j < n;) {
            size_t rows = n - j < ROWS ? 1 : ROWS;
            if (rows == ROWS) tile<ROWS>(k, panel.data(), b + j * k, sums);
            else tile<1>(k, panel.data(), b + j * k, sums);
            for (size_t r = 0; r < rows; r++)
                for (size_t w = 0; w < wide; w++) c[(j + r) * m + i + w] += sums[r * WIDE + w];
            j += rows;
        }
    }
}

}  // namespace numbers
