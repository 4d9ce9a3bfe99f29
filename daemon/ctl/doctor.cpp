#include "ctl/doctor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/stat.h>
#include <boost/json/array.hpp>

#include "ctl/format.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

constexpr unsigned may_read = 4, may_enter = 1, may_write = 2;
constexpr std::uint64_t mebibyte = 1u << 20, gibibyte = 1u << 30;
constexpr std::uint64_t little_space = gibibyte, no_space = 256 * mebibyte;
constexpr std::uint64_t few_files = 10'000;
constexpr std::uint64_t files_of_daemon = 256, files_per_integration = 4;
constexpr Milliseconds tolerated_skew{60'000};
constexpr std::chrono::days soon{30}, very_soon{14}, now_or_never{3};
constexpr std::chrono::seconds being_written{60};

std::string octal(mode_t mode) {
    std::string text = "0000";
    for (std::size_t i = 0; i < 4; ++i) text[i] = static_cast<char>('0' + (mode >> (9 - 3 * i) & 7));
    return text;
}

Finding failed(std::string check, const fs::path& path, std::string found, std::string advice) {
    return {std::move(check), Verdict::failed, path.string(), std::move(found), std::move(advice)};
}

Finding fine(std::string check, std::string looked_at, std::string found) {
    return {std::move(check), Verdict::fine, std::move(looked_at), std::move(found), {}};
}

// Of a file that cannot even be looked at.
Finding unseen(std::string check, const FileFacts& file, std::string advice) {
    const Verdict verdict = file.error == EACCES ? Verdict::skipped : Verdict::failed;
    if (file.error == EACCES) advice = "run liaisonctl doctor as root, or as the user that runs liaisond";
    return {std::move(check), verdict, file.path.string(), std::strerror(file.error), std::move(advice)};
}

std::string days_until(Instant at, Instant now) {
    const auto days = std::chrono::duration_cast<std::chrono::days>(at - now).count();
    return days < 1 ? format_until(at, now) : "in " + format_count(days, "day");
}

// fine, warning or failed, by how long a certificate is still good.
Verdict verdict_of(Instant expiry, Instant now) {
    if (expiry - now < now_or_never) return Verdict::failed;
    return expiry - now < soon ? Verdict::warning : Verdict::fine;
}

std::string life_of(Instant expiry, Instant now) {
    if (expiry <= now) return "expired on " + format_local(expiry);
    return "expires " + days_until(expiry, now) + ", on " + format_local(expiry);
}

std::string host_in(const std::string& origin) {
    const std::string host_and_port = origin.substr(origin.find("//") + 2);
    return host_and_port.substr(0, host_and_port.rfind(':'));
}

}  // namespace

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::fine: return "fine";
        case Verdict::skipped: return "skipped";
        case Verdict::warning: return "warning";
        case Verdict::failed: return "failed";
    }
    return "failed";
}

bool may(const Account& account, const FileFacts& file, unsigned bits) {
    if (account.user == 0) return true;
    const bool in_group =
        std::find(account.groups.begin(), account.groups.end(), file.group) != account.groups.end();
    const unsigned shift = account.user == file.user ? 6 : in_group ? 3 : 0;
    return (file.mode >> shift & bits) == bits;
}

Finding judge_state_dir(const FileFacts& folder, const Account& daemon) {
    const std::string check = "state directory", path = folder.path.string();
    if (folder.error != 0)
        return unseen(
            check, folder,
            "systemd makes it when liaisond starts; else: install -d -m 0700 -o " + daemon.name + " " + path);
    if (!S_ISDIR(folder.mode))
        return failed(check, path, "it is not a folder", "move it away, or set daemon.state_dir");
    if (!may(daemon, folder, may_read | may_write | may_enter))
        return failed(check, path, "mode " + octal(folder.mode) + " does not let " + daemon.name + " in",
                      "chown " + daemon.name + " " + path + " && chmod 0700 " + path);
    if ((folder.mode & 007) != 0)
        return {check, Verdict::warning, path,
                "mode " + octal(folder.mode) + ": everybody on this machine may look at customer data",
                "chmod 0700 " + path};
    return fine(check, path, "mode " + octal(folder.mode) + ", of " + daemon.name);
}

Finding judge_secret_file(std::string check, const FileFacts& file, const Account& daemon) {
    const std::string path = file.path.string();
    if (file.error != 0)
        return unseen(std::move(check), file, "put it back from where it was kept, or correct its path");
    if (!S_ISREG(file.mode))
        return failed(std::move(check), path, "it is not a file", "correct its path in the configuration");
    if ((file.mode & 077) != 0)
        return failed(std::move(check), path,
                      "mode " + octal(file.mode) + ": others may read it, so liaisond refuses it",
                      "chmod 0600 " + path + "; if others did use this machine, change the secret too");
    if (!may(daemon, file, may_read))
        return failed(std::move(check), path,
                      "mode " + octal(file.mode) + " of its owner does not let " + daemon.name + " read it",
                      "chown " + daemon.name + " " + path);
    return fine(std::move(check), path, "mode " + octal(file.mode));
}

Finding judge_folder(std::string check, const FileFacts& folder, const Account& daemon) {
    const std::string path = folder.path.string();
    const std::string advice = "install -d -m 0750 -o " + daemon.name + " " + path;
    if (folder.error != 0) return unseen(std::move(check), folder, advice);
    if (!S_ISDIR(folder.mode) || !may(daemon, folder, may_write | may_enter))
        return failed(
            std::move(check), path,
            "mode " + octal(folder.mode) + " of its owner does not let " + daemon.name + " write in it",
            advice);
    return fine(std::move(check), path, daemon.name + " may write in it");
}

Finding judge_space(const std::string& path, const SpaceFacts& space) {
    const std::string found = format_bytes(static_cast<std::int64_t>(space.free_bytes)) + " of " +
                              format_bytes(static_cast<std::int64_t>(space.all_bytes)) + " free";
    const std::string advice = "make room on that disk; without any, nothing more is synced";
    if (space.free_bytes < no_space) return failed("disk space", path, found, advice);
    if (space.all_files != 0 && space.free_files < few_files)
        return failed("disk space", path,
                      format_count(static_cast<std::int64_t>(space.free_files), "more file") + " at most",
                      "remove small files on that disk; it has no inodes left");
    if (space.free_bytes < little_space) return {"disk space", Verdict::warning, path, found, advice};
    return fine("disk space", path, found);
}

Finding judge_schema(const std::string& path, std::int64_t version, std::int64_t known) {
    const std::string found = "whole; schema " + std::to_string(version);
    if (version > known)
        return failed("database", path, found + ", this liaison knows " + std::to_string(known),
                      "a newer liaison wrote it: install that version again");
    if (version < known)
        return fine("database", path, found + ", brought to " + std::to_string(known) + " at the next start");
    return fine("database", path, found);
}

Finding judge_file_limit(const std::string& whose, std::uint64_t limit, std::size_t integrations) {
    const std::string found = format_number(static_cast<std::int64_t>(limit)) + " open files at most";
    if (limit >= files_of_daemon + files_per_integration * integrations)
        return fine("file descriptors", whose, found);
    return {"file descriptors", Verdict::warning, whose,
            found + ", for " + format_count(static_cast<std::int64_t>(integrations), "integration"),
            "LimitNOFILE=65536 in the unit of liaisond, or ulimit -Hn"};
}

Finding judge_synchronised(bool is_synchronised) {
    if (is_synchronised) return fine("clock service", "the kernel", "the clock is synchronised");
    return {
        "clock service", Verdict::warning, "the kernel", "nothing synchronises the clock",
        "install systemd-timesyncd or chrony (timedatectl set-ntp true): signatures and tokens of vendors "
        "depend on the time"};
}

Finding judge_sandbox(const plugin::KernelFeatures& kernel, bool degraded) {
    constexpr int with_network = 4, with_everything = 6;
    const std::string landlock = "Landlock ABI " + std::to_string(kernel.landlock);
    if (!plugin::has_sandbox)
        return {"sandbox", Verdict::warning, "liaison-worker", "this build has no sandbox around plugins",
                "install a build without sanitizers and with LIAISON_SANDBOX=ON"};
    if (!kernel.seccomp)
        return {"sandbox", Verdict::failed, "the kernel", "seccomp filters are missing",
                plugin::seccomp_advice()};
    if (kernel.landlock == 0)
        return {"sandbox", degraded ? Verdict::warning : Verdict::failed, "the kernel",
                "seccomp filters, but no Landlock", plugin::landlock_advice()};
    if (kernel.landlock >= with_everything)
        return fine("sandbox", "the kernel", "seccomp filters and " + landlock);
    return fine("sandbox", "the kernel",
                "seccomp filters and " + landlock +
                    (kernel.landlock < with_network
                         ? ", which knows files alone: the filters keep plugins from the network"
                         : ", which knows files and TCP: the filters do the rest"));
}

Finding judge_skew(const std::vector<std::pair<std::string, http::ProbeAnswer>>& answers) {
    const std::string* worst = nullptr;
    Milliseconds skew{0};
    for (const auto& [origin, answer] : answers) {
        if (!answer.date) continue;
        // Date is cut to whole seconds and as old as the answer's way: half a second and half the time.
        const Milliseconds one = answer.at - *answer.date - Milliseconds(500) - answer.duration / 2;
        if (worst != nullptr && std::chrono::abs(one) <= std::chrono::abs(skew)) continue;
        worst = &origin;
        skew = one;
    }
    if (worst == nullptr) return {"clock", Verdict::skipped, "", "no host told its time", {}};
    const std::string found = format_span(std::chrono::abs(skew)) +
                              (skew.count() >= 0 ? " ahead of " : " behind ") + host_in(*worst);
    if (std::chrono::abs(skew) > tolerated_skew)
        return failed("clock", *worst, "this machine is " + found,
                      "set the clock and keep it synchronised: timedatectl set-ntp true");
    return fine("clock", *worst, "this machine is " + found);
}

Finding judge_host(const std::string& origin, const http::ProbeAnswer& answer, Instant now) {
    using Reached = http::ProbeAnswer::Reached;
    const std::string host = host_in(origin);
    switch (answer.reached) {
        case Reached::nothing:
            return failed("vendor", origin, "no address: " + answer.error,
                          "check the name, and DNS: resolvectl query " + host);
        case Reached::name:
            return failed("vendor", origin, "no connection: " + answer.error,
                          "check the network, the firewall, and the port in its settings");
        case Reached::connection:
            return failed(
                "vendor", origin,
                (answer.is_distrusted ? "its certificate is not accepted: " : "no answer: ") + answer.error,
                answer.is_distrusted ? "tls.ca_file of the integration for a certificate of its own; "
                                       "else tell the vendor, or install ca-certificates"
                                     : "check whether it is http or https, and for proxies between");
        case Reached::answer: break;
    }
    const std::string found = "answers " + std::to_string(answer.status);
    if (!answer.expiry) return fine("vendor", origin, found);
    const std::string life = found + "; its certificate " + life_of(*answer.expiry, now);
    if (*answer.expiry - now < very_soon)
        return {"vendor", Verdict::warning, origin, life, "tell the vendor, unless it renews by itself"};
    return fine("vendor", origin, life);
}

Finding judge_certificate(const CertificateFacts& certificate, Instant now) {
    const std::string check = "certificate";
    if (!certificate.error.empty())
        return failed(check, certificate.path, certificate.error,
                      "correct daemon.tls, then: liaisonctl reload");
    if (!certificate.matches_key)
        return failed(check, certificate.path, "it does not belong to daemon.tls.key",
                      "name the key that the certificate was made for, then: liaisonctl reload");
    const Verdict verdict = verdict_of(certificate.expiry, now);
    const bool is_pressing = certificate.expiry - now < very_soon;
    return {check, verdict, certificate.path, life_of(certificate.expiry, now),
            verdict == Verdict::fine ? ""
            : is_pressing            ? "renew it at once, then: liaisonctl reload"
                                     : "renew it, then: liaisonctl reload"};
}

Finding judge_leftovers(const std::vector<std::pair<fs::path, std::chrono::seconds>>& files) {
    std::string old;
    std::int64_t count = 0;
    for (const auto& [path, age] : files) {
        if (age < being_written) continue;
        old += " " + path.string();
        ++count;
    }
    if (count == 0) return fine("leftovers", "", "none");
    return {"leftovers", Verdict::warning, old.substr(1),
            format_count(count, "file") + " that a crash left half written; liaisond does not read them",
            "rm" + old};
}

bool is_healthy(const std::vector<Finding>& findings) {
    return std::none_of(findings.begin(), findings.end(),
                        [](const Finding& one) { return one.verdict == Verdict::failed; });
}

std::string doctor_text(const std::vector<Finding>& findings, const Look& look) {
    const auto tone = [](Verdict verdict) {
        return verdict == Verdict::fine      ? Tone::good
               : verdict == Verdict::skipped ? Tone::faint
               : verdict == Verdict::warning ? Tone::warning
                                             : Tone::bad;
    };
    std::string text;
    std::int64_t failures = 0, warnings = 0;
    for (const Finding& one : findings) {
        failures += one.verdict == Verdict::failed ? 1 : 0;
        warnings += one.verdict == Verdict::warning ? 1 : 0;
        std::string word(to_string(one.verdict));
        word.resize(9, ' ');
        text += toned(word, tone(one.verdict), look) + one_line(one.check) +
                (one.looked_at.empty() ? "" : " " + one_line(one.looked_at)) + ": " + one_line(one.found) +
                "\n";
        if (!one.advice.empty()) text += "         -> " + one_line(one.advice) + "\n";
    }
    text += "\n" + format_count(static_cast<std::int64_t>(findings.size()), "check") + ": " +
            (failures == 0 ? toned("nothing failed", Tone::good, look)
                           : toned(format_number(failures) + " failed", Tone::bad, look));
    return text + (warnings == 0 ? "" : ", " + format_count(warnings, "warning")) + "\n";
}

json::object doctor_json(const std::vector<Finding>& findings) {
    json::array items;
    for (const Finding& one : findings) {
        items.push_back(json::object{{"check", one.check},
                                     {"verdict", to_string(one.verdict)},
                                     {"looked_at", one.looked_at},
                                     {"found", one.found},
                                     {"advice", one.advice}});
    }
    return {{"ok", is_healthy(findings)}, {"items", std::move(items)}};
}

}  // namespace liaisond::ctl
