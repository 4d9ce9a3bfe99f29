// A connector whose events say themselves what is to be done with them: what the handling of events is tried
// on.
//
//     {"records": [{"entity", "key", "version", "reference", "changed_ms", "deleted", "payload"}], "get":
//     URL,
//      "then": "updated" | "ignored" | "rejected" | "retry" | "nothing" | "throw" | "fail", "kind": 1,
//      "text": "", "changed": ["product"]}
//
// "throw" and "fail" end the job before any event of the batch is answered; "throw-late" ends it at this
// event.
#include <liaison/kit/json.hpp>
#include <liaison/sdk.hpp>

#include "liaison_manifest.hpp"

namespace {

using liaison::Json;

std::string text_at(const Json& from, std::string_view name) {
    const Json* found = from.find(name);
    return found != nullptr ? std::string(found->scalar_text()) : std::string();
}

std::int64_t number_at(const Json& from, std::string_view name) {
    const std::string text = text_at(from, name);
    return text.empty() ? 0 : std::stoll(text);
}

std::vector<liaison::Record> records_of(const Json& event) {
    std::vector<liaison::Record> records;
    const Json* list = event.find("records");
    if (list == nullptr) return records;
    for (const Json& one : list->items()) {
        const Json* payload = one.find("payload");
        liaison::Record& record =
            records.emplace_back(text_at(one, "key"), payload != nullptr ? payload->dump() : "");
        record.entity = text_at(one, "entity");
        record.version = text_at(one, "version");
        record.reference = text_at(one, "reference");
        record.changed_ms = number_at(one, "changed_ms");
        record.deleted = text_at(one, "deleted") == "true";
    }
    return records;
}

void end_here(const Json& event) {
    const auto kind = static_cast<liaison::ErrorKind>(number_at(event, "kind"));
    if (text_at(event, "then") == "fail") throw liaison::Failure(kind, text_at(event, "text"));
    throw std::runtime_error("this event is poison");
}

liaison::Result answer_to(std::uint32_t index, const Json& event) {
    const std::string then = text_at(event, "then");
    if (then == "ignored") return liaison::Result(index, LIAISON_OUTCOME_IGNORED);
    if (then == "rejected" || then == "retry") {
        const std::uint32_t outcome = then == "retry" ? LIAISON_OUTCOME_RETRY : LIAISON_OUTCOME_REJECTED;
        return liaison::Result(index, outcome)
            .because(liaison::ErrorKind::invalid_record, text_at(event, "text"));
    }
    return liaison::Result(index, LIAISON_OUTCOME_UPDATED);
}

class WebhookSample : public liaison::Connector {
  public:
    liaison::Task<std::vector<std::string>> webhook(liaison::Context& context,
                                                    const liaison::Start& start) override {
        std::vector<std::string> changed;
        std::vector<Json> events;
        for (const liaison::WebhookEvent& event : start.events) events.push_back(Json::parse(event.body));
        for (const Json& event : events) {
            const std::string then = text_at(event, "then");
            if (then == "throw" || then == "fail") end_here(event);
        }
        for (std::uint32_t i = 0; i < events.size(); ++i) {
            const Json& event = events[i];
            const std::string url = text_at(event, "get"), then = text_at(event, "then");
            if (!url.empty()) {
                const liaison::Response answer = co_await context.send(liaison::Request("GET", url));
                if (!answer.ok()) throw liaison::Failure(liaison::ErrorKind::transient, "the shop is closed");
            }
            std::vector<liaison::Record> records = records_of(event);
            if (!records.empty()) co_await context.emit(std::move(records), std::string());
            if (then == "throw-late") end_here(event);
            if (const Json* list = event.find("changed"); list != nullptr) {
                for (const Json& one : list->items()) changed.emplace_back(one.scalar_text());
            }
            if (then == "nothing") continue;
            std::vector<liaison::Result> results;
            results.push_back(answer_to(i, event));
            co_await context.result(std::move(results));
        }
        co_return changed;
    }
};

std::unique_ptr<liaison::Connector> make(std::string_view) { return std::make_unique<WebhookSample>(); }

}  // namespace

LIAISON_PLUGIN(make)
