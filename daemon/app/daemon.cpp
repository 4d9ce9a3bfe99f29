#include "app/daemon.hpp"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "api/api.hpp"
#include "api/figures.hpp"
#include "api/webhook_routes.hpp"
#include "app/asio_timers.hpp"
#include "app/front.hpp"
#include "app/links.hpp"
#include "app/loading.hpp"
#include "app/plugin_watch.hpp"
#include "app/premises.hpp"
#include "app/supervision.hpp"
#include "base/fault_point.hpp"
#include "base/log.hpp"
#include "base/system.hpp"
#include "connectors/connectors.hpp"
#include "connectors/worker_program.hpp"
#include "http/curl_transport.hpp"
#include "http/file_transport.hpp"
#include "plugin/catalog.hpp"
#include "plugin/in_process_runtime.hpp"
#include "plugin/runtime_router.hpp"
#include "plugin/worker_runtime.hpp"
#include "store/sqlite_store.hpp"
#include "store/state_lock.hpp"
#include "sync/engine.hpp"
#include "sync/upkeep.hpp"
#include "webhooks/directory.hpp"
#include "webhooks/intake.hpp"

namespace liaisond::app {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

// How long runs may take to reach a point where nothing is half done (reliability.md 6: 30 s in all).
constexpr Milliseconds stop_grace{20'000}, token_use_every{60'000};

void complain(const std::vector<config::Fault>& faults) {
    for (const config::Fault& fault : faults) std::fprintf(stderr, "%s\n", fault.text().c_str());
    std::fprintf(stderr, "liaisond: the configuration has %zu problem%s; nothing was started\n",
                 faults.size(), faults.size() == 1 ? "" : "s");
}

void start_log(const config::Config& config) {
    const LogLevel level = config.log_level == "debug"     ? LogLevel::debug
                           : config.log_level == "warning" ? LogLevel::warning
                           : config.log_level == "error"   ? LogLevel::error
                                                           : LogLevel::info;
    configure_log(level, config.log_target == "journal" ? LogTarget::journal : LogTarget::standard_error,
                  config.log_format == "json" ? LogFormat::json : LogFormat::text);
}

// Thousands of slow vendors are thousands of sockets.
void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// A dump would hold customer data, the vault's key and tokens; a limit of 0 alone does not hold back the
// handlers to which core_pattern may pipe it (core(5)).
void allow_core_dumps(bool allowed) { prctl(PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0); }

LogLevel level_of(std::uint32_t level) {
    return level == LIAISON_LOG_DEBUG     ? LogLevel::debug
           : level == LIAISON_LOG_INFO    ? LogLevel::info
           : level == LIAISON_LOG_WARNING ? LogLevel::warning
                                          : LogLevel::error;
}

class Daemon {
  public:
    Daemon(Options options, Loaded loaded, HandedSockets handed)
        : options_(std::move(options)),
          handed_(handed),
          config_(std::move(loaded.config)),
          catalog_(std::move(loaded.catalog)),
          started_(clock_.now()) {}

    int run() {
        auto store = open_store();
        if (!store) return refuse(store.error(), exit_state);
        store_ = std::move(*store);
        plugin_watch_ = std::make_unique<PluginWatch>(*store_);
        store_->on_commit = [this](std::chrono::nanoseconds took) { figures_.committed(took); };
        store_->on_disk_failure = [](const Error& error) {
            // What a failed sync left behind cannot be known from here; a restart reads what is really there.
            log(LogLevel::error, error.message + "; stopping at once");
            std::_Exit(exit_disk);
        };
        auto reader = store::Database::open(config_.state_dir + "/liaison.db", store::Access::read);
        if (!reader) return refuse(reader.error(), exit_config);
        auto secrets = open_vault(config_, **reader, random_);
        if (!secrets) return refuse(secrets.error(), exit_config);
        secrets_ = std::move(*secrets);
        const Status access = open_access(**reader);
        if (!access) return refuse(access.error(), exit_state);
        const Status known = plugin_watch_->load(**reader);
        if (!known) return refuse(known.error(), exit_state);
        reader->reset();
        build();
        engine_->configure(take_links());
        engine_->start([this](Status status) {
            if (!status) return end(refuse(status.error(), exit_state));
            // Only now: nobody shall see a run as running that a crash has ended.
            configure_upkeep();
            upkeep_->start([](const Status& begun) {
                if (!begun) log(LogLevel::error, "no backups are made: " + begun.error().message);
            });
            const Status listening = front_->listen(config_, handed_);
            if (!listening) return end(refuse(listening.error(), exit_config));
            LIAISON_FAULT_POINT("daemon.listening");
            report_ready();
        });
        wait_for_signals();
        io_.run();
        LIAISON_FAULT_POINT("daemon.stopped");
        front_->close();
        store_.reset();  // joins its threads, which may still be at work on what the engine's frames hold
        return exit_code_;
    }

  private:
    store::SqliteStore::Post poster() {
        return [this](std::function<void()> call) { asio::post(io_, std::move(call)); };
    }

    Result<std::unique_ptr<store::SqliteStore>> open_store() {
        const LongStart patience;
        return store::SqliteStore::open(config_.state_dir + "/liaison.db",
                                        config_.durability == config::Durability::full
                                            ? store::Durability::full
                                            : store::Durability::normal,
                                        poster());
    }

    // Tokens, from where people sign in, and the key of the audit log's chain.
    Status open_access(store::Database& reader) {
        auto rows = reader.tokens();
        if (!rows) return fail(rows.error());
        tokens_.load(std::move(*rows));
        const auto places = reader.states(access::Throttle::state_kind);
        if (!places) return fail(places.error());
        const std::string name(api::audit_key);
        if (!secrets_->contains(name)) make_audit_key(name);
        const auto key = secrets_->find(name);
        auto old = throttle_.load(key ? *key : Secret(), *places, clock_.now());
        if (old.empty()) return {};
        store_->write([old = std::move(old)](store::Database& database) { return api::keep(database, old); },
                      [](const Status&) {});
        return {};
    }

    void make_audit_key(const std::string& name) {
        std::string key(32, '\0');
        random_.fill({reinterpret_cast<std::uint8_t*>(key.data()), key.size()});
        std::string sealed = secrets_->seal(name, Secret(std::move(key)));
        const auto work = [name, sealed, now = clock_.now()](store::Database& database) {
            return database.save_sealed(name, sealed, now);
        };
        store_->write(work, [](Status saved) {
            if (!saved)
                log(LogLevel::error, "the audit log's key could not be kept: " + saved.error().message);
        });
        secrets_->keep(name, std::move(sealed));
    }

    void build() {
        const auto sink = [](const plugin::LogLine& line) {
            log(level_of(line.level), line.text,
                {{"plugin", line.plugin}, {"integration", line.integration}});
        };
        plugin::WorkerOptions workers;
        workers.worker_path = config_.worker;
        workers.sandbox = connectors::sandbox_of(config_);
        workers_ = std::make_unique<plugin::WorkerRuntime>(io_, workers, sink);
        in_process_ = std::make_unique<plugin::InProcessRuntime>(poster(), sink);
        runtime_ = std::make_unique<plugin::RuntimeRouter>(*in_process_, *workers_);
        network_ = std::make_unique<http::CurlTransport>(io_);
        files_ = std::make_unique<http::FileTransport>(poster());
        transport_ = std::make_unique<http::SchemeRouter>(*network_, *files_);
        const sync::Ports ports{clock_,  zones_,    random_,   timers_, *transport_,
                                *store_, *runtime_, *secrets_, figures_};
        engine_ = std::make_unique<sync::Engine>(ports, sync::CanonicalSchemas::embedded());
        intake_ = std::make_unique<webhooks::Intake>(
            *store_, clock_, random_,
            [this](std::function<void()> call) { asio::post(front_io_, std::move(call)); },
            [this](const std::string& integration) { engine_->events_arrived(integration); });
        directory_ = std::make_unique<webhooks::Directory>(
            *secrets_, [this](auto endpoints) { intake_->set_endpoints(std::move(endpoints)); });
        premises_ = std::make_unique<Premises>(io_, config_.state_dir);
        upkeep_ = std::make_unique<sync::Upkeep>(ports, engine_->alerts(), *premises_);
        api_ = std::make_unique<api::Api>(api::Backend{
            *engine_,
            *store_,
            *secrets_,
            timers_,
            clock_,
            random_,
            tokens_,
            sessions_,
            throttle_,
            [this] { return about(); },
            [this] { return connectors::plugins_json(catalog_); },
            [this] { return reload(); },
            [this] { return settle_times_; },
            config::Managed(options_.config),
            [this](const std::string& id, const json::object* content) { return configure(id, content); },
            [this](std::function<void()> work, std::function<void()> then) {
                asio::post(side_, [this, work = std::move(work), then = std::move(then)]() mutable {
                    work();
                    asio::post(io_, std::move(then));
                });
            },
            [this](const store::Backlog& backlog) { return figures(backlog); },
            [this](const std::string& to, Completion<Result<store::Backup>> done) {
                back_up(to, std::move(done));
            },
            [this](const std::string& name) { return accept_plugin(name); },
            [this](const std::string& plugin) { return release_plugin(plugin); }});
        api::add_webhook_routes(api_->router(), api_->backend(), *directory_);
        front_ = std::make_unique<Front>(
            front_io_, io_, policy_of(config_),
            [this](web::Request request, web::Reply reply) {
                api_->handle(std::move(request), std::move(reply));
            },
            *intake_);
    }

    std::size_t release_plugin(const std::string& plugin) {
        const std::size_t released = workers_->release(plugin);
        if (released > 0) engine_->plugin_released();
        return released;
    }

    void configure_upkeep() {
        premises_->use_certificate(config_.http.certificate);
        plugin_watch_->look(catalog_, clock_.now());
        tell_of_plugins();
        upkeep_->configure(config_.upkeep);
    }

    void tell_of_plugins() {
        std::vector<sync::Premises::Suspect> changed;
        for (const auto& one : plugin_watch_->changed()) changed.push_back({one.path, one.text});
        premises_->suspect(std::move(changed));
    }

    Status accept_plugin(const std::string& name) {
        const Status accepted = plugin_watch_->accept(catalog_, name, clock_.now());
        tell_of_plugins();
        upkeep_->look_again();
        return accepted;
    }

    // A file of its own, or one more of those that are made every day.
    void back_up(const std::string& to, Completion<Result<store::Backup>> done) {
        if (to.empty() && !config_.upkeep.backup.to.empty())
            return premises_->back_up(config_.upkeep.backup, clock_.now(), std::move(done));
        premises_->back_up_to(to, clock_.now(), std::move(done));
    }

    void report_ready() {
        for (const std::string& problem : problems()) log(LogLevel::warning, problem);
        for (const std::string& id : inside_) {
            log(LogLevel::warning,
                "the connector runs inside the daemon (isolation: none): a fault of the plugin is a "
                "fault of the daemon",
                {{"integration", id}});
        }
        log(LogLevel::info, LogEvent::ready, "liaisond " LIAISON_VERSION " is ready",
            {{"integrations", std::to_string(integrations_)},
             {"socket", config_.socket},
             {"state_dir", config_.state_dir}});
        if (front_->port() != 0)
            log(LogLevel::info, "the API listens", {{"port", std::to_string(front_->port())}});
        if (front_->webhooks_port() != 0)
            log(LogLevel::info, "webhooks come in", {{"port", std::to_string(front_->webhooks_port())}});
        note_token_uses();
        supervision::report_ready(status());
        const Milliseconds every = supervision::alive_every();
        if (every.count() > 0) prove_alive(every);
    }

    // What `systemctl status` shows.
    std::string status() const {
        const auto counted = [](std::size_t count, std::string what) {
            return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
        };
        return counted(integrations_, "integration") + ", " + counted(engine_->running(), "run") +
               " at work" +
               (is_outdated_ ? "; the configuration is wrong and was not reloaded, see the journal" : "");
    }

    // The watchdog is fed only after the store's writer, the web server's loop and the core's, on which all
    // transfers are made, have turned. The thread for drop folders is left out: it may wait for a slow share.
    void prove_alive(Milliseconds every) {
        const auto fed = [this, every] {
            supervision::report_alive(status());
            timers_.after(every, [this, every] { prove_alive(every); });
        };
        store_->write([](store::Database&) { return Status(); },
                      [this, fed](Status) { asio::post(front_io_, [this, fed] { asio::post(io_, fed); }); });
    }

    // Once a minute, whoever was used in it.
    void note_token_uses() {
        auto uses = tokens_.take_uses();
        if (!uses.empty())
            store_->write([uses = std::move(uses)](
                              store::Database& database) { return database.note_token_uses(uses); },
                          [](Status) {});
        timers_.after(token_use_every, [this] { note_token_uses(); });
    }

    void wait_for_signals() {
        signals_.async_wait([this](boost::system::error_code error, int signal) {
            if (error) return;
            if (signal == SIGHUP)
                on_hangup();
            else
                on_stop(signal);
            wait_for_signals();
        });
    }

    void on_hangup() {
        supervision::report_reloading();
        const std::vector<std::string> faults = reload();
        for (const std::string& fault : faults) log(LogLevel::error, "reload: " + fault);
        supervision::report_ready(status());
    }

    void on_stop(int signal) {
        if (stopping_) return end(exit_fine);  // asked twice: at once
        stopping_ = true;
        supervision::report_stopping("stops; runs come to a point where nothing is half done");
        log(LogLevel::info, LogEvent::stopping, "stopping",
            {{"signal", std::to_string(signal)}, {"runs", std::to_string(engine_->running())}});
        LIAISON_FAULT_POINT("daemon.stopping");
        upkeep_->stop();
        engine_->stop(stop_grace, [this] { end(exit_fine); });
    }

    void end(int code) {
        exit_code_ = code;
        io_.stop();
    }

    std::vector<std::shared_ptr<const sync::Link>> take_links() {
        integrations_ = config_.integrations.size();
        inside_.clear();
        settle_times_.clear();
        fingerprints_.clear();
        std::map<std::string, std::string, std::less<>> tenant_of;
        for (const auto& [id, integration] : config_.integrations) {
            tenant_of[id] = integration.tenant;
            fingerprints_[id] = integration.fingerprint;
            settle_times_[id] = integration.settle;
            if (integration.isolation == config::Isolation::none) inside_.push_back(id);
        }
        log_tenants(std::move(tenant_of));
        directory_->configure(config_);
        auto links =
            make_links(config_, catalog_, *secrets_);  // which take the integrations out of the configuration
        ::malloc_trim(0);                              // reading YAML leaves many times its size behind
        return links;
    }

    // Every fault, or nothing when the new configuration is in force.
    std::vector<std::string> reload() {
        LIAISON_FAULT_POINT("daemon.reload");
        std::vector<config::Fault> faults;
        Loaded loaded = load(config::config_files(options_.config), faults);
        std::vector<std::string> texts;
        for (const config::Fault& fault : faults) texts.push_back(fault.text());
        if (loaded.config.state_dir != config_.state_dir || loaded.config.socket != config_.socket ||
            loaded.config.http.listen != config_.http.listen ||
            loaded.config.http.webhooks_listen != config_.http.webhooks_listen ||
            loaded.config.worker_memory != config_.worker_memory ||
            loaded.config.degraded_sandbox != config_.degraded_sandbox) {
            texts.push_back(
                "daemon.state_dir, daemon.socket, daemon.listen, daemon.webhooks_listen, daemon.sandbox and "
                "daemon.worker_memory cannot change while the daemon runs; restart it");
        }
        if (texts.empty()) {
            if (const Status taken = front_->reload(loaded.config); !taken)
                texts.push_back(taken.error().message);
        }
        is_outdated_ = !texts.empty();
        if (is_outdated_) {
            log(LogLevel::error, LogEvent::reload_refused,
                "the configuration was not reloaded; the old one stays in force",
                {{"problems", std::to_string(texts.size())}});
            return texts;
        }
        const Fingerprints before = std::move(fingerprints_);
        catalog_ = std::move(loaded.catalog);
        config_ = std::move(loaded.config);
        engine_->configure(take_links());
        configure_upkeep();
        LIAISON_FAULT_POINT("daemon.reloaded");
        log(LogLevel::info, LogEvent::reloaded, reload_text(before, fingerprints_),
            {{"integrations", std::to_string(integrations_)}});
        return {};
    }

    // Checked as a whole before any file is changed.
    Result<std::vector<config::Fault>> configure(const std::string& id, const json::object* content) {
        const config::Managed& managed = api_->backend().configuration;
        auto files = managed.stage(id, content);
        if (!files) return fail(files.error());
        std::vector<config::Fault> faults;
        (void)load(*files, faults);
        if (!faults.empty()) {
            managed.discard(id);
            return faults;
        }
        if (const Status done = managed.commit(id, content == nullptr); !done) return fail(done.error());
        const std::vector<std::string> texts = reload();
        if (texts.empty()) return faults;
        return fail(ErrorKind::transient, "it is written, and not yet in force: " + texts.front());
    }

    std::vector<std::string> problems() const {
        std::vector<std::string> all = catalog_.warnings();
        for (const plugin::PluginInfo& plugin : catalog_.plugins()) {
            if (!plugin.usable()) all.push_back(plugin.error);
            for (const std::string& warning : plugin.warnings) all.push_back(warning);
        }
        for (std::string& problem : directory_->problems()) all.push_back(std::move(problem));
        return all;
    }

    json::object about() const {
        json::array workers;
        for (const plugin::WorkerInfo& worker : workers_->workers()) {
            workers.push_back({{"plugin", worker.plugin},
                               {"key", worker.key},
                               {"pid", worker.pid},
                               {"jobs", worker.jobs},
                               {"restarts", worker.restarts},
                               {"state", plugin::to_string(worker.state)},
                               {"last_problem", worker.last_problem}});
        }
        json::array problems;
        for (const std::string& problem : this->problems()) problems.emplace_back(problem);
        for (const sync::Finding& finding : engine_->alerts().of_the_house())
            problems.emplace_back(finding.text);
        return {{"version", LIAISON_VERSION},
                {"pid", ::getpid()},
                {"started_at", format_instant(started_)},
                {"state_dir", config_.state_dir},
                {"commits", store_->commits()},
                {"workers", std::move(workers)},
                {"problems", std::move(problems)}};
    }

    std::string figures(const store::Backlog& backlog) {
        api::Figures::Now now;
        now.integrations = engine_->status();
        now.backlog = backlog;
        for (const plugin::WorkerInfo& worker : workers_->workers())
            now.worker_restarts[worker.plugin] += worker.restarts;
        for (const auto& [id, entry] : directory_->entries())
            now.webhooks[id] = {entry.counters->received, entry.counters->duplicates,
                                entry.counters->refused};
        now.started = started_;
        return figures_.text(now);
    }

    static int refuse(const Error& error, int code) {
        log(LogLevel::error, error.message);
        return error.code == "not_writable" ? exit_state : code;
    }

    // In order of construction; taken down from the bottom. The loops go last: whoever posts to them is gone
    // by then, and the server's behind the core's, where replies may be left that belong to it.
    asio::io_context front_io_{1}, io_{1};
    Options options_;
    HandedSockets handed_;
    config::Config config_;  // its integrations have become links
    std::size_t integrations_ = 0;
    Fingerprints fingerprints_;        // of the integrations in force
    std::vector<std::string> inside_;  // integrations whose plugins run in this process
    plugin::Catalog catalog_;
    SystemClock clock_;
    SystemTimeZones zones_;
    SystemRandom random_;
    AsioTimers timers_{io_};
    Instant started_;
    asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
    api::Figures figures_{LIAISON_VERSION};
    std::unique_ptr<store::SqliteStore> store_;
    std::unique_ptr<auth::Secrets> secrets_;
    access::Tokens tokens_;
    access::Sessions sessions_;
    access::Throttle throttle_;
    std::unique_ptr<plugin::WorkerRuntime> workers_;
    std::unique_ptr<plugin::InProcessRuntime> in_process_;
    std::unique_ptr<plugin::RuntimeRouter> runtime_;
    std::unique_ptr<http::CurlTransport> network_;
    std::unique_ptr<http::FileTransport> files_;
    std::unique_ptr<http::SchemeRouter> transport_;
    std::unique_ptr<sync::Engine> engine_;
    std::unique_ptr<webhooks::Intake> intake_;
    std::unique_ptr<webhooks::Directory> directory_;
    std::unique_ptr<PluginWatch> plugin_watch_;
    std::unique_ptr<Premises> premises_;
    std::unique_ptr<sync::Upkeep> upkeep_;
    std::unique_ptr<api::Api> api_;
    std::unique_ptr<Front> front_;
    asio::thread_pool side_{2};  // for what takes long, such as checking passwords: two at once
    std::map<std::string, Milliseconds> settle_times_;  // by integration
    bool stopping_ = false;
    bool is_outdated_ = false;  // what stands in the files is wrong, and an older configuration in force
    int exit_code_ = exit_fine;
};

}  // namespace

int check_configuration(const Options& options) {
    std::vector<config::Fault> faults;
    const Loaded loaded = load(config::config_files(options.config), faults);
    if (faults.empty()) return exit_fine;
    complain(faults);
    return exit_config;
}

int run_daemon(const Options& options) {
    mallopt(M_ARENA_MAX, 2);  // few threads: more arenas only hold memory
    std::signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    allow_core_dumps(false);  // until the configuration says otherwise
    const char* const wanted = std::getenv("LIAISON_FAULT");
    const Result<bool> armed = arm_fault_points(wanted == nullptr ? "" : wanted);
    if (!armed) {
        std::fprintf(stderr, "%s\n", armed.error().message.c_str());
        return exit_config;
    }
    const Result<HandedSockets> handed = handed_sockets();
    if (!handed) {
        std::fprintf(stderr, "liaisond: %s\n", handed.error().message.c_str());
        return exit_config;
    }
    std::vector<config::Fault> faults;
    Loaded loaded = load(config::config_files(options.config), faults);
    if (!faults.empty()) {
        complain(faults);
        return exit_config;
    }
    allow_core_dumps(loaded.config.core_dumps);
    start_log(loaded.config);
    if (*armed)
        log(LogLevel::warning, "fault points are armed, this daemon will fail: " + std::string(wanted));
    LIAISON_FAULT_POINT("daemon.loaded");
    store::StateLock lock;
    if (auto held = lock.acquire(loaded.config.state_dir); !held) {
        log(LogLevel::error, held.error().message);
        return held.error().kind == ErrorKind::conflict ? exit_busy : exit_state;
    }
    LIAISON_FAULT_POINT("daemon.locked");
    return Daemon(options, std::move(loaded), *handed).run();
}

}  // namespace liaisond::app
