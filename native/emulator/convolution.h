// Convolutions of NHWC images with OHWI filters and their gradients, in float.
#pragma once
#include "numbers.h"

#include <algorithm>

namespace convolution {

using numbers::Precision;
using numbers::Type;

constexpr int FMA_MATH = 3, ALLOW_CONVERSION = 2;

enum Kind { FORWARD, BACKWARD_DATA, BACKWARD_FILTER };

struct Tensor {
    int type = -1, n = 0, c = 0, h = 0, w = 0;
    bool packedNhwc = false;
    size_t size() const { return size_t(n) * c * h * w; }
};
struct Filter {
    int type = -1, format = -1, k = 0, c = 0, h = 0, w = 0;
    size_t size() const { return size_t(k) * c * h * w; }
};
struct Convolution {
    int padH = 0, padW = 0, strideH = 1, strideW = 1, dilationH = 1, dilationW = 1, mode = -1, compute = -1, groups = 1,
        math = 0;
};
// Everything about one convolution, copied from the descriptors when a call is made.
struct Problem {
    Tensor x, y;
    Filter w;
    Convolution conv;
    Type type;

    size_t patch() const { return size_t(w.h) * w.w * w.c; }  // of one group
    Precision precision() const {
        return conv.math == FMA_MATH           ? Precision::FULL
               : conv.math == ALLOW_CONVERSION ? Precision::F16
                                               : Precision::TF32;
    }
};

inline int outputExtent(int in, int pad, int kernel, int dilation, int stride) {
    return (in + 2 * pad - ((kernel - 1) * dilation + 1)) / stride + 1;
}

// Patches of an image are the rows of a matrix; the rest is products of matrices.

// Calls body(row, offset in the row, offset in the image) for each tap of each output place that lies inside the image.
template <class Body>
inline void patches(const Problem& p, int group, Body body) {
    for (int oh = 0; oh < p.y.h; oh++)
        for (int ow = 0; ow < p.y.w; ow++)
            for (int r = 0; r < p.w.h; r++)
                for (int s = 0; s < p.w.w; s++) {
                    int h = oh * p.conv.strideH - p.conv.padH + r * p.conv.dilationH;
                    int w = ow * p.conv.strideW - p.conv.padW + s * p.conv.dilationW;
                    if (h < 0 || h >= p.x.h || w < 0 || w >= p.x.w) continue;
                    size_t row = (size_t(oh) * p.y.w + ow) * p.patch() + (size_t(r) * p.w.w + s) * p.w.c;
                    size_t image = (size_t(h) * p.x.w + w) * p.x.c + size_t(group) * p.w.c;
                    body(row, image);
                }
}

// One group's channels of rows of all channels: [rows][all] -> [rows][some].
inline std::vector<float> channels(const float* from, size_t rows, size_t all, size_t first, size_t some) {
    std::vector<float> result(rows * some);
    for (size_t r = 0; r < rows; r++) std::copy_n(from + r * all + first, some, result.begin() + long(r * some));
    return result;
}

inline std::vector<float> transposed(const std::vector<float>& m, size_t rows, size_t columns) {
    std::vector<float> result(m.size());
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) result[c * rows + r] = m[r * columns + c];
    return result;
}

// a and b are the two inputs in the order of the call, result the output, all in float.
inline void convolve(Kind kind, const Problem& p, const float* x, const float* w, const float* dy, float* result) {
    size_t places = size_t(p.y.h) * p.y.w, patch = p.patch();
    size_t filters = size_t(p.w.k / p.conv.groups);  // of one group
    size_t imageX = size_t(p.x.h) * p.x.w * p.x.c, imageY = places * size_t(p.y.c);
    for (int n = 0; n < p.x.n; n++)
        for (int g = 0; g < p.conv.groups; g++) {
            std::vector<float> rows(places * patch);  // [places][patch]
            std::vector<float> filter;                // [filters][patch]
            size_t firstFilter = size_t(g) * filters;
            if (kind != BACKWARD_FILTER) filter.assign(w + firstFilter * patch, w + (firstFilter + filters) * patch);
            if (kind != BACKWARD_DATA)
                patches(p, g, [&](size_t row, size_t image) {
                    std::copy_n(x + size_t(n) * imageX + image, p.w.c, rows.begin() + long(row));
                });
            if (kind == FORWARD) {
                std::vector<float> out(places * filters);
                numbers::multiply(filters, places, patch, transposed(filter, filters, patch).data(), rows.data(),
                                  out.data());
                for (size_t i = 0; i < places; i++)
                    std::copy_n(out.begin() + long(i * filters), filters,
                                result + size_t(n) * imageY + i * size_t(p.y.c) + firstFilter);
                continue;
            }
            auto gradient =
                channels(dy + size_t(n) * imageY, places, size_t(p.y.c), firstFilter, filters);  // [places][filters]
            if (kind == BACKWARD_DATA) {
                numbers::multiply(patch, places, filters, filter.data(), gradient.data(), rows.data());
                patches(p, g, [&](size_t row, size_t image) {
                    for (int c = 0; c < p.w.c; c++)
                        result[size_t(n) * imageX + image + size_t(c)] += rows[row + size_t(c)];
                });
            } else {
                numbers::multiply(patch, filters, places, rows.data(), transposed(gradient, places, filters).data(),
                                  result + firstFilter * patch);
            }
        }
}

}  // namespace convolution
