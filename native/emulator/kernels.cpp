#include "kernels.h"

#include <cctype>
#include <map>
#include <regex>
#include <set>

namespace {

struct Token {
    std::string text;
    bool word;
};

// Words and single characters; without strings, and without the line markers of the preprocessor.
std::vector<Token> tokenize(const std::string& s) {
    std::vector<Token> tokens;
    bool lineStart = true;
    for (size_t i = 0; i < s.size();) {
        char c = s[i];
        if (c == '\n') {
            lineStart = true;
            i++;
        } else if (isspace(static_cast<unsigned char>(c))) {
            i++;
        } else if (c == '#' && lineStart) {
            while (i < s.size() && s[i] != '\n') i++;
        } else if (c == '"' || (c == '\'' && (i == 0 || !isalnum(static_cast<unsigned char>(s[i - 1]))))) {
            size_t end = i + 1;
            while (end < s.size() && s[end] != c) end += s[end] == '\\' ? 2 : 1;
            tokens.push_back({s.substr(i, end + 1 - i), false});
            i = end + 1;
            lineStart = false;
        } else {
            size_t end = i + 1;
            bool word = isalnum(static_cast<unsigned char>(c)) || c == '_';
            while (word && end < s.size() && (isalnum(static_cast<unsigned char>(s[end])) || s[end] == '_')) end++;
            tokens.push_back({s.substr(i, end - i), word});
            i = end;
            lineStart = false;
        }
    }
    return tokens;
}

bool waits(const std::string& word) {
    bool sync = word.size() > 5 && word.compare(word.size() - 5, 5, "_sync") == 0;
    return sync || word.rfind("__sync", 0) == 0;
}

// A function or a type, and the words in its body.
struct Definition {
    std::string name;
    std::string bounds = "0";
    bool kernel = false;
};

size_t behindParentheses(const std::vector<Token>& t, size_t open) {
    int depth = 0;
    for (size_t i = open; i < t.size(); i++) {
        if (t[i].text == "(") depth++;
        if (t[i].text == ")" && --depth == 0) return i + 1;
    }
    return t.size();
}

size_t behindAngles(const std::vector<Token>& t, size_t open) {
    int depth = 0;
    for (size_t i = open; i < t.size(); i++) {
        if (t[i].text == "<") depth++;
        if (t[i].text == ">" && --depth == 0) return i + 1;
    }
    return t.size();
}

// What stands in front of a brace: the name is the word in front of the parameters, or behind `struct`.
Definition readHeader(const std::vector<Token>& t) {
    static const std::set<std::string> attributes = {"__launch_bounds__", "__attribute__", "alignas",
                                                     "__align__",         "decltype",      "__align"};
    Definition d;
    for (size_t i = 0; i < t.size(); i++) {
        if (t[i].text == "__global__") d.kernel = true;
        if (t[i].text == "template") i = behindAngles(t, i + 1);
        if (i >= t.size()) break;
        bool type = t[i].text == "struct" || t[i].text == "class" || t[i].text == "union";
        if (type) {
            size_t name = i + 1;
            while (name + 1 < t.size() && attributes.count(t[name].text) != 0) name = behindParentheses(t, name + 1);
            if (name < t.size() && d.name.empty()) d.name = t[name].text;
        }
        if (i + 1 >= t.size() || t[i + 1].text != "(" || !t[i].word) continue;
        if (attributes.count(t[i].text) == 0) {
            d.name = t[i].text;
            return d;
        }
        size_t end = behindParentheses(t, i + 1);
        if (t[i].text == "__launch_bounds__") {
            d.bounds.clear();
            int depth = 0;
            for (size_t k = i + 2; k + 1 < end; k++) {
                if (t[k].text == "(") depth++;
                if (t[k].text == ")") depth--;
                if (t[k].text == "," && depth == 0) break;
                d.bounds += t[k].text + " ";
            }
        }
        i = end - 1;
    }
    return d;
}

bool transparent(const std::vector<Token>& header) {
    if (header.empty()) return false;
    if (header[0].text == "namespace") return true;
    return header.size() == 2 && header[0].text == "extern";
}

}  // namespace

std::vector<Kernel> kernelsOf(const std::string& source) {
    std::vector<Definition> kernels;
    std::map<std::string, std::set<std::string>> bodies;  // name -> words, of all overloads together
    std::vector<Token> header;
    auto tokens = tokenize(source);
    for (size_t i = 0; i < tokens.size(); i++) {
        const std::string& text = tokens[i].text;
        if (text == ";" || text == "}") {
            header.clear();
        } else if (text != "{") {
            header.push_back(tokens[i]);
        } else if (transparent(header)) {
            header.clear();
        } else {
            Definition d = readHeader(header);
            int depth = 0;
            auto& words = bodies[d.name];
            for (; i < tokens.size(); i++) {
                if (tokens[i].text == "{") depth++;
                if (tokens[i].text == "}" && --depth == 0) break;
                if (tokens[i].word) words.insert(tokens[i].text);
            }
            if (d.kernel) kernels.push_back(d);
            header.clear();
        }
    }
    std::vector<Kernel> result;
    for (auto& d : kernels) {
        std::set<std::string> seen = {d.name};
        std::vector<std::string> open = {d.name};
        bool barriers = false;
        while (!open.empty()) {
            std::string name = open.back();
            open.pop_back();
            for (auto& word : bodies[name]) {
                barriers |= waits(word);
                if (bodies.count(word) != 0 && seen.insert(word).second) open.push_back(word);
            }
        }
        result.push_back({d.name, d.bounds, barriers});
    }
    return result;
}

std::string translate(const std::string& source, const std::vector<Kernel>& kernels) {
    static const std::regex dynamic(
        R"(extern\s+__shared__\s+((?:__align__\s*\(\s*\d+\s*\)|alignas\s*\(\s*\d+\s*\))\s*)?([\w:\s]+?)\s+(\w+)\s*\[\s*\]\s*;)");
    static const std::regex repeated(R"(\bstatic\s+__shared__\b)");
    std::string text =
        std::regex_replace(source, dynamic, "$2* const $3 = static_cast<$2*>(emulator_dynamic_shared());");
    text = std::regex_replace(text, repeated, "__shared__");
    text = "namespace {\n" + text + "\n}\n# 1 \"kernels of the module\"\n";
    text += "static const EmulatedKernel emulatedKernels[] = {\n";
    for (auto& k : kernels)
        text += "    {\"" + k.name + "\", EmulatedCall<&" + k.name + ">::call, EmulatedCall<&" + k.name +
                ">::sizes, EmulatedCall<&" + k.name + ">::count, " + (k.barriers ? "1" : "0") + ", int(" +
                k.maxThreads + ")},\n";
    text += "    {nullptr, nullptr, nullptr, 0, 0, 0}};\n";
    text +=
        "extern \"C\" __attribute__((visibility(\"default\"))) const EmulatedModule lamina_emulated_module = "
        "{emulatedKernels, " +
        std::to_string(kernels.size()) + ", __start_lamina_shared, __stop_lamina_shared};\n";
    return text;
}
