// The graph API of the emulated cuDNN: attributes are checked against what NVIDIA documents when they are set.
#include "cudnn_backend.h"

#include <cstdio>
#include <cstdlib>

using namespace cudnn;

namespace {

enum Use { REQUIRED, OPTIONAL, READ_ONLY };

struct Attribute {
    int descriptor, name, type;
    int64_t least, most;  // elements
    Use use;
    const char* text;
};

#define A(descriptor, name, type, least, most, use) {descriptor, name, type, least, most, use, #name}
const Attribute attributes[] = {
    A(TENSOR, TENSOR_BYTE_ALIGNMENT, TYPE_INT64, 1, 1, REQUIRED),
    A(TENSOR, TENSOR_DATA_TYPE, TYPE_DATA_TYPE, 1, 1, REQUIRED),
    A(TENSOR, TENSOR_DIMENSIONS, TYPE_INT64, 1, 8, REQUIRED),
    A(TENSOR, TENSOR_STRIDES, TYPE_INT64, 1, 8, REQUIRED),
    A(TENSOR, TENSOR_UNIQUE_ID, TYPE_INT64, 1, 1, REQUIRED),
    A(CONVOLUTION, CONVOLUTION_COMP_TYPE, TYPE_DATA_TYPE, 1, 1, REQUIRED),
    A(CONVOLUTION, CONVOLUTION_CONV_MODE, TYPE_CONVOLUTION_MODE, 1, 1, REQUIRED),
    A(CONVOLUTION, CONVOLUTION_DILATIONS, TYPE_INT64, 1, 3, REQUIRED),
    A(CONVOLUTION, CONVOLUTION_FILTER_STRIDES, TYPE_INT64, 1, 3, REQUIRED),
    A(CONVOLUTION, CONVOLUTION_POST_PADDINGS, TYPE_INT64, 1, 3, REQUIRED),
    A(CONVOLUTION, CONVOLUTION_PRE_PADDINGS, TYPE_INT64, 1, 3, REQUIRED),
    A(CONVOLUTION, CONVOLUTION_SPATIAL_DIMS, TYPE_INT64, 1, 1, REQUIRED),
    A(OPERATION_FORWARD, FORWARD_ALPHA, TYPE_FLOAT, 1, 1, REQUIRED),
    A(OPERATION_FORWARD, FORWARD_BETA, TYPE_FLOAT, 1, 1, REQUIRED),
    A(OPERATION_FORWARD, FORWARD_CONV_DESC, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_FORWARD, FORWARD_W, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_FORWARD, FORWARD_X, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_FORWARD, FORWARD_Y, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_DATA, DATA_ALPHA, TYPE_FLOAT, 1, 1, REQUIRED),
    A(OPERATION_DATA, DATA_BETA, TYPE_FLOAT, 1, 1, REQUIRED),
    A(OPERATION_DATA, DATA_CONV_DESC, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_DATA, DATA_W, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_DATA, DATA_DX, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_DATA, DATA_DY, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_FILTER, FILTER_ALPHA, TYPE_FLOAT, 1, 1, REQUIRED),
    A(OPERATION_FILTER, FILTER_BETA, TYPE_FLOAT, 1, 1, REQUIRED),
    A(OPERATION_FILTER, FILTER_CONV_DESC, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_FILTER, FILTER_DW, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_FILTER, FILTER_X, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_FILTER, FILTER_DY, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(OPERATION_GRAPH, OPERATIONGRAPH_HANDLE, TYPE_HANDLE, 1, 1, REQUIRED),
    A(OPERATION_GRAPH, OPERATIONGRAPH_OPS, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(HEURISTICS, ENGINEHEUR_MODE, TYPE_HEUR_MODE, 1, 1, REQUIRED),
    A(HEURISTICS, ENGINEHEUR_OPERATION_GRAPH, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(HEURISTICS, ENGINEHEUR_RESULTS, TYPE_DESCRIPTOR, 0, 0, READ_ONLY),
    A(ENGINE, ENGINE_OPERATION_GRAPH, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(ENGINE, ENGINE_GLOBAL_INDEX, TYPE_INT64, 1, 1, REQUIRED),
    A(ENGINE, ENGINE_NUMERICAL_NOTE, TYPE_NUMERICAL_NOTE, 0, 0, READ_ONLY),
    A(KNOB_CHOICE, KNOB_CHOICE_KNOB_TYPE, TYPE_KNOB_TYPE, 1, 1, REQUIRED),
    A(KNOB_CHOICE, KNOB_CHOICE_KNOB_VALUE, TYPE_INT64, 1, 1, REQUIRED),
    A(ENGINE_CONFIG, ENGINECFG_ENGINE, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(ENGINE_CONFIG, ENGINECFG_KNOB_CHOICES, TYPE_DESCRIPTOR, 1, 64, OPTIONAL),
    A(PLAN, PLAN_HANDLE, TYPE_HANDLE, 1, 1, REQUIRED),
    A(PLAN, PLAN_ENGINE_CONFIG, TYPE_DESCRIPTOR, 1, 1, REQUIRED),
    A(PLAN, PLAN_WORKSPACE_SIZE, TYPE_INT64, 0, 0, READ_ONLY),
    A(VARIANT_PACK, PACK_UNIQUE_IDS, TYPE_INT64, 1, 64, REQUIRED),
    A(VARIANT_PACK, PACK_DATA_POINTERS, TYPE_VOID_PTR, 1, 64, REQUIRED),
    A(VARIANT_PACK, PACK_WORKSPACE, TYPE_VOID_PTR, 1, 1, REQUIRED),
};
#undef A

[[noreturn]] void missing(const char* what, int descriptor, int number) {
    fprintf(stderr, "emulator: cuDNN's %s %d (descriptor type %d) was asked for; native/emulator does not have it\n",
            what, number, descriptor);
    abort();
}

const Attribute& attributeOf(const Backend& descriptor, int name) {
    for (auto& attribute : attributes)
        if (attribute.descriptor == descriptor.type && attribute.name == name) return attribute;
    missing("attribute", descriptor.type, name);
}

size_t elementBytes(int type) {
    switch (type) {
        case TYPE_HANDLE:
        case TYPE_INT64:
        case TYPE_VOID_PTR:
        case TYPE_DESCRIPTOR: return 8;
        default: return 4;
    }
}

Status refuseType(const char* call, const Attribute& attribute, int type) {
    return refuse(BAD_PARAM, "%s: %s is of type %d, not %d", call, attribute.text, attribute.type, type);
}

// Descriptors among elements must be finished where they are told, and empty where they are filled in.
Status backends(const char* call, const void* elements, int64_t count, bool finished, std::vector<Backend*>* all) {
    for (int64_t i = 0; i < count; i++) {
        auto* child = static_cast<Backend* const*>(elements)[i];
        KNOWN(child, call, "descriptor among elements");
        if (child->finished != finished)
            return refuse(BAD_PARAM, "%s: descriptor %lld is %s finished", call, (long long)i, finished ? "not" : "already");
        all->push_back(child);
    }
    return SUCCESS;
}

}  // namespace

API int cudnnBackendCreateDescriptor(int type, Backend** descriptor) {
    const char* call = "cudnnBackendCreateDescriptor";
    bool emulated = false;
    for (auto& attribute : attributes) emulated |= attribute.descriptor == type;
    if (!emulated) missing("descriptor", type, type);
    Status status = create(descriptor, call);
    if (status == SUCCESS) (*descriptor)->type = type;
    return status;
}

API int cudnnBackendDestroyDescriptor(Backend* descriptor) {
    return destroy(descriptor, "cudnnBackendDestroyDescriptor");
}

API int cudnnBackendSetAttribute(Backend* descriptor, int name, int type, int64_t count, const void* elements) {
    const char* call = "cudnnBackendSetAttribute";
    KNOWN(descriptor, call, "descriptor");
    const Attribute& attribute = attributeOf(*descriptor, name);
    if (descriptor->finished) return refuse(BAD_PARAM, "%s: %s of a finished descriptor", call, attribute.text);
    if (attribute.use == READ_ONLY) return refuse(BAD_PARAM, "%s: %s is read only", call, attribute.text);
    if (attribute.type != type) return refuseType(call, attribute, type);
    if (count < attribute.least || count > attribute.most || elements == nullptr)
        return refuse(BAD_PARAM, "%s: %lld elements for %s", call, (long long)count, attribute.text);
    if (type == TYPE_DESCRIPTOR) {
        std::vector<Backend*> all;
        if (Status status = backends(call, elements, count, true, &all); status != SUCCESS) return status;
        auto& children = descriptor->children[name];
        children.clear();
        for (auto* child : all) children.push_back(std::make_shared<Backend>(*child));
        return SUCCESS;
    }
    auto* bytes = static_cast<const char*>(elements);
    descriptor->values[name].assign(bytes, bytes + size_t(count) * elementBytes(type));
    return SUCCESS;
}

API int cudnnBackendGetAttribute(const Backend* descriptor, int name, int type, int64_t room, int64_t* count,
                                 void* elements) {
    const char* call = "cudnnBackendGetAttribute";
    KNOWN(descriptor, call, "descriptor");
    const Attribute& attribute = attributeOf(*descriptor, name);
    if (!descriptor->finished) return refuse(BAD_PARAM, "%s: %s of an unfinished descriptor", call, attribute.text);
    if (attribute.type != type) return refuseType(call, attribute, type);
    if (count == nullptr || room < 0) return refuse(BAD_PARAM, "%s: no room for %s", call, attribute.text);
    if (type == TYPE_DESCRIPTOR) {
        static const std::vector<Child> none;
        auto found = descriptor->children.find(name);
        auto& children = found == descriptor->children.end() ? none : found->second;
        std::vector<Backend*> all;
        if (Status status = backends(call, elements, room, false, &all); status != SUCCESS) return status;
        for (size_t i = 0; i < std::min(children.size(), all.size()); i++) {
            if (all[i]->type != children[i]->type)
                return refuse(BAD_PARAM, "%s: %s is no descriptor of type %d", call, attribute.text, all[i]->type);
            *all[i] = *children[i];
        }
        return *count = int64_t(children.size()), SUCCESS;
    }
    auto found = descriptor->values.find(name);
    if (name == ENGINE_NUMERICAL_NOTE && found == descriptor->values.end())
        return refuse(NOT_SUPPORTED, "%s: this engine tells no notes", call);
    size_t bytes = found == descriptor->values.end() ? 0 : found->second.size();
    *count = int64_t(bytes / elementBytes(type));
    if (bytes > 0 && elements != nullptr)
        memcpy(elements, found->second.data(), std::min(bytes, size_t(room) * elementBytes(type)));
    return SUCCESS;
}

API int cudnnBackendFinalize(Backend* descriptor) {
    const char* call = "cudnnBackendFinalize";
    KNOWN(descriptor, call, "descriptor");
    for (auto& attribute : attributes)
        if (attribute.descriptor == descriptor->type && attribute.use == REQUIRED && !descriptor->has(attribute.name))
            return refuse(BAD_PARAM, "%s: %s was not set", call, attribute.text);
    Status status = SUCCESS;
    switch (descriptor->type) {
        case TENSOR: status = finishTensor(*descriptor); break;
        case CONVOLUTION: status = finishConvolution(*descriptor); break;
        case OPERATION_FORWARD:
        case OPERATION_DATA:
        case OPERATION_FILTER: status = finishOperation(descriptor); break;
        case HEURISTICS: status = finishHeuristics(descriptor); break;
        case ENGINE: status = finishEngine(descriptor); break;
        case PLAN: status = finishPlan(descriptor); break;
        case OPERATION_GRAPH:
            status = known(descriptor->value<void*>(OPERATIONGRAPH_HANDLE), call, "handle of an operation graph");
            break;
        default: break;
    }
    descriptor->finished = status == SUCCESS;
    return status;
}

API int cudnnBackendExecute(Handle* handle, const Backend* plan, const Backend* pack) {
    const char* call = "cudnnBackendExecute";
    KNOWN(handle, call, "handle");
    KNOWN(plan, call, "plan");
    KNOWN(pack, call, "variant pack");
    if (emulator_enter(call, EMULATOR_ENQUEUES) != CUDA_SUCCESS) return EXECUTION_FAILED;
    if (!plan->finished || plan->type != PLAN) return refuse(BAD_PARAM, "%s: no finished plan", call);
    if (!pack->finished || pack->type != VARIANT_PACK) return refuse(BAD_PARAM, "%s: no finished variant pack", call);
    return executePlan(handle, *plan, *pack);
}
