#include "sync/alerts.hpp"

#include "base/log.hpp"

namespace liaisond::sync {

std::set<std::string> Alerts::restore(const std::vector<store::Alert>& open) {
    std::set<std::string> integrations;
    for (const store::Alert& alert : open) {
        raised_[alert.integration][{alert.kind, alert.subject}] = {alert.severity, alert.text};
        integrations.insert(alert.integration);
    }
    return integrations;
}

void Alerts::found(const std::string& tenant, const std::string& integration,
                   const std::vector<Finding>& findings, Instant now, bool is_event) {
    if (integration.empty()) of_the_house_ = findings;
    const auto before = raised_.find(integration);
    if (findings.empty() && before == raised_.end()) return;  // as nearly always
    const Known known = before == raised_.end() ? Known() : before->second;
    Known present;
    std::vector<store::Alert> raise;
    for (const Finding& finding : findings) {
        const Key key{finding.kind, finding.subject};
        present[key] = {finding.severity, finding.text};
        const auto same = known.find(key);
        const bool is_new = same == known.end();
        if (is_new)
            log(finding.severity == store::Severity::critical ? LogLevel::error : LogLevel::warning,
                LogEvent::alert_raised, finding.text,
                {{"integration", integration}, {"alert", finding.kind}});
        if (!is_new && !is_event && same->second == present[key]) continue;
        store::Alert& alert = raise.emplace_back();
        alert.tenant = tenant;
        alert.integration = integration;
        alert.kind = finding.kind;
        alert.subject = finding.subject;
        alert.severity = finding.severity;
        alert.text = finding.text;
        alert.last = now;
    }
    std::vector<Key> lower;
    for (const auto& [key, as_known] : known) {
        if (present.contains(key)) continue;
        lower.push_back(key);
        log(LogLevel::info, LogEvent::alert_ended,
            "no longer: " + key.first + (key.second.empty() ? "" : " " + key.second),
            {{"integration", integration}, {"alert", key.first}});
    }
    if (present.empty())
        raised_.erase(integration);
    else
        raised_[integration] = std::move(present);
    if (!raise.empty() || !lower.empty()) write(integration, std::move(raise), std::move(lower), now);
}

void Alerts::write(const std::string& integration, std::vector<store::Alert> raise, std::vector<Key> lower,
                   Instant now) {
    std::vector<Key> raised;
    for (const store::Alert& alert : raise) raised.emplace_back(alert.kind, alert.subject);
    const auto work = [integration, raise = std::move(raise), lower,
                       now](store::Database& database) -> Status {
        for (const store::Alert& alert : raise) {
            const Status raised = database.raise_alert(alert);
            if (!raised) return raised;
        }
        for (const auto& [kind, subject] : lower) {
            const Status lowered = database.lower_alert(integration, kind, subject, now);
            if (!lowered) return lowered;
        }
        return {};
    };
    ports_.store.write(work, [this, integration, lower, raised](const Status& written) {
        if (written) return;
        log(LogLevel::error, "alerts could not be stored: " + written.error().message,
            {{"integration", integration}});
        // The next look finds it as it was before this one.
        Known& known = raised_[integration];
        for (const Key& key : lower) known[key];
        for (const Key& key : raised) known.erase(key);
        if (known.empty()) raised_.erase(integration);
    });
}

}  // namespace liaisond::sync
