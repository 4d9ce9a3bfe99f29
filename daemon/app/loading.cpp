#include "app/loading.hpp"

#include <cstdlib>

#include "base/system.hpp"
#include "connectors/connectors.hpp"
#include "plugin/sandbox.hpp"

namespace liaisond::app {
namespace fs = std::filesystem;
namespace {

// What the kernel lacks for the sandbox that the configuration wants, as a sentence; empty: nothing.
std::string sandbox_problem(const config::Config& config) {
    if (!plugin::has_sandbox) return {};
    const plugin::KernelFeatures kernel = plugin::kernel_features();
    if (!kernel.seccomp) return plugin::seccomp_advice();
    return kernel.landlock == 0 && !config.degraded_sandbox ? plugin::landlock_advice() : "";
}

fs::path vault_key_file(const config::Config& config) {
    if (!config.vault_key.empty()) return config.vault_key;
    const char* const credentials = std::getenv("CREDENTIALS_DIRECTORY");
    const fs::path given = fs::path(credentials == nullptr ? "" : credentials) / "liaison-vault-key";
    std::error_code error;
    if (credentials != nullptr && fs::exists(given, error)) return given;
    return config.state_dir + "/vault.key";
}

}  // namespace

Loaded load(const std::vector<fs::path>& files, std::vector<config::Fault>& faults) {
    const config::Document document = config::Document::load(files, faults);
    Loaded loaded;
    std::vector<config::Fault> ignored;  // found again by the full check
    const config::Config early = config::check_daemon(document, ignored);
    if (const std::string problem = sandbox_problem(early); !problem.empty()) {
        // Each plugin would be refused for the same reason.
        faults.push_back(
            {{files.empty() ? std::string() : files.front().string(), 0, 0}, "daemon.sandbox", problem});
        return loaded;
    }
    plugin::CatalogOptions catalog = connectors::catalog_options(early);
    std::error_code error;
    if (fs::is_directory(early.state_dir, error)) catalog.cache_file = early.state_dir + "/plugins.json";
    loaded.catalog = plugin::Catalog::scan(catalog);
    const connectors::InstalledConnectors connectors(loaded.catalog);
    loaded.config = config::check(document, connectors, SystemTimeZones(), faults);
    loaded.config.worker = catalog.worker_path;
    return loaded;
}

Result<std::unique_ptr<auth::Secrets>> open_vault(const config::Config& config, store::Database& reader,
                                                  Random& random) {
    auto rows = reader.sealed();
    if (!rows) return fail(rows.error());
    auto vault = auth::Vault::open(vault_key_file(config), random, rows->empty());
    if (!vault) return fail(vault.error());
    auto secrets = std::make_unique<auth::Secrets>(std::move(*vault), random);
    auth::Secrets::Sealed sealed;
    for (store::SealedRow& row : *rows) sealed[row.name] = std::move(row.sealed);
    secrets->load(std::move(sealed));
    return secrets;
}

}  // namespace liaisond::app
