// Tensors, convolutions and operations of the emulated cuDNN's graph API.
#include "cudnn_backend.h"

namespace cudnn {

namespace {

// Extents come as N, C, H, W; only NHWC without gaps is emulated, which the strides tell.
Tensor tensorOf(const Backend& tensor) {
    auto extent = [&](int i) { return int(tensor.value<int64_t>(TENSOR_DIMENSIONS, size_t(i))); };
    auto stride = [&](int i) { return tensor.value<int64_t>(TENSOR_STRIDES, size_t(i)); };
    int c = extent(1), h = extent(2), w = extent(3);
    bool packed = stride(1) == 1 && stride(3) == c && stride(2) == int64_t(w) * c && stride(0) == int64_t(h) * w * c;
    return {tensor.value<int>(TENSOR_DATA_TYPE), extent(0), c, h, w, packed};
}

struct Names {
    int alpha, beta, convolution, x, w, y;
};

Names namesOf(int type) {
    switch (type) {
        case OPERATION_FORWARD:
            return {FORWARD_ALPHA, FORWARD_BETA, FORWARD_CONV_DESC, FORWARD_X, FORWARD_W, FORWARD_Y};
        case OPERATION_DATA: return {DATA_ALPHA, DATA_BETA, DATA_CONV_DESC, DATA_DX, DATA_W, DATA_DY};
        default: return {FILTER_ALPHA, FILTER_BETA, FILTER_CONV_DESC, FILTER_X, FILTER_DW, FILTER_DY};
    }
}

}  // namespace

Status finishTensor(const Backend& tensor) {
    if (tensor.count<int64_t>(TENSOR_DIMENSIONS) != 4 || tensor.count<int64_t>(TENSOR_STRIDES) != 4)
        return refuse(NOT_SUPPORTED, "tensor: only four dimensions are emulated");
    for (size_t i = 0; i < 4; i++)
        if (tensor.value<int64_t>(TENSOR_DIMENSIONS, i) < 1 || tensor.value<int64_t>(TENSOR_STRIDES, i) < 1)
            return refuse(BAD_PARAM, "tensor: extent or stride %zu is below 1", i);
    int64_t alignment = tensor.value<int64_t>(TENSOR_BYTE_ALIGNMENT);
    if (alignment < 4 || (alignment & (alignment - 1)) != 0)
        return refuse(BAD_PARAM, "tensor: alignment to %lld bytes", (long long)alignment);
    return SUCCESS;
}

Status finishConvolution(const Backend& convolution) {
    if (convolution.value<int64_t>(CONVOLUTION_SPATIAL_DIMS) != 2)
        return refuse(NOT_SUPPORTED, "convolution: only two dimensions are emulated");
    for (int name : {CONVOLUTION_DILATIONS, CONVOLUTION_FILTER_STRIDES, CONVOLUTION_POST_PADDINGS,
                     CONVOLUTION_PRE_PADDINGS}) {
        if (convolution.count<int64_t>(name) != 2)
            return refuse(BAD_PARAM, "convolution: attribute %d has not two elements", name);
        int64_t least = name == CONVOLUTION_DILATIONS || name == CONVOLUTION_FILTER_STRIDES ? 1 : 0;
        for (size_t i = 0; i < 2; i++)
            if (convolution.value<int64_t>(name, i) < least)
                return refuse(BAD_PARAM, "convolution: attribute %d is below %lld", name, (long long)least);
    }
    if (convolution.value<int>(CONVOLUTION_CONV_MODE) != CROSS_CORRELATION)
        return refuse(NOT_SUPPORTED, "convolution: no cross-correlation");
    if (convolution.value<int>(CONVOLUTION_COMP_TYPE) != FLOAT)
        return refuse(NOT_SUPPORTED, "convolution: not computed in float");
    return SUCCESS;
}

Status finishOperation(Backend* operation) {
    const char* call = "operation";
    Names names = namesOf(operation->type);
    const Backend &x = operation->child(names.x), &w = operation->child(names.w), &y = operation->child(names.y),
                  &conv = operation->child(names.convolution);
    if (x.type != TENSOR || w.type != TENSOR || y.type != TENSOR || conv.type != CONVOLUTION)
        return refuse(BAD_PARAM, "%s: descriptors of wrong types", call);
    Tensor image = tensorOf(x), filter = tensorOf(w), output = tensorOf(y);
    if (!image.packedNhwc || !filter.packedNhwc || !output.packedNhwc)
        return refuse(NOT_SUPPORTED, "%s: only NHWC without gaps is emulated", call);
    auto setting = [&](int name, size_t i) { return int(conv.value<int64_t>(name, i)); };
    Operation o{};
    o.kind = operation->type == OPERATION_FORWARD ? FORWARD
             : operation->type == OPERATION_DATA  ? BACKWARD_DATA
                                                  : BACKWARD_FILTER;
    Problem& p = o.problem;
    p.x = image;
    p.y = output;
    p.w = {filter.type, NHWC, filter.n, filter.c, filter.h, filter.w};
    p.conv = {setting(CONVOLUTION_PRE_PADDINGS, 0),   setting(CONVOLUTION_PRE_PADDINGS, 1),
              setting(CONVOLUTION_FILTER_STRIDES, 0), setting(CONVOLUTION_FILTER_STRIDES, 1),
              setting(CONVOLUTION_DILATIONS, 0),      setting(CONVOLUTION_DILATIONS, 1),
              CROSS_CORRELATION,                      FLOAT,
              image.c / filter.c,                     FMA_MATH};
    if (!typeOf(image.type, &p.type)) return refuse(NOT_SUPPORTED, "%s: data type %d", call, image.type);
    if (filter.type != image.type || output.type != image.type)
        return refuse(BAD_PARAM, "%s: data types %d, %d, %d differ", call, image.type, filter.type, output.type);
    if (image.c % filter.c != 0 || filter.n % p.conv.groups != 0)
        return refuse(BAD_PARAM, "%s: %d channels and %d filters of %d channels", call, image.c, filter.n, filter.c);
    auto extent = [&](int in, int kernel, size_t i, int dilation, int stride) {
        int padding = setting(CONVOLUTION_PRE_PADDINGS, i) + setting(CONVOLUTION_POST_PADDINGS, i);
        return outputExtent(in + padding, 0, kernel, dilation, stride);
    };
    int h = extent(image.h, filter.h, 0, p.conv.dilationH, p.conv.strideH);
    int v = extent(image.w, filter.w, 1, p.conv.dilationW, p.conv.strideW);
    if (output.n != image.n || output.c != filter.n || output.h != h || output.w != v)
        return refuse(BAD_PARAM, "%s: y is [%d,%d,%d,%d] NHWC, but must be [%d,%d,%d,%d]", call, output.n, output.h,
                      output.w, output.c, image.n, h, v, filter.n);
    o.alpha = operation->value<float>(names.alpha);
    o.beta = operation->value<float>(names.beta);
    o.x = x.value<int64_t>(TENSOR_UNIQUE_ID);
    o.w = w.value<int64_t>(TENSOR_UNIQUE_ID);
    o.y = y.value<int64_t>(TENSOR_UNIQUE_ID);
    if (o.x == o.w || o.w == o.y || o.x == o.y) return refuse(BAD_PARAM, "%s: unique ids are the same", call);
    for (size_t i = 0; i < 2; i++)
        o.uneven |= setting(CONVOLUTION_PRE_PADDINGS, i) != setting(CONVOLUTION_POST_PADDINGS, i);
    operation->operation = o;
    return SUCCESS;
}

}  // namespace cudnn
