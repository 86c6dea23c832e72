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

// c[n][m] += sum over k of b[n][k] a[k][m], with a sum in float for each element, from the first k to the last.
__attribute__((target_clones("arch=haswell", "default"))) inline void multiply(size_t m, size_t n, size_t k, const float* a,
                                                                               const float* b, float* c) {
    constexpr size_t WIDE = 16;  // two vectors of AVX for each of four rows
    constexpr size_t ROWS = 4;
    for (size_t j = 0; j < n; j += ROWS) {
        size_t rows = n - j < ROWS ? n - j : ROWS;
        for (size_t i = 0; i < m; i += WIDE) {
            size_t wide = m - i < WIDE ? m - i : WIDE;
            if (rows == ROWS && wide == WIDE) {
                float sum[ROWS][WIDE] = {};
                for (size_t p = 0; p < k; p++)
                    for (size_t r = 0; r < ROWS; r++)
                        for (size_t w = 0; w < WIDE; w++) sum[r][w] += b[(j + r) * k + p] * a[p * m + i + w];
                for (size_t r = 0; r < ROWS; r++)
                    for (size_t w = 0; w < WIDE; w++) c[(j + r) * m + i + w] += sum[r][w];
                continue;
            }
            for (size_t r = 0; r < rows; r++)
                for (size_t w = 0; w < wide; w++) {
                    float sum = 0;
                    for (size_t p = 0; p < k; p++) sum += b[(j + r) * k + p] * a[p * m + i + w];
                    c[(j + r) * m + i + w] += sum;
                }
        }
    }
}

}  // namespace numbers
