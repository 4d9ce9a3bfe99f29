#include "sync/dry_run.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/redact.hpp"
#include "base/text.hpp"
#include "sync/canonical.hpp"
#include "sync/merge.hpp"
#include "sync/ports.hpp"

namespace liaisond::sync {
namespace {

constexpr std::size_t requests_kept = 2000;
constexpr std::size_t kept_of_a_body = 16u << 10;
constexpr std::uint32_t items_at_once = 500;

json::object to_json(const plugin::Request& request) {
    json::object headers;
    for (const plugin::Header& header : request.headers) headers[header.name] = header.value;
    json::object made{{"method", request.method}, {"url", request.url}, {"headers", std::move(headers)}};
    if (!request.auth.empty()) made["auth"] = request.auth;
    if (!request.idempotency_key.empty()) made["idempotency_key"] = request.idempotency_key;
    if (!request.body.empty()) made["body"] = redactor().scrub(shortened(request.body, kept_of_a_body));
    return made;
}

std::string to_text(const std::vector<FieldDifference>& fields) {
    json::array list;
    for (const FieldDifference& field : fields)
        list.push_back({{"pointer", field.pointer}, {"from", field.from}, {"to", field.to}});
    return redactor().scrub(json::serialize(list));
}

bool concerns(const std::string& guarded, const std::string& changed) {
    return changed == guarded || changed.starts_with(guarded + "/") || guarded.starts_with(changed + "/");
}

// Items of one plan, numbered and counted as they come.
class Items {
  public:
    Items(const config::Approval& limits, store::Plan& plan) : limits_(limits), plan_(plan) {}

    // Null contents: the record is not there before, or after.
    void add(store::PlanItem item, const json::object* before, const json::object* after) {
        store::Tally& tally = item.at_vendor ? plan_.vendor : plan_.hub;
        std::vector<FieldDifference> fields;
        if (after != nullptr) fields = differences(before != nullptr ? *before : json::object(), *after);
        item.action = before == nullptr ? "created" : after == nullptr ? "deleted" : "updated";
        ++tally[before == nullptr ? "creates" : after == nullptr ? "deletes" : "updates"];
        if (before != nullptr && after != nullptr) count_guarded(item.entity, fields, tally);
        item.fields = to_text(fields);
        push(std::move(item));
    }
    void push(store::PlanItem item) {
        item.n = ++last_;
        page_.push_back(std::move(item));
    }
    std::vector<store::PlanItem> take() { return std::exchange(page_, {}); }

  private:
    void count_guarded(const std::string& entity, const std::vector<FieldDifference>& fields,
                       store::Tally& tally) {
        const auto guarded = limits_.fields.find(entity);
        if (guarded == limits_.fields.end()) return;
        for (const auto& [pointer, limit] : guarded->second) {
            const auto touches = [&, name = pointer](const FieldDifference& f) {
                return concerns(name, f.pointer);
            };
            if (std::any_of(fields.begin(), fields.end(), touches)) ++tally[entity + " " + pointer];
        }
    }

    const config::Approval& limits_;
    store::Plan& plan_;
    std::int64_t last_ = 0;
    std::vector<store::PlanItem> page_;
};

void add_record(Items& items, const store::PlannedRecord& record) {
    if (record.before == record.after) return;
    const json::object before = parsed_object(record.before), after = parsed_object(record.after);
    if (!record.before.empty() && !record.after.empty() && differences(before, after).empty()) return;
    store::PlanItem item;
    item.entity = record.entity;
    item.record = record.record;
    item.external_id = record.external_id;
    items.add(std::move(item), record.before.empty() ? nullptr : &before,
              record.after.empty() ? nullptr : &after);
}

void add_sending(Items& items, const DryRun::Sending& sending, const std::string& agreed) {
    store::PlanItem item;
    item.at_vendor = true;
    item.entity = sending.entity;
    item.record = sending.record;
    item.external_id = sending.external_id;
    if (!sending.requests.empty()) item.requests = redactor().scrub(json::serialize(sending.requests));
    if (sending.rid == 0) {
        item.action = "called";
        item.fields = "[]";
        return items.push(std::move(item));
    }
    const json::object before = parsed_object(agreed), after = parsed_object(sending.content);
    items.add(std::move(item), sending.external_id.empty() ? nullptr : &before,
              sending.deleted ? nullptr : &after);
}

Await<Result<std::vector<store::PlannedRecord>>> planned_records(store::Store& scratch,
                                                                 const std::string& integration,
                                                                 store::Rid after) {
    using Answer = Result<std::vector<store::PlannedRecord>>;
    return Await<Answer>([&scratch, integration, after](Completion<Answer> done) {
        const auto work = [integration, after](store::Database& database) {
            return database.planned_records(integration, after, items_at_once);
        };
        scratch.read(work, std::move(done));
    });
}

Await<Result<std::vector<std::string>>> agreed(store::Store& scratch, const std::string& integration,
                                               std::vector<store::Rid> rids) {
    using Answer = Result<std::vector<std::string>>;
    return Await<Answer>([&scratch, integration, rids = std::move(rids)](Completion<Answer> done) {
        const auto work = [integration, rids](store::Database& database) {
            return database.agreed(integration, rids);
        };
        scratch.read(work, std::move(done));
    });
}

Await<Status> begin_plan(store::Store& store, const store::Plan& plan) {
    return Await<Status>([&store, plan](Completion<Status> done) {
        store.write([plan](store::Database& database) { return database.begin_plan(plan); }, std::move(done));
    });
}

Await<Status> add_items(store::Store& store, std::int64_t run, std::vector<store::PlanItem> items) {
    auto shared = std::make_shared<std::vector<store::PlanItem>>(std::move(items));
    return Await<Status>([&store, run, shared](Completion<Status> done) {
        store.write(
            [run, shared](store::Database& database) { return database.add_plan_items(run, *shared); },
            std::move(done));
    });
}

}  // namespace

void DryRun::pushes(const store::Intent& intent) {
    const auto [known, fresh] = by_record_.try_emplace(intent.rid, sendings_.size());
    if (fresh) sendings_.emplace_back();
    Sending& sending = sendings_[known->second];
    sending.rid = intent.rid;
    sending.entity = intent.entity;
    sending.record = intent.record;
    sending.external_id = intent.external_id;
    sending.content = intent.content.empty() ? intent.payload : intent.content;
    sending.deleted = intent.deleted;
}

void DryRun::hold(const std::string& entity, const store::Intent* intent, const plugin::Request& request) {
    ++held_;
    std::size_t place = 0;
    if (intent != nullptr) {
        place = by_record_.at(intent->rid);
    } else {
        const auto [known, fresh] = by_entity_.try_emplace(entity, sendings_.size());
        if (fresh) sendings_.emplace_back().entity = entity;
        place = known->second;
    }
    if (held_ <= requests_kept) sendings_[place].requests.push_back(to_json(request));
}

Task<Status> write_plan(const Ports& ports, store::Store& scratch, const DryRun& dry_run,
                        const config::Approval& limits, store::Plan& plan) {
    Status status = co_await begin_plan(ports.store, plan);
    if (!status) co_return fail(status.error());
    Items items(limits, plan);
    store::Rid after = 0;
    while (true) {
        Result<std::vector<store::PlannedRecord>> records =
            co_await planned_records(scratch, plan.integration, after);
        if (!records) co_return fail(records.error());
        if (records->empty()) break;
        after = records->back().rid;
        for (const store::PlannedRecord& record : *records) add_record(items, record);
        std::vector<store::PlanItem> page = items.take();
        status = co_await add_items(ports.store, plan.run, std::move(page));
        if (!status) co_return fail(status.error());
    }
    const std::vector<DryRun::Sending>& sendings = dry_run.sendings();
    for (std::size_t from = 0; from < sendings.size(); from += items_at_once) {
        const std::size_t to = std::min(sendings.size(), from + items_at_once);
        std::vector<store::Rid> rids;
        for (std::size_t i = from; i < to; ++i) rids.push_back(sendings[i].rid);
        Result<std::vector<std::string>> contents =
            co_await agreed(scratch, plan.integration, std::move(rids));
        if (!contents) co_return fail(contents.error());
        for (std::size_t i = from; i < to; ++i) add_sending(items, sendings[i], (*contents)[i - from]);
        std::vector<store::PlanItem> page = items.take();
        status = co_await add_items(ports.store, plan.run, std::move(page));
        if (!status) co_return fail(status.error());
    }
    co_return Status();
}

std::string exceeded(const config::Approval& limits, const store::Plan& plan, const store::Plan* approved) {
    std::string text;
    const auto check = [&](const std::string& what, const std::optional<std::uint32_t>& limit,
                           const std::string& words) {
        if (!limit) return;
        for (const auto& [side, name] :
             {std::pair(&store::Plan::hub, "in the hub"), std::pair(&store::Plan::vendor, "at the vendor")}) {
            const auto count_in = [&, side = side](const store::Plan& one) {
                const auto found = (one.*side).find(what);
                return found == (one.*side).end() ? std::int64_t{0} : found->second;
            };
            const std::int64_t found = count_in(plan);
            const std::int64_t allowed =
                std::max<std::int64_t>(*limit, approved != nullptr ? count_in(*approved) : 0);
            if (found <= allowed) continue;
            text += (text.empty() ? "" : ", ") + std::to_string(found) + " " + words + " " + name +
                    " (limit " + std::to_string(*limit) + ")";
        }
    };
    check("creates", limits.creates, "creates");
    check("updates", limits.updates, "updates");
    check("deletes", limits.deletes, "deletes");
    for (const auto& [entity, fields] : limits.fields) {
        for (const auto& [pointer, limit] : fields)
            check(entity + " " + pointer, limit, "changes of " + entity + " " + pointer);
    }
    return text;
}

}  // namespace liaisond::sync
