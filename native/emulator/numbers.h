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
    uint32_t sign = uint32_t(half & 0x8000) << 16, rest = half & 0x7fff;
    // The exponent is moved to where a float has it; the biases differ by 112.
    float magnitude = rest >= 0x7c00 ? floatOf(0x7f800000 | rest << 13) : floatOf(rest << 13) * 0x1p112f;
    return floatOf(bitsOf(magnitude) | sign);
}

// To nearest, ties to even.
inline uint16_t toHalf(float v) {
    uint32_t sign = bitsOf(v) >> 16 & 0x8000, rest = bitsOf(v) & 0x7fffffff;
    if (rest > 0x7f800000) return uint16_t(sign | 0x7e00);   // NaN
    if (rest >= 0x477ff000) return uint16_t(sign | 0x7c00);  // 65520 rounds up to infinity
    if (rest < 0x38800000) return uint16_t(sign | uint32_t(std::nearbyint(floatOf(rest) * 0x1p24f)));  // subnormal
    return uint16_t(sign | (rest - 0x38000000 + 0xfff + (rest >> 13 & 1)) >> 13);
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
        case Precision::TF32:
            return std::isfinite(v) ? floatOf((bitsOf(v) + 0x1000) & ~0x1fffu) : v;  // 10 bits of fraction
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
        Lanes a0 = *reinterpret_cast<const Lanes*>(panel + p * WIDE),
              a1 = *reinterpret_cast<const Lanes*>(panel + p * WIDE + 8);
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
            if (rows == ROWS)
                tile<ROWS>(k, panel.data(), b + j * k, sums);
            else
                tile<1>(k, panel.data(), b + j * k, sums);
            for (size_t r = 0; r < rows; r++)
                for (size_t w = 0; w < wide; w++) c[(j + r) * m + i + w] += sums[r * WIDE + w];
            j += rows;
        }
    }
}

}  // namespace numbers
