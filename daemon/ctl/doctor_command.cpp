// `liaisonctl doctor`: looks at all that goes wrong in practice, with or without a running daemon.
#include <cerrno>
#include <set>

#include <boost/json/parse.hpp>

#include "base/system.hpp"
#include "base/text.hpp"
#include "connectors/connectors.hpp"
#include "connectors/origins.hpp"
#include "connectors/worker_program.hpp"
#include "ctl/commands.hpp"
#include "ctl/config_view.hpp"
#include "ctl/doctor.hpp"
#include "ctl/doctor_machine.hpp"
#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "http/probe.hpp"
#include "http/transport.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

constexpr Milliseconds look_at_plugin{5000}, wait_for_daemon{5000}, wait_for_vendor{5000};
constexpr std::size_t faults_told = 3;

class Doctor {
  public:
    explicit Doctor(Session& session)
        : session_(session), main_(fs::absolute(session.globals().config_file())) {}

    std::vector<Finding> examine() {
        read_configuration();
        ask_daemon();
        look_at_files();
        add(check_space(config_.state_dir));
        add(check_database(config_.state_dir + "/liaison.db"));
        add(check_file_limit(pid_, config_.integrations.size()));
        add(check_leftovers({config_.state_dir, managed_folder()}));
        look_at_zones();
        add(check_clock_service());
        look_at_certificate();
        look_at_plugins();
        look_at_vendors();
        return std::move(findings_);
    }

  private:
    void add(Finding finding) { findings_.push_back(std::move(finding)); }
    fs::path managed_folder() const { return main_.parent_path() / "conf.d" / "managed"; }

    void read_configuration() {
        std::vector<config::Fault> faults, ignored;
        const config::Document document = config::Document::load(config::config_files(main_), faults);
        config_ = config::check_daemon(document, ignored);
        plugin::CatalogOptions options = connectors::catalog_options(config_);
        worker_ = options.worker_path;
        options.time_limit = look_at_plugin;
        catalog_ = plugin::Catalog::scan(options);
        const connectors::InstalledConnectors installed(catalog_);
        config::Config whole = config::check(document, installed, zones_, faults);
        is_right_ = faults.empty();
        if (is_right_) config_ = std::move(whole);
        tell_configuration(faults);
    }

    void tell_configuration(const std::vector<config::Fault>& faults) {
        const auto count = [](std::size_t n, std::string_view word) {
            return format_count(static_cast<std::int64_t>(n), word);
        };
        if (is_right_)
            return add({"configuration",
                        Verdict::fine,
                        main_.string(),
                        count(config_.tenants.size(), "tenant") + ", " +
                            count(config_.integrations.size(), "integration"),
                        {}});
        for (std::size_t i = 0; i < std::min(faults.size(), faults_told); ++i)
            add({"configuration", Verdict::failed, main_.string(), faults[i].text(),
                 "correct it; all of them: liaisonctl config check"});
    }

    void ask_daemon() {
        const auto status = session_.client().get(api_target({"status"}), wait_for_daemon);
        const std::string& socket = session_.client().socket();
        if (!status)
            return add({"daemon", Verdict::warning, socket, status.error().message,
                        "systemctl status liaisond, journalctl -u liaisond"});
        pid_ = number_at(*status, "pid");
        const std::string version = text_at(*status, "version");
        add({"daemon", version == LIAISON_VERSION ? Verdict::fine : Verdict::warning, socket,
             "liaisond " + version + " answers",
             version == LIAISON_VERSION ? ""
                                        : "this is liaisonctl " LIAISON_VERSION
                                          ": restart liaisond after an upgrade"});
        for (const json::value& problem : array_at(*status, "problems")) {
            const std::string text = problem.is_string() ? std::string(problem.get_string()) : "";
            add({"daemon", Verdict::warning, socket, text, "liaisonctl status"});
        }
    }

    void look_at_files() {
        const Account daemon = daemon_account(config_.state_dir);
        add(judge_state_dir(look_at(config_.state_dir), daemon));
        look_at_vault_key(daemon);
        std::set<std::string> seen;
        for (const auto& [id, integration] : config_.integrations) {
            std::vector<config::SecretSource> sources;
            for (const auto& [name, source] : integration.credentials) sources.push_back(source);
            if (integration.webhook != nullptr)
                sources.insert(sources.end(), integration.webhook->secrets.begin(),
                               integration.webhook->secrets.end());
            for (const config::SecretSource& source : sources) {
                if (source.kind == config::SecretSource::Kind::file && seen.insert(source.name).second)
                    add(judge_secret_file("secret", look_at(source.name), daemon));
            }
        }
        add(judge_folder("socket folder", look_at(fs::path(config_.socket).parent_path()), daemon));
        look_at_managed(daemon);
    }

    // The daemon makes it where it may; only changes over the API need it.
    void look_at_managed(const Account& daemon) {
        fs::path folder = managed_folder();
        while (look_at(folder).error == ENOENT && folder.has_relative_path()) folder = folder.parent_path();
        Finding finding = judge_folder("managed configuration", look_at(folder), daemon);
        finding.looked_at = managed_folder().string();
        if (finding.verdict == Verdict::failed) {
            finding.verdict = Verdict::warning;
            finding.found += ", so that integrations cannot be changed over the API";
            finding.advice = "install -d -m 0750 -o " + daemon.name + " " + managed_folder().string();
        }
        add(std::move(finding));
    }

    void look_at_vault_key(const Account& daemon) {
        const bool is_usual = config_.vault_key.empty();
        const std::string path = is_usual ? config_.state_dir + "/vault.key" : config_.vault_key;
        const FileFacts key = look_at(path);
        const bool is_used = look_at(config_.state_dir + "/liaison.db").error == 0;
        if (key.error != ENOENT || (is_used && pid_ == 0 && !is_usual))
            return add(judge_secret_file("vault key", key, daemon));
        if (!is_used)
            return add({"vault key", Verdict::skipped, path, "not there yet; liaisond makes it", {}});
        add({"vault key", pid_ != 0 ? Verdict::skipped : Verdict::warning, path,
             "not there, which is right only where it is the systemd credential liaison-vault-key",
             pid_ != 0 ? "" : "restore it from where it was kept; the vault's secrets are lost without it"});
    }

    void look_at_zones() {
        std::set<std::string> zones{"Europe/Paris"};
        for (const auto& [id, tenant] : config_.tenants) zones.insert(tenant.timezone);
        for (const std::string& zone : zones) {
            if (zones_.exists(zone)) continue;
            return add({"time zones", Verdict::failed, zone, "the machine's database does not have it",
                        "install or renew the package tzdata"});
        }
        add({"time zones",
             Verdict::fine,
             "tzdata",
             format_count(static_cast<std::int64_t>(zones.size()), "zone") + " found",
             {}});
    }

    void look_at_certificate() {
        if (config_.http.certificate.empty()) return;
        add(judge_certificate(read_certificate(config_.http.certificate, config_.http.key), Session::now()));
    }

    void look_at_plugins() {
        add(judge_sandbox(plugin::kernel_features(), config_.degraded_sandbox));
        if (worker_.empty())  // without which none can be looked at
            return add({"plugins", Verdict::failed, config_.worker, "liaison-worker is missing",
                        "install it beside liaisonctl, or name it as daemon.worker"});
        for (const plugin::PluginInfo& one : catalog_.plugins()) {
            if (!one.usable()) {
                add({"plugin", Verdict::failed, one.path, one.error,
                     "install the plugin again in a version for this liaison, or take the file away"});
                continue;
            }
            const std::string name = one.manifest.id + " " + one.manifest.version;
            add({"plugin", Verdict::fine, one.path, name, {}});
            for (const std::string& warning : one.warnings)
                add({"plugin", Verdict::warning, one.path, warning,
                     "tell its author: " + one.manifest.vendor});
        }
        if (catalog_.plugins().empty())
            add({"plugins", Verdict::warning, list_of(config_.plugin_dirs, " and "), "there are none",
                 "install connectors there, or set daemon.plugin_dirs"});
    }

    std::vector<http::ProbeTarget> targets() const {
        std::set<http::ProbeTarget> all;
        for (const auto& [id, integration] : config_.integrations) {
            const plugin::Catalog::Found found = catalog_.connector(integration.connector);
            if (!found || !integration.enabled) continue;
            const json::value settings = json::parse(integration.settings);
            for (const std::string& one :
                 connectors::origins_of(found.connector->settings, settings, integration.allow_hosts)) {
                // A host alone stands for both schemes; everybody speaks https.
                const std::string origin =
                    http::origin_of(one.find("://") == std::string::npos ? "https://" + one : one);
                if (!origin.empty()) all.insert({origin, integration.ca_file});
            }
        }
        return {all.begin(), all.end()};
    }

    void look_at_vendors() {
        if (!is_right_)
            return add({"vendors", Verdict::skipped, "", "not asked before the configuration is right", {}});
        const std::vector<http::ProbeTarget> asked = targets();
        if (!session_.json() && !asked.empty())
            session_.console().note("asking " +
                                    format_count(static_cast<std::int64_t>(asked.size()), "host") + " ...");
        std::vector<std::pair<std::string, http::ProbeAnswer>> answers;
        std::vector<http::ProbeAnswer> got = http::probe(asked, wait_for_vendor, SystemClock());
        for (std::size_t i = 0; i < asked.size(); ++i)
            answers.emplace_back(asked[i].origin, std::move(got[i]));
        add(judge_skew(answers));
        for (const auto& [origin, answer] : answers) add(judge_host(origin, answer, Session::now()));
    }

    Session& session_;
    const fs::path main_;
    SystemTimeZones zones_;
    config::Config config_;
    plugin::Catalog catalog_;
    std::string worker_;
    bool is_right_ = false;
    std::int64_t pid_ = 0;  // of the daemon; 0: it does not answer
    std::vector<Finding> findings_;
};

}  // namespace

int examine(Session& session) {
    const std::vector<Finding> findings = Doctor(session).examine();
    if (session.json())
        session.print_json(doctor_json(findings));
    else
        session.console().out << doctor_text(findings, session.look()) << std::flush;
    return is_healthy(findings) ? fine : failed;
}

}  // namespace liaisond::ctl
