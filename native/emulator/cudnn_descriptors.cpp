// The descriptors of the emulated cuDNN's legacy calls.
#include "cudnn.h"

using namespace cudnn;

static constexpr int MOST_DILATION = 8;

API int cudnnCreateTensorDescriptor(Tensor** tensor) { return create(tensor, "cudnnCreateTensorDescriptor"); }
API int cudnnDestroyTensorDescriptor(Tensor* tensor) { return destroy(tensor, "cudnnDestroyTensorDescriptor"); }
API int cudnnCreateFilterDescriptor(Filter** filter) { return create(filter, "cudnnCreateFilterDescriptor"); }
API int cudnnDestroyFilterDescriptor(Filter* filter) { return destroy(filter, "cudnnDestroyFilterDescriptor"); }
API int cudnnCreateConvolutionDescriptor(Convolution** conv) {
    return create(conv, "cudnnCreateConvolutionDescriptor");
}
API int cudnnDestroyConvolutionDescriptor(Convolution* conv) {
    return destroy(conv, "cudnnDestroyConvolutionDescriptor");
}

API int cudnnSetTensor4dDescriptor(Tensor* tensor, int format, int type, int n, int c, int h, int w) {
    KNOWN(tensor, "cudnnSetTensor4dDescriptor", "tensor descriptor");
    if (n < 1 || c < 1 || h < 1 || w < 1)
        return refuse(BAD_PARAM, "cudnnSetTensor4dDescriptor: n %d, c %d, h %d, w %d", n, c, h, w);
    // With one channel or one pixel both layouts are the same bytes, but cuDNN would choose by the strides: so does
    // this.
    *tensor = {type, n, c, h, w, format == NHWC};
    return SUCCESS;
}

API int cudnnSetTensor4dDescriptorEx(Tensor* tensor, int type, int n, int c, int h, int w, int strideN, int strideC,
                                     int strideH, int strideW) {
    KNOWN(tensor, "cudnnSetTensor4dDescriptorEx", "tensor descriptor");
    if (n < 1 || c < 1 || h < 1 || w < 1)
        return refuse(BAD_PARAM, "cudnnSetTensor4dDescriptorEx: n %d, c %d, h %d, w %d", n, c, h, w);
    bool packed = strideC == 1 && strideW == c && strideH == w * c && strideN == h * w * c;
    *tensor = {type, n, c, h, w, packed};
    return SUCCESS;
}

API int cudnnGetTensorSizeInBytes(const Tensor* tensor, size_t* bytes) {
    KNOWN(tensor, "cudnnGetTensorSizeInBytes", "tensor descriptor");
    Type type;
    typeOf(tensor->type, &type);
    return *bytes = tensor->size() * numbers::bytes(type), SUCCESS;
}

API int cudnnSetFilter4dDescriptor(Filter* filter, int type, int format, int k, int c, int h, int w) {
    KNOWN(filter, "cudnnSetFilter4dDescriptor", "filter descriptor");
    if (k < 1 || c < 1 || h < 1 || w < 1)
        return refuse(BAD_PARAM, "cudnnSetFilter4dDescriptor: k %d, c %d, h %d, w %d", k, c, h, w);
    *filter = {type, format, k, c, h, w};
    return SUCCESS;
}

API int cudnnSetConvolution2dDescriptor(Convolution* conv, int padH, int padW, int strideH, int strideW, int dilationH,
                                        int dilationW, int mode, int compute) {
    const char* call = "cudnnSetConvolution2dDescriptor";
    KNOWN(conv, call, "convolution descriptor");
    if (padH < 0 || padW < 0 || strideH < 1 || strideW < 1 || dilationH < 1 || dilationW < 1)
        return refuse(BAD_PARAM, "%s: padding %d %d, stride %d %d, dilation %d %d", call, padH, padW, strideH, strideW,
                      dilationH, dilationW);
    // A limit made up for the legacy calls alone: who is refused here must ask the graph API.
    if (dilationH > MOST_DILATION || dilationW > MOST_DILATION)
        return refuse(NOT_SUPPORTED, "%s: dilation %d %d", call, dilationH, dilationW);
    int groups = conv->groups, math = conv->math;
    *conv = {padH, padW, strideH, strideW, dilationH, dilationW, mode, compute, groups, math};
    return SUCCESS;
}

API int cudnnSetConvolutionGroupCount(Convolution* conv, int groups) {
    KNOWN(conv, "cudnnSetConvolutionGroupCount", "convolution descriptor");
    return groups < 1 ? refuse(BAD_PARAM, "cudnnSetConvolutionGroupCount %d", groups)
                      : (conv->groups = groups, SUCCESS);
}

API int cudnnGetConvolutionGroupCount(const Convolution* conv, int* groups) {
    KNOWN(conv, "cudnnGetConvolutionGroupCount", "convolution descriptor");
    return *groups = conv->groups, SUCCESS;
}

API int cudnnSetConvolutionMathType(Convolution* conv, int math) {
    KNOWN(conv, "cudnnSetConvolutionMathType", "convolution descriptor");
    return math < 0 || math > FMA_MATH ? refuse(BAD_PARAM, "cudnnSetConvolutionMathType %d", math)
                                       : (conv->math = math, SUCCESS);
}

API int cudnnGetConvolutionMathType(const Convolution* conv, int* math) {
    KNOWN(conv, "cudnnGetConvolutionMathType", "convolution descriptor");
    return *math = conv->math, SUCCESS;
}

API int cudnnGetConvolution2dForwardOutputDim(const Convolution* conv, const Tensor* x, const Filter* w, int* n, int* c,
                                              int* h, int* v) {
    const char* call = "cudnnGetConvolution2dForwardOutputDim";
    KNOWN(conv, call, "convolution descriptor");
    KNOWN(x, call, "tensor descriptor x");
    KNOWN(w, call, "filter descriptor");
    if (x->c != w->c * conv->groups)
        return refuse(BAD_PARAM, "%s: %d channels, filters of %d in %d groups", call, x->c, w->c, conv->groups);
    *n = x->n;
    *c = w->k;
    *h = outputExtent(x->h, conv->padH, w->h, conv->dilationH, conv->strideH);
    *v = outputExtent(x->w, conv->padW, w->w, conv->dilationW, conv->strideW);
    return SUCCESS;
}
