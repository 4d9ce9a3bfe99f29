// Commands that work without the daemon: configuration files and plugins on this machine.
#include <filesystem>
#include <iostream>
#include <iterator>

#include <boost/json/parse.hpp>

#include "base/system.hpp"
#include "connectors/connectors.hpp"
#include "connectors/worker_program.hpp"
#include "ctl/commands.hpp"
#include "ctl/config_view.hpp"
#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/list_views.hpp"
#include "plugin/catalog.hpp"
#include "plugin/script.hpp"
#include "plugin/script_runner.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

constexpr Milliseconds look_at_plugin{5000};

std::vector<std::filesystem::path> files_of(const Session& session, const LocalArguments& arguments) {
    if (arguments.files.empty()) return config::config_files(session.globals().config_file());
    return {arguments.files.begin(), arguments.files.end()};
}

config::Document load(const Session& session, const LocalArguments& arguments,
                      std::vector<config::Fault>& faults) {
    if (arguments.files == std::vector<std::string>{"-"}) {
        const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
        return config::Document::parse(text, "-", faults);
    }
    return config::Document::load(files_of(session, arguments), faults);
}

// Without the daemon's cache: whoever runs this may not write there.
plugin::Catalog scan(const Session& session, const LocalArguments& arguments, const config::Config& daemon) {
    plugin::CatalogOptions options;
    options.plugin_dirs = arguments.plugin_dirs.empty() ? daemon.plugin_dirs : arguments.plugin_dirs;
    options.worker_path = connectors::worker_program(daemon.worker);
    options.sandbox = connectors::sandbox_of(daemon);
    options.time_limit = look_at_plugin;
    if (options.worker_path.empty()) {
        session.console().note(
            "liaison-worker is missing, without which no plugin can be looked at; install it beside "
            "liaisonctl or name it in the configuration as daemon.worker");
    }
    return plugin::Catalog::scan(options);
}

// Plugins that are not perfect, beside the answer.
void warn(const Session& session, const plugin::Catalog& catalog,
          const connectors::InstalledConnectors& installed) {
    for (const std::string& broken : installed.broken()) session.console().note("warning: " + broken);
    for (const plugin::PluginInfo& one : catalog.plugins()) {
        for (const std::string& warning : one.warnings) session.console().note("warning: " + warning);
    }
}

// The library of the connector that the script's configuration names.
Result<std::string> library_for(const std::string& file, const plugin::Catalog& catalog) {
    const auto scripts = plugin::load_scripts(file);
    if (!scripts) return fail(scripts.error());
    boost::system::error_code error;
    const std::string name = text_at(json::parse(scripts->front().config, error), "connector");
    if (name.empty())
        return fail(ErrorKind::config,
                    file + ": its config names no connector; give the plugin with --plugin FILE");
    const auto found = catalog.connector(name);
    if (found) return found.plugin->path;
    std::string text = file + ": no plugin offers the connector '" + name +
                       "'; give one with --plugin FILE or --plugin-dir DIR";
    for (const plugin::PluginInfo& one : catalog.plugins()) text += one.usable() ? "" : "\n  " + one.error;
    return fail(ErrorKind::config, std::move(text));
}

}  // namespace

int check_config(Session& session, const LocalArguments& arguments) {
    std::vector<config::Fault> faults, ignored;
    const config::Document document = load(session, arguments, faults);
    const plugin::Catalog catalog = scan(session, arguments, config::check_daemon(document, ignored));
    const connectors::InstalledConnectors installed(catalog);
    const SystemTimeZones zones;
    const config::Config config = config::check(document, installed, zones, faults);
    const ConfigCounts counts{config.tenants.size(), config.integrations.size(), installed.names().size()};
    warn(session, catalog, installed);
    if (session.json())
        session.print_json(check_json(faults, counts));
    else
        session.console().out << check_text(faults, counts, session.look()) << std::flush;
    return faults.empty() ? fine : failed;
}

int show_schema(Session& session, const LocalArguments& arguments) {
    const plugin::Catalog catalog = scan(session, arguments, daemon_section(session));
    const connectors::InstalledConnectors installed(catalog);
    warn(session, catalog, installed);
    std::vector<const plugin::ConnectorManifest*> manifests;
    for (const std::string& name : installed.names()) manifests.push_back(installed.info(name)->manifest);
    const json::value schema = full_schema(config::daemon_schema(), manifests);
    if (session.json())
        session.print_json(schema);
    else
        session.console().out << pretty(schema) << std::endl;
    return fine;
}

int show_config(Session& session, const LocalArguments& arguments) {
    std::vector<config::Fault> faults;
    const json::object root = shown_config(load(session, arguments, faults).root());
    for (const config::Fault& fault : faults) session.console().complain(fault.text());
    if (session.json())
        session.print_json(root);
    else
        session.console().out << pretty(root) << std::endl;
    return faults.empty() ? fine : failed;
}

int list_plugins(Session& session, const LocalArguments& arguments) {
    const auto text = [&](const json::value& answer) { return plugins_text(answer, session.look()); };
    const auto answer = session.client().get(api_target({"plugins"}));
    if (answer || answer.error().code != Client::unreachable) return session.show(answer, text);
    session.console().note("liaisond cannot be asked (" + session.client().socket() +
                           "); this is what the plugin folders hold:");
    return session.show(connectors::plugins_json(scan(session, arguments, daemon_section(session))), text);
}

int run_scripts(Session& session, const LocalArguments& arguments) {
    const config::Config daemon = daemon_section(session);
    const plugin::Catalog catalog =
        arguments.library.empty() ? scan(session, arguments, daemon) : plugin::Catalog();
    const std::string worker = connectors::worker_program(daemon.worker);
    if (worker.empty())
        session.console().note("liaison-worker is missing; scripts are played in this process only");
    std::int64_t bad = 0;
    json::array results;
    for (const std::string& file : arguments.files) {
        Result<std::string> library =
            arguments.library.empty() ? library_for(file, catalog) : Result<std::string>(arguments.library);
        auto report = library ? plugin::run_script(file, *library, worker)
                              : Result<plugin::ScriptReport>(fail(library.error()));
        std::vector<std::string> failures =
            report ? report->failures : std::vector<std::string>{report.error().message};
        bad += failures.empty() ? 0 : 1;
        results.push_back(json::object{{"file", file},
                                       {"ok", failures.empty()},
                                       {"failures", json::array(failures.begin(), failures.end())}});
        if (session.json()) continue;
        const Tone tone = failures.empty() ? Tone::good : Tone::bad;
        session.console().out << toned(failures.empty() ? "passed" : "failed", tone, session.look()) << "  "
                              << one_line(file) << "\n";
        for (const std::string& failure : failures) session.console().out << many_lines(failure) << "\n";
        session.console().out << std::flush;
    }
    const auto all = static_cast<std::int64_t>(arguments.files.size());
    if (session.json())
        session.print_json(json::object{{"ok", bad == 0}, {"items", std::move(results)}});
    else
        session.console().out << format_count(all, "script")
                              << (bad == 0 ? ", all passed" : ", " + format_number(bad) + " failed")
                              << std::endl;
    return bad == 0 ? fine : failed;
}

}  // namespace liaisond::ctl
