// Commands for the authors of plugins: a project to begin with, and the check of what came of it.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>

#include "ctl/commands.hpp"
#include "ctl/format.hpp"
#include "plugin/check.hpp"

namespace liaisond::ctl {
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t longest_name = 60;
// What CMake or make have targets for, and what a C++ file has other plans with.
constexpr std::array<std::string_view, 10> taken_names = {"all",     "check", "clean", "help",    "install",
                                                          "package", "test",  "build", "scripts", "csv"};

using Words = std::vector<std::pair<std::string, std::string>>;

// "acme_till" as "AcmeTill" or "Acme till".
std::string spelled(const std::string& name, bool as_class) {
    std::string text;
    bool at_start = true;
    for (const char c : name) {
        const bool is_gap = c == '_';
        if (is_gap && !as_class) text += ' ';
        if (!is_gap) text += at_start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        at_start = is_gap ? as_class : false;
    }
    return text;
}

bool all_of(std::string_view text, bool (*allowed)(char)) {
    return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}
bool in_names(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }
bool in_ids(char c) { return in_names(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '-'; }
bool in_vendors(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != ';'; }

std::string problem_of(const PluginArguments& arguments) {
    const std::string& name = arguments.name;
    if (!all_of(name, in_names) || name.front() < 'a' || name.size() > longest_name)
        return "'" + name +
               "' is no name for a connector: it is of lower-case letters, digits and _, begins with a "
               "letter and has at most " +
               std::to_string(longest_name) + " characters, such as acme_till";
    if (std::find(taken_names.begin(), taken_names.end(), name) != taken_names.end())
        return "'" + name +
               "' is the name of something else already; name the connector after its vendor, such as "
               "acme_till";
    if (!all_of(arguments.vendor, in_vendors))
        return "the vendor '" + arguments.vendor +
               "' must be of printable ASCII without quotes, backslashes and semicolons";
    if (!all_of(arguments.id, in_ids) || arguments.id.find('.') == std::string::npos)
        return "the id '" + arguments.id +
               "' must be a domain of yours the other way round and a name, such as com.acme.till";
    return {};
}

// Installed beside bin/, and there in a build tree, too. Empty: nowhere.
fs::path template_folder() {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    const fs::path folder = self.parent_path().parent_path() / "share/liaison/template";
    return !error && fs::exists(folder / "CMakeLists.txt", error) ? folder : fs::path();
}

std::string filled(std::string text, const Words& words) {
    for (const auto& [mark, word] : words) {
        for (std::size_t at = text.find(mark); at != std::string::npos;
             at = text.find(mark, at + word.size()))
            text.replace(at, mark.size(), word);
    }
    return text;
}

std::optional<std::string> read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

// The paths written, relative to `to`; an error leaves what was written so far.
Result<std::vector<std::string>> copy_template(const fs::path& from, const fs::path& to, const Words& words) {
    std::vector<std::string> written;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from, error)) {
        if (!entry.is_regular_file()) continue;
        fs::path relative = entry.path().lexically_relative(from);
        if (relative == "gitignore") relative = ".gitignore";
        fs::create_directories((to / relative).parent_path(), error);
        const auto text = read_file(entry.path());
        std::ofstream file(to / relative, std::ios::binary);
        if (text) file << filled(*text, words);
        if (!text || !file.flush())
            return fail(ErrorKind::config,
                        "cannot write " + (to / relative).string() + " from " + entry.path().string());
        written.push_back(relative.string());
    }
    if (error || written.empty())
        return fail(ErrorKind::config,
                    "the template in " + from.string() + " cannot be read; install liaison-plugin-dev again");
    std::sort(written.begin(), written.end());
    return written;
}

std::vector<std::string> scripts_in(const std::string& folder) {
    std::vector<std::string> all;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".script") all.push_back(entry.path().string());
    }
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

int new_plugin(Session& session, const PluginArguments& given) {
    PluginArguments arguments = given;
    if (arguments.vendor.empty()) arguments.vendor = "My company";
    if (arguments.id.empty()) arguments.id = "com.example." + arguments.name;
    const std::string problem = problem_of(arguments);
    if (!problem.empty()) return session.report({ErrorKind::config, problem});
    const fs::path folder = fs::path(arguments.dir.empty() ? "." : arguments.dir) / arguments.name;
    std::error_code error;
    if (fs::exists(fs::symlink_status(folder, error)))
        return session.report(
            {ErrorKind::config,
             folder.string() + " is there already; remove it, or give another NAME or --dir"});
    const fs::path from = template_folder();
    if (from.empty())
        return session.report({ErrorKind::config,
                               "the template of a project is missing beside this liaisonctl "
                               "(../share/liaison/template); install liaison-plugin-dev"});
    fs::create_directories(folder, error);
    if (error)
        return session.report(
            {ErrorKind::config, "cannot make the folder " + folder.string() + ": " + error.message()});
    const auto written = copy_template(from, folder,
                                       {{"@NAME@", arguments.name},
                                        {"@ID@", arguments.id},
                                        {"@VENDOR@", arguments.vendor},
                                        {"@TITLE@", spelled(arguments.name, false)},
                                        {"TemplateConnector", spelled(arguments.name, true) + "Connector"}});
    if (!written) return session.report(written.error());
    if (session.json()) {
        session.print_json(json::object{{"folder", folder.string()},
                                        {"files", json::array(written->begin(), written->end())}});
        return fine;
    }
    session.console().out << "wrote " << folder.string() << ":\n";
    for (const std::string& one : *written) session.console().out << "  " << one << "\n";
    session.console().out << "Build and test it: cd " << folder.string()
                          << " && cmake -B build && cmake --build build && ctest --test-dir build"
                          << std::endl;
    return fine;
}

int check_plugin(Session& session, const PluginArguments& arguments) {
    const std::vector<std::string> scripts = scripts_in(arguments.scripts);
    if (!arguments.scripts.empty() && scripts.empty())
        return session.report(
            {ErrorKind::config, "there is no script in " + arguments.scripts + ": files end in .script"});
    const auto findings = plugin::check_plugin(arguments.library, scripts);
    if (!findings) return session.report(findings.error());
    const auto bad =
        std::count_if(findings->begin(), findings->end(), [](const plugin::Finding& one) { return !one.ok; });
    json::array items;
    for (const plugin::Finding& one : *findings) {
        items.push_back(json::object{{"check", one.check}, {"ok", one.ok}, {"text", one.text}});
        if (session.json()) continue;
        session.console().out << toned(one.ok ? "ok    " : "failed", one.ok ? Tone::good : Tone::bad,
                                       session.look())
                              << "  " << one.check
                              << std::string(
                                     std::max<std::size_t>(13, one.check.size() + 1) - one.check.size(), ' ')
                              << one_line(one.text) << "\n";
    }
    if (session.json())
        session.print_json(
            json::object{{"file", arguments.library}, {"ok", bad == 0}, {"items", std::move(items)}});
    else
        session.console().out << format_count(static_cast<std::int64_t>(findings->size()), "check")
                              << (bad == 0 ? ", all passed" : ", " + format_number(bad) + " failed")
                              << std::endl;
    return bad == 0 ? fine : failed;
}

}  // namespace liaisond::ctl
