// The checks that need none of the plugin's code to run.
#include <algorithm>
#include <array>
#include <string_view>

#include <boost/json/parse.hpp>

#include "base/schema.hpp"
#include "plugin/check.hpp"
#include "plugin/elf_file.hpp"
#include "plugin/library.hpp"
#include "plugin/manifest.hpp"
#include "plugin/manifest_schema.hpp"

namespace liaisond::plugin {

namespace {

constexpr std::array<std::string_view, 8> usual_libraries = {
    "libc.so.6",  "libm.so.6",       "libstdc++.so.6",       "libgcc_s.so.1",
    "libdl.so.2", "libpthread.so.0", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};

struct Forbidden {
    std::string_view symbol, instead;
};
constexpr std::string_view is_sent = "liaison sends requests for it",
                           is_kept = "liaison reads and writes files for it",
                           is_asked = "it has its process to itself",
                           is_told = "the time comes with each event (now_ms)",
                           is_seeded = "randomness comes with START (seed)";
constexpr std::array<Forbidden, 53> forbidden = {{
    {"socket", is_sent},
    {"connect", is_sent},
    {"bind", is_sent},
    {"listen", is_sent},
    {"getaddrinfo", is_sent},
    {"curl_easy_init", is_sent},
    {"open", is_kept},
    {"open64", is_kept},
    {"openat", is_kept},
    {"openat64", is_kept},
    {"creat", is_kept},
    {"fopen", is_kept},
    {"fopen64", is_kept},
    {"freopen", is_kept},
    {"opendir", is_kept},
    {"unlink", is_kept},
    {"rename", is_kept},
    {"mkdir", is_kept},
    {"_ZNSt13basic_filebufIcSt11char_traitsIcEE4openEPKcSt13_Ios_Openmode", is_kept},
    {"syscall", is_asked},
    {"fork", is_asked},
    {"vfork", is_asked},
    {"execve", is_asked},
    {"execv", is_asked},
    {"execvp", is_asked},
    {"posix_spawn", is_asked},
    {"system", is_asked},
    {"popen", is_asked},
    {"ptrace", is_asked},
    {"kill", is_asked},
    {"raise", is_asked},
    {"signal", is_asked},
    {"sigaction", is_asked},
    {"exit", is_asked},
    {"_exit", is_asked},
    {"_Exit", is_asked},
    {"pthread_create", is_asked},
    {"_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE", is_asked},
    {"dlopen", is_asked},
    {"setenv", is_asked},
    {"putenv", is_asked},
    {"getenv", "settings come with the configuration"},
    {"chdir", is_asked},
    {"setlocale", is_asked},
    {"time", is_told},
    {"gettimeofday", is_told},
    {"clock_gettime", is_told},
    {"_ZNSt6chrono3_V212system_clock3nowEv", is_told},
    {"_ZNSt6chrono3_V212steady_clock3nowEv", is_told},
    {"rand", is_seeded},
    {"random", is_seeded},
    {"getrandom", is_seeded},
    {"_ZNSt13random_device9_M_getvalEv", is_seeded},
}};

template <class T>
std::string joined(const std::vector<T>& words) {
    std::string text;
    for (const T& word : words) text += (text.empty() ? "" : ", ") + std::string(word);
    return text;
}

Finding check_symbols(const ElfFile& file) {
    const std::string own = "liaison_plugin_v1";
    if (file.exported == std::vector<std::string>{own})
        return {"symbols", true, "exports liaison_plugin_v1 and nothing else"};
    if (std::find(file.exported.begin(), file.exported.end(), own) == file.exported.end())
        return {
            "symbols", false,
            "does not export liaison_plugin_v1: a connector in C++ ends in LIAISON_PLUGIN(make), one in C "
            "defines that function with LIAISON_EXPORT"};
    std::vector<std::string> others;
    for (const std::string& name : file.exported) {
        if (name != own && others.size() < 3) others.push_back(name);
    }
    return {"symbols", false,
            "exports " + std::to_string(file.exported.size() - 1) + " symbols beside liaison_plugin_v1 (" +
                joined(others) +
                "...), which clash with those of others: build it with liaison_add_plugin(), or link with "
                "-Wl,--version-script=plugin.map (pkg-config --variable=version_script liaison-plugin)"};
}

Finding check_libraries(const ElfFile& file) {
    std::vector<std::string> wrong, others;
    if (!file.is_for_this_machine) wrong.emplace_back("it was built for another kind of machine");
    if (file.has_writable_code)
        wrong.emplace_back("a segment can be written and executed: link without -z execstack, -N");
    if (file.has_executable_stack)
        wrong.emplace_back(
            "it wants an executable stack: assemble with -Wa,--noexecstack, link with -z noexecstack");
    if (!file.binds_at_load)
        wrong.emplace_back("a missing symbol would be noticed only when it is called: link with -Wl,-z,now");
    for (const std::string& name : file.needed) {
        if (std::find(usual_libraries.begin(), usual_libraries.end(), name) == usual_libraries.end())
            others.push_back(name);
    }
    if (!wrong.empty()) return {"libraries", false, joined(wrong)};
    if (others.empty()) return {"libraries", true, "needs the libraries of every system and no other"};
    return {"libraries", true, "also needs " + joined(others) + ": it must come with the plugin's package"};
}

Finding check_calls(const ElfFile& file) {
    std::vector<std::string> found;
    for (const Forbidden& one : forbidden) {
        if (std::binary_search(file.undefined.begin(), file.undefined.end(), one.symbol))
            found.push_back(std::string(one.symbol) + " (" + std::string(one.instead) + ")");
    }
    if (found.empty()) return {"calls", true, "calls nothing that a connector may not call"};
    return {"calls", false, "calls what a connector may not: " + joined(found)};
}

// The first place where the two differ, for texts of which one is copied from the other.
std::string difference(const std::string& a, const std::string& b) {
    const auto at = std::mismatch(
        a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
    return "from byte " + std::to_string(at.first - a.begin());
}

std::string schema_fault(const boost::json::value& manifest) {
    const auto schema = Schema::compile(manifest_schema());
    if (!schema) return "manifest.schema.json cannot be used: " + schema.error().message;
    const auto faults = schema->check(manifest, 1);
    return faults.empty() ? std::string() : faults[0].pointer + " " + faults[0].message;
}

Finding check_manifest(const PluginClaims& claims, const std::string& beside) {
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(claims.manifest, error);
    if (error) return {"manifest", false, "the manifest in the library is not JSON: " + error.message()};
    const std::string fault = schema_fault(value);
    if (!fault.empty())
        return {"manifest", false, "the manifest is not as manifest.schema.json wants it: " + fault};
    const auto parsed = parse_manifest(value);
    if (!parsed) return {"manifest", false, "the manifest cannot be used: " + parsed.error().message};
    for (const ConnectorManifest& connector : parsed->connectors) {
        for (const auto* part : {&connector.settings, &connector.credentials}) {
            if (part->empty()) continue;
            const auto compiled = Schema::compile(*part);
            if (!compiled)
                return {"manifest", false,
                        "the schema of " + connector.name + "'s " +
                            (part == &connector.settings ? "settings" : "credentials") +
                            " cannot be used: " + compiled.error().message};
        }
    }
    if (!beside.empty() && beside != claims.manifest)
        return {"manifest", false,
                "the manifest beside the library differs from the one inside, " +
                    difference(beside, claims.manifest) + ": build again and install both together"};
    return {"manifest", true,
            std::string("is valid") + (beside.empty() ? "" : ", and the one beside the library is the same")};
}

Finding check_identity(const PluginClaims& claims) {
    const auto manifest = parse_manifest(std::string_view(claims.manifest));
    if (!manifest)
        return {"identity", false, "the plugin table cannot be compared: " + manifest.error().message};
    std::vector<std::string> wrong;
    const auto compare = [&](const char* what, const std::string& table, const std::string& said) {
        if (table != said)
            wrong.push_back(std::string(what) + " is '" + table + "' in the table and '" + said +
                            "' in the manifest");
    };
    compare("id", claims.id, manifest->id);
    compare("version", claims.version, manifest->version);
    compare("vendor", claims.vendor, manifest->vendor);
    std::uint64_t jobs = 0;
    for (const ConnectorManifest& connector : manifest->connectors) {
        for (const JobKind kind : connector.jobs) jobs |= std::uint64_t{1} << static_cast<unsigned>(kind);
    }
    for (unsigned kind = 0; kind < 64; ++kind) {
        const bool claimed = (claims.capabilities >> kind & 1) != 0, offered = (jobs >> kind & 1) != 0;
        const bool is_known = kind >= LIAISON_JOB_TEST && kind <= LIAISON_JOB_WEBHOOK;
        const std::string name = is_known ? std::string(to_string(static_cast<JobKind>(kind))) + " jobs"
                                          : "jobs of kind " + std::to_string(kind);
        if (claimed && !offered)
            wrong.push_back("`capabilities` claims " + name + ", which no connector of the manifest has");
        if (!claimed && offered) wrong.push_back("`capabilities` lacks " + name + ", which the manifest has");
    }
    if (!wrong.empty()) return {"identity", false, joined(wrong)};
    return {"identity", true,
            claims.id + " " + claims.version + " by " + claims.vendor + ": table and manifest agree"};
}

}  // namespace

std::vector<Finding> check_file(const std::string& library) {
    const auto file = ElfFile::read(library);
    if (!file) return {{"symbols", false, library + " " + file.error().message}};
    return {check_symbols(*file), check_libraries(*file), check_calls(*file)};
}

Finding check_sandbox(const KernelFeatures& kernel) {
    if (!has_sandbox)
        return {
            "sandbox", true,
            "there is none in this build: the plugin runs with all that you may do, so check only what you "
            "trust"};
    if (!kernel.seccomp) return {"sandbox", false, seccomp_advice()};
    if (kernel.landlock == 0)
        return {"sandbox", true,
                "a part of it: this kernel has no Landlock, so that a plugin can read files while it is "
                "loaded; it "
                "can write and send nothing"};
    return {"sandbox", true, "it runs locked in: no files, no network, no other processes"};
}

std::optional<PluginClaims> read_claims(const std::string& text) {
    boost::system::error_code error;
    const boost::json::value said = boost::json::parse(text, error);
    if (error || !said.is_object()) return std::nullopt;
    PluginClaims claims;
    const std::pair<const char*, std::string*> texts[] = {{"id", &claims.id},
                                                          {"version", &claims.version},
                                                          {"vendor", &claims.vendor},
                                                          {"manifest", &claims.manifest},
                                                          {"abi", &claims.abi}};
    for (const auto& [name, to] : texts) {
        const boost::json::value* const found = said.get_object().if_contains(name);
        if (found == nullptr || !found->is_string()) return std::nullopt;
        *to = std::string(found->get_string());
    }
    const boost::json::value* const capabilities = said.get_object().if_contains("capabilities");
    if (capabilities == nullptr || !capabilities->is_number()) return std::nullopt;
    claims.capabilities = capabilities->to_number<std::uint64_t>(error);
    return error ? std::nullopt : std::optional(claims);
}

std::vector<Finding> check_claims(const PluginClaims& claims, const std::string& beside) {
    return {check_manifest(claims, beside), check_identity(claims)};
}

}  // namespace liaisond::plugin
