// Heuristics, engines and plans of the emulated cuDNN's graph API, made up so that every rule of a choice has something
// to refuse.
#include "cudnn_backend.h"

#include <algorithm>

namespace cudnn {

namespace {

// Rounds float factors to 16 bits; uses tensor cores; computes in float throughout; is proposed, but makes no plan; does
// not even tell its notes; computes as the exact one, for when nothing else does.
enum Engine : int64_t { DOWN_CONVERTING, TENSOR_CORES, EXACT, UNWILLING, SILENT, LAST_RESORT, ENGINES };

constexpr int64_t LAST_RESORT_WORKSPACE = 512;

constexpr int KNOB_TILE_SIZE = 2;
constexpr int64_t LARGE_TILE = 1;

const Operation& operationOf(const Backend& graph) { return *graph.child(OPERATIONGRAPH_OPS).operation; }

std::vector<int> notesOf(int64_t engine, Kind kind) {
    if (engine == DOWN_CONVERTING) return {NOTE_TENSOR_CORE, NOTE_DOWN_CONVERT_INPUTS};
    if (engine != TENSOR_CORES) return {};
    return kind == BACKWARD_FILTER ? std::vector<int>{NOTE_TENSOR_CORE, NOTE_NONDETERMINISTIC}
                                   : std::vector<int>{NOTE_TENSOR_CORE};
}

// What heuristics answer: the engine, and a knob for the one that has one.
Child proposal(const Child& graph, int64_t index) {
    auto engine = std::make_shared<Backend>();
    engine->type = ENGINE;
    engine->children[ENGINE_OPERATION_GRAPH] = {graph};
    engine->put<int64_t>(ENGINE_GLOBAL_INDEX, {index});
    engine->finished = finishEngine(engine.get()) == SUCCESS;
    auto config = std::make_shared<Backend>();
    config->type = ENGINE_CONFIG;
    config->children[ENGINECFG_ENGINE] = {engine};
    if (index == TENSOR_CORES) {
        auto knob = std::make_shared<Backend>();
        knob->type = KNOB_CHOICE;
        knob->put<int>(KNOB_CHOICE_KNOB_TYPE, {KNOB_TILE_SIZE});
        knob->put<int64_t>(KNOB_CHOICE_KNOB_VALUE, {LARGE_TILE});
        knob->finished = true;
        config->children[ENGINECFG_KNOB_CHOICES] = {knob};
    }
    config->finished = true;
    return config;
}

}  // namespace

Status finishHeuristics(Backend* heuristics) {
    const Child& graph = heuristics->children.at(ENGINEHEUR_OPERATION_GRAPH).front();
    int mode = heuristics->value<int>(ENGINEHEUR_MODE);
    if (mode != MODE_A && mode != MODE_FALLBACK) return refuse(NOT_SUPPORTED, "heuristics: mode %d", mode);
    const Operation& o = operationOf(*graph);
    // As of engines that really are: who asks must have another way.
    if (o.uneven && o.kind == BACKWARD_DATA) return refuse(NOT_SUPPORTED, "heuristics: uneven padding");
    if (!runs(o.problem.type)) return SUCCESS;
    std::vector<int64_t> order{LAST_RESORT};
    if (mode == MODE_A) {
        order = {SILENT, UNWILLING, DOWN_CONVERTING};
        // Many settings of one engine, as real ones are proposed, before the next.
        order.insert(order.end(), 30, TENSOR_CORES);
        order.push_back(EXACT);
    }
    for (int64_t index : order) heuristics->children[ENGINEHEUR_RESULTS].push_back(proposal(graph, index));
    return SUCCESS;
}

Status finishEngine(Backend* engine) {
    int64_t index = engine->value<int64_t>(ENGINE_GLOBAL_INDEX);
    if (index < 0 || index >= ENGINES) return refuse(BAD_PARAM, "engine %lld", (long long)index);
    if (index != SILENT)
        engine->put<int>(ENGINE_NUMERICAL_NOTE, notesOf(index, operationOf(engine->child(ENGINE_OPERATION_GRAPH)).kind));
    return SUCCESS;
}

Status finishPlan(Backend* plan) {
    KNOWN(plan->value<void*>(PLAN_HANDLE), "plan", "handle");
    const Backend& config = plan->child(PLAN_ENGINE_CONFIG);
    const Backend& engine = config.child(ENGINECFG_ENGINE);
    int64_t index = engine.value<int64_t>(ENGINE_GLOBAL_INDEX);
    if (index == UNWILLING || index == SILENT) return refuse(NOT_SUPPORTED, "plan: this engine runs on no GPU");
    Operation o = operationOf(engine.child(ENGINE_OPERATION_GRAPH));
    int64_t tile = 0;
    if (auto knobs = config.children.find(ENGINECFG_KNOB_CHOICES); knobs != config.children.end())
        for (auto& knob : knobs->second) {
            if (index != TENSOR_CORES || knob->value<int>(KNOB_CHOICE_KNOB_TYPE) != KNOB_TILE_SIZE)
                return refuse(BAD_PARAM, "plan: engine %lld has no knob of type %d", (long long)index,
                              knob->value<int>(KNOB_CHOICE_KNOB_TYPE));
            tile = knob->value<int64_t>(KNOB_CHOICE_KNOB_VALUE);
            if (tile < 0 || tile > LARGE_TILE) return refuse(BAD_PARAM, "plan: tile %lld", (long long)tile);
        }
    // 16-bit operands are exact in any of these; only floats are rounded.
    if (o.problem.type == Type::F32)
        o.problem.conv.math = index == DOWN_CONVERTING ? ALLOW_CONVERSION : index == TENSOR_CORES ? 0 : FMA_MATH;
    plan->operation = o;
    plan->put<int64_t>(PLAN_WORKSPACE_SIZE, {index == TENSOR_CORES  ? (tile + 1) * int64_t(o.problem.w.size() * 4 + 1024)
                                             : index == LAST_RESORT ? LAST_RESORT_WORKSPACE
                                                                    : 0});
    return SUCCESS;
}

Status executePlan(Handle* handle, const Backend& plan, const Backend& pack) {
    const char* call = "cudnnBackendExecute";
    if (plan.value<Handle*>(PLAN_HANDLE) != handle) return refuse(BAD_PARAM, "%s: the plan is another handle's", call);
    const Operation& o = *plan.operation;
    size_t count = pack.count<int64_t>(PACK_UNIQUE_IDS);
    if (count != 3 || pack.count<CUdeviceptr>(PACK_DATA_POINTERS) != 3)
        return refuse(BAD_PARAM, "%s: %zu operands of three", call, count);
    Data data{};
    for (size_t i = 0; i < count; i++) {
        int64_t id = pack.value<int64_t>(PACK_UNIQUE_IDS, i);
        auto address = pack.value<CUdeviceptr>(PACK_DATA_POINTERS, i);
        if (id == o.x) data.x = address;
        if (id == o.w) data.w = address;
        if (id == o.y) data.y = address;
    }
    return launch(o.kind, call, handle, o.problem, o.alpha, o.beta, data, pack.value<CUdeviceptr>(PACK_WORKSPACE),
                  size_t(plan.value<int64_t>(PLAN_WORKSPACE_SIZE)));
}

}  // namespace cudnn
