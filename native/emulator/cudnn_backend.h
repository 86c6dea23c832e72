// Descriptors of the emulated cuDNN's graph API, and what their attributes may be.
#pragma once
#include "cudnn.h"

#include <map>
#include <memory>
#include <optional>

namespace cudnn {

// cudnnBackendDescriptorType_t, of which only these are emulated.
enum DescriptorType {
    CONVOLUTION = 1,
    ENGINE = 2,
    ENGINE_CONFIG = 3,
    HEURISTICS = 4,
    PLAN = 5,
    KNOB_CHOICE = 7,
    OPERATION_FORWARD = 10,
    OPERATION_FILTER = 11,
    OPERATION_DATA = 12,
    OPERATION_GRAPH = 15,
    VARIANT_PACK = 16,
    TENSOR = 17,
};

// cudnnBackendAttributeType_t
enum AttributeType {
    TYPE_HANDLE = 0,
    TYPE_DATA_TYPE = 1,
    TYPE_INT64 = 3,
    TYPE_FLOAT = 4,
    TYPE_VOID_PTR = 6,
    TYPE_CONVOLUTION_MODE = 7,
    TYPE_HEUR_MODE = 8,
    TYPE_KNOB_TYPE = 9,
    TYPE_NUMERICAL_NOTE = 11,
    TYPE_DESCRIPTOR = 15,
};

// cudnnBackendAttributeName_t
enum AttributeName {
    CONVOLUTION_COMP_TYPE = 100,
    CONVOLUTION_CONV_MODE = 101,
    CONVOLUTION_DILATIONS = 102,
    CONVOLUTION_FILTER_STRIDES = 103,
    CONVOLUTION_POST_PADDINGS = 104,
    CONVOLUTION_PRE_PADDINGS = 105,
    CONVOLUTION_SPATIAL_DIMS = 106,
    ENGINEHEUR_MODE = 200,
    ENGINEHEUR_OPERATION_GRAPH = 201,
    ENGINEHEUR_RESULTS = 202,
    ENGINECFG_ENGINE = 300,
    ENGINECFG_KNOB_CHOICES = 302,
    PLAN_HANDLE = 400,
    PLAN_ENGINE_CONFIG = 401,
    PLAN_WORKSPACE_SIZE = 402,
    KNOB_CHOICE_KNOB_TYPE = 600,
    KNOB_CHOICE_KNOB_VALUE = 601,
    FORWARD_ALPHA = 700,
    FORWARD_BETA = 701,
    FORWARD_CONV_DESC = 702,
    FORWARD_W = 703,
    FORWARD_X = 704,
    FORWARD_Y = 705,
    DATA_ALPHA = 706,
    DATA_BETA = 707,
    DATA_CONV_DESC = 708,
    DATA_W = 709,
    DATA_DX = 710,
    DATA_DY = 711,
    FILTER_ALPHA = 712,
    FILTER_BETA = 713,
    FILTER_CONV_DESC = 714,
    FILTER_DW = 715,
    FILTER_X = 716,
    FILTER_DY = 717,
    OPERATIONGRAPH_HANDLE = 800,
    OPERATIONGRAPH_OPS = 801,
    TENSOR_BYTE_ALIGNMENT = 900,
    TENSOR_DATA_TYPE = 901,
    TENSOR_DIMENSIONS = 902,
    TENSOR_STRIDES = 903,
    TENSOR_UNIQUE_ID = 906,
    PACK_UNIQUE_IDS = 1000,
    PACK_DATA_POINTERS = 1001,
    PACK_WORKSPACE = 1003,
    ENGINE_OPERATION_GRAPH = 1300,
    ENGINE_GLOBAL_INDEX = 1301,
    ENGINE_NUMERICAL_NOTE = 1303,
};

enum HeuristicMode { MODE_INSTANT = 0, MODE_B = 1, MODE_FALLBACK = 2, MODE_A = 3 };
enum NumericalNote { NOTE_TENSOR_CORE = 0, NOTE_DOWN_CONVERT_INPUTS = 1, NOTE_NONDETERMINISTIC = 4 };

// One convolution as its operation describes it. Opposite sides may be padded differently.
struct Operation {
    Kind kind;
    Problem problem;
    float alpha, beta;
    int64_t x, w, y;  // the tensors' unique ids
    bool uneven;
};

struct Backend;
using Child = std::shared_ptr<const Backend>;

// Once finished it does not change, so who is told about one keeps a copy.
struct Backend {
    int type = 0;
    bool finished = false;
    std::map<int, std::vector<char>> values;
    std::map<int, std::vector<Child>> children;
    std::optional<Operation> operation;

    bool has(int attribute) const { return values.count(attribute) != 0 || children.count(attribute) != 0; }
    template <class T>
    T value(int attribute, size_t index = 0) const {
        T result;
        memcpy(&result, values.at(attribute).data() + index * sizeof(T), sizeof(T));
        return result;
    }
    template <class T>
    size_t count(int attribute) const {
        return values.count(attribute) == 0 ? 0 : values.at(attribute).size() / sizeof(T);
    }
    const Backend& child(int attribute) const { return *children.at(attribute).front(); }
    template <class T>
    void put(int attribute, std::vector<T> elements) {
        auto* bytes = reinterpret_cast<const char*>(elements.data());
        values[attribute].assign(bytes, bytes + elements.size() * sizeof(T));
    }
};

// cudnn_operations.cpp: checks what was set, for tensors, convolutions and operations.
Status finishTensor(const Backend& tensor);
Status finishConvolution(const Backend& convolution);
Status finishOperation(Backend* operation);

// cudnn_engines.cpp: what there is for a graph, and how it runs.
Status finishHeuristics(Backend* heuristics);
Status finishEngine(Backend* engine);
Status finishPlan(Backend* plan);
Status executePlan(Handle* handle, const Backend& plan, const Backend& pack);

}  // namespace cudnn
