// webhook: whatever a system sends by webhook, described by configuration instead of code. It asks for
// nothing and writes nothing: what an event does not tell is not known.
#include <memory>

#include <liaison/kit/changed_time.hpp>
#include <liaison/sdk.hpp>
#include <liaison_manifest.hpp>

#include "settings.hpp"

namespace webhook {
namespace {

using liaison::Context;
using liaison::Record;
using liaison::Result;
using liaison::Start;
using liaison::Task;
using liaison::WebhookEvent;

constexpr std::size_t most_records = 10'000;  // of one event

// What an event says, or what is wrong with it.
struct Reading {
    const EventRule* rule = nullptr;
    std::vector<Record> records;
    bool is_unknown = false;
    std::string type, fault;
};

class WebhookConnector : public liaison::Connector {
  public:
    explicit WebhookConnector(std::string_view config) : settings_(read_settings(config)) {}

    // All records of the batch in one emit: the host puts them into their order.
    Task<std::vector<std::string>> webhook(Context& context, const Start& start) override {
        std::vector<Result> results;
        std::vector<Record> records;
        std::vector<std::uint32_t> origins;  // the event of each record
        std::vector<const EventRule*> rules(start.events.size());
        for (std::uint32_t i = 0; i < start.events.size(); ++i) {
            Reading reading = read(start.events[i]);
            rules[i] = reading.rule;
            results.push_back(first_answer(i, reading));
            for (Record& record : reading.records) {
                records.push_back(std::move(record));
                origins.push_back(i);
            }
            const bool is_last = i + 1 == start.events.size();
            if (records.empty() || (records.size() < batch_size && !is_last)) continue;
            liaison::Emitted emitted = co_await context.emit(std::move(records), std::string());
            for (const liaison::Rejection& rejection : emitted.rejections) {
                // What the host keeps as a dead letter of its own is dealt with.
                const std::uint32_t event = origins.at(rejection.index);
                if (rejection.lost) results[event] = lost(event, *rules[event], rejection.text);
            }
            records.clear();
            origins.clear();
        }
        co_await context.result(std::move(results));
        co_return std::vector<std::string>();
    }

  private:
    static constexpr std::size_t batch_size = 500;

    Reading read(const WebhookEvent& event) const {
        Reading reading;
        Json body;
        try {
            body = Json::parse(event.body);
        } catch (const liaison::JsonError& error) {
            reading.fault = std::string("its body is no JSON: ") + error.what();
            return reading;
        }
        reading.type = type_of(event, body);
        const auto rule = settings_.events.find(reading.type);
        reading.is_unknown = rule == settings_.events.end();
        if (reading.is_unknown) return reading;
        reading.rule = &rule->second;
        try {
            read_records(body, reading);
        } catch (const kit::ValueError& error) { reading.fault = error.what(); }
        if (!reading.fault.empty()) reading.records.clear();
        return reading;
    }
    std::string type_of(const WebhookEvent& event, const Json& body) const {
        if (!settings_.type_header.empty()) return std::string(event.header(settings_.type_header));
        if (!settings_.type_path && !event.type.empty()) return event.type;
        const Json* found = settings_.type_path ? body.at(*settings_.type_path) : body.find("type");
        return found != nullptr ? std::string(found->scalar_text()) : std::string();
    }
    static void read_records(const Json& body, Reading& reading) {
        const Json* found = body.at(reading.rule->records);
        if (found == nullptr || found->is_null()) {
            reading.fault = "there is nothing at the pointer 'records'";
        } else if (!found->is_array()) {
            reading.records.push_back(record_of(*found, *reading.rule));
        } else if (found->items().size() > most_records) {
            reading.fault = "it has more than " + std::to_string(most_records) + " records";
        } else {
            for (const Json& item : found->items()) reading.records.push_back(record_of(item, *reading.rule));
        }
    }
    // Throws ValueError.
    static Record record_of(const Json& item, const EventRule& rule) {
        const std::string key = text_at(item, rule.key);
        if (key.empty()) throw kit::ValueError("key", "there is no key at the pointer 'key'");
        Record record = rule.is_delete ? Record::tombstone(key) : Record(key, payload_of(item, rule));
        record.entity = rule.entity;
        if (rule.version) record.version = text_at(item, *rule.version);
        if (rule.changed) {
            const std::string changed = text_at(item, *rule.changed);
            record.changed_ms = kit::changed_ms(changed);
            if (!changed.empty() && record.changed_ms == 0)
                throw kit::ValueError("changed", "'changed' is no time: " + changed.substr(0, 80));
        }
        return record;
    }
    static std::string payload_of(const Json& item, const EventRule& rule) {
        Json payload = rule.mapping.read(item);
        for (const auto& [path, value] : rule.constants) payload.place(path) = value;
        if (rule.is_partial) payload.set("$partial", true);
        return payload.dump();
    }
    static std::string text_at(const Json& document, const Path& path) {
        const Json* found = document.at(path);
        return found != nullptr ? std::string(found->scalar_text()) : std::string();
    }

    Result first_answer(std::uint32_t index, const Reading& reading) const {
        if (!reading.fault.empty()) return refused(index, reading.fault);
        if (!reading.is_unknown) return Result(index, LIAISON_OUTCOME_UPDATED);
        if (!settings_.refuses_unknown) return Result(index, LIAISON_OUTCOME_IGNORED);
        return refused(index, reading.type.empty() ? "it does not say its type; see event_type"
                                                   : "its type '" + reading.type.substr(0, 80) +
                                                         "' is not among the configured events");
    }
    static Result refused(std::uint32_t index, const std::string& why) {
        return Result(index, LIAISON_OUTCOME_REJECTED).because(ErrorKind::invalid_record, why);
    }
    // What changes a record that is not there may only have been faster than what brings it.
    static Result lost(std::uint32_t index, const EventRule& rule, const std::string& why) {
        if (!rule.is_partial) return refused(index, why);
        return Result(index, LIAISON_OUTCOME_RETRY).because(ErrorKind::conflict, why);
    }

    Settings settings_;
};

std::unique_ptr<liaison::Connector> make(std::string_view config) {
    return std::make_unique<WebhookConnector>(config);
}

}  // namespace
}  // namespace webhook

LIAISON_PLUGIN(webhook::make)
