#include "vendor.hpp"

#include <algorithm>

#include "instant.hpp"

namespace liaison_sim {
namespace {

constexpr std::int64_t max_seed_count = 1'000'000;

// A page of a list, and not its first: somebody reads on.
bool is_further_page(const Request& request) {
    if (request.is_write() || request.segments.size() != 1) return false;
    return std::any_of(request.query.begin(), request.query.end(), [](const auto& parameter) {
        const auto& [name, value] = parameter;
        return (name == "page" && value != "1") || (name == "offset" && value != "0") || name == "cursor";
    });
}

}  // namespace

Vendor::Vendor(std::string name, std::string prefix, Credentials credentials, Modes modes)
    : name_(std::move(name)),
      prefix_(std::move(prefix)),
      default_credentials_(std::move(credentials)),
      credentials_(default_credentials_),
      default_modes_(std::move(modes)),
      modes_(default_modes_) {}

std::vector<std::string> Vendor::entities() const {
    std::vector<std::string> names;
    for (const auto& collection : collections_) names.push_back(collection->entity().name);
    return names;
}

bool Vendor::take_token(const RateLimit& limit) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> elapsed = now - tokens_at_;
    tokens_ = std::min(limit.burst, tokens_ + elapsed.count() * limit.per_second);
    tokens_at_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
}

Response Vendor::unauthorized() const {
    return error_response(401, "unauthorized", "credentials missing or wrong")
        .with("WWW-Authenticate", challenge());
}

Response Vendor::too_many() const {
    return error_response(429, "rate_limited", "too many requests").with("Retry-After", "1");
}

Vendor::Admission Vendor::admit(const Request& request) {
    const std::scoped_lock lock(mutex_);
    ++(request.is_write() ? stats_.writes : stats_.reads);
    stats_.in_flight_max = std::max(stats_.in_flight_max, ++stats_.in_flight);
    Admission admission;
    admission.is_abrupt =
        !switches_.is_down && switches_.concerns(request.is_write()) && switches_.reset.is_due();
    admission.close = switches_.is_down || admission.is_abrupt;
    if (admission.close) {
        ++stats_.faults;
        return admission;
    }
    admission.delay = std::chrono::milliseconds(switches_.latency_ms);
    if (request.is_write() && switches_.execute_late.is_due()) {
        ++stats_.faults;
        admission.is_late = true;
        admission.delay = std::chrono::milliseconds(switches_.execute_late_ms);
        return admission;
    }
    if (switches_.rate_limit && !take_token(*switches_.rate_limit)) {
        admission.is_answered = true;
        admission.early = too_many();
        stats_.count_answer(429);
    }
    return admission;
}

Response Vendor::answer(const Request& request) {
    if (switches_.concerns(request.is_write()) && switches_.fail.is_due()) {
        ++stats_.faults;
        Response failure = error_response(switches_.fail_status, "injected", "failed before doing anything");
        if (switches_.retry_after > 0) failure.with("Retry-After", std::to_string(switches_.retry_after));
        return failure;
    }
    if (auto away = turn_away(request)) return std::move(*away);
    if (is_further_page(request) && switches_.edit_pages.is_due()) edit_under(request);
    return routes_.dispatch(request);
}

std::optional<Response> Vendor::turn_away(const Request& request) {
    if (is_authorized(request)) return std::nullopt;
    return unauthorized();
}

void Vendor::check_record(const Collection& collection, const Json& record) const {
    require_valid(record, collection.entity().schema, Origin::control);
}

// The record at the beginning of the list is on a page that was read already: when it goes, or moves to the
// end, all others move forward.
void Vendor::edit_under(const Request& request) {
    for (auto& collection : collections_) {
        if (collection->entity().name != request.segments[0]) continue;
        const auto oldest = collection->slice({}, 0, 1);
        if (oldest.empty()) return;
        const std::string id = oldest[0]->id;
        switch (switches_.edit) {
            case Switches::Edit::remove: collection->erase(id); return;
            case Switches::Edit::touch: write(*collection, id, Json::object(), true); return;
            case Switches::Edit::add:
                write(*collection, collection->id_of(collection->next_number()), Json::object(), true);
                return;
        }
    }
}

Vendor::Outcome Vendor::process(const Request& request) {
    const std::scoped_lock lock(mutex_);
    Outcome outcome;
    outcome.response = answer(request);
    outcome.body_bytes_per_second = switches_.slow_body_bytes_per_second;
    if (outcome.response.committed) {
        ++stats_.writes_committed;
        if (switches_.lose.is_due()) {
            ++stats_.answers_lost;
            outcome.is_lost = true;
            return outcome;
        }
        if (switches_.fault_after_commit.is_due()) {
            ++stats_.faults;
            outcome.response = error_response(500, "injected", "failed after doing the work");
        }
    }
    stats_.count_answer(outcome.response.status);
    return outcome;
}

void Vendor::process_late(const Request& request) {
    const std::scoped_lock lock(mutex_);
    if (!is_authorized(request) || !routes_.dispatch(request).committed) return;
    ++stats_.writes_committed;
    ++stats_.answers_lost;
}

void Vendor::leave() {
    const std::scoped_lock lock(mutex_);
    --stats_.in_flight;
}

void Vendor::count_unread(bool is_write, unsigned status) {
    const std::scoped_lock lock(mutex_);
    ++(is_write ? stats_.writes : stats_.reads);
    stats_.count_answer(status);
}

Response Vendor::seed(const std::string& entity, const Json& order) {
    static const Schema schema{field::integer("count", 1, max_seed_count),
                               field::optional(field::integer("seed", 0, 1'000'000'000'000))};
    require_valid(order, schema, Origin::vendor_call);
    const std::int64_t count = *order.find("count")->as_integer();
    const Json* given = order.find("seed");
    const auto seed = static_cast<std::uint64_t>(given ? *given->as_integer() : default_seed);
    const std::scoped_lock lock(mutex_);
    Collection& collection = collection_or_404(entity);
    collection.set_seed(seed);
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t number = collection.next_number();
        const std::int64_t stamp = collection.seed_stamp();
        Generated made = generate(collection, number, seed, stamp);
        collection.put({collection.id_of(number), stamp, std::move(made.lookup), std::move(made.json)});
    }
    ObjectWriter body;
    body.integer("seeded", count).integer("total", static_cast<std::int64_t>(collection.size()));
    return json_response(200, body.take());
}

Response Vendor::dump(const std::string& entity) {
    const std::scoped_lock lock(mutex_);
    const Collection& collection = collection_or_404(entity);
    std::string body;
    append_array(body, collection.slice({}, 0, collection.size()));
    return json_response(200, std::move(body));
}

Response Vendor::count(const std::string& entity) {
    const std::scoped_lock lock(mutex_);
    const auto size = static_cast<std::int64_t>(collection_or_404(entity).size());
    return json_response(200, ObjectWriter().integer("count", size).take());
}

Response Vendor::create(const std::string& entity, const Json& patch, bool is_raw) {
    const std::scoped_lock lock(mutex_);
    Collection& collection = collection_or_404(entity);
    const std::string given = patch.text_of(collection.entity().id_field);
    const std::string id = given.empty() ? collection.id_of(collection.next_number()) : given;
    if (collection.find(id)) refuse(409, "exists", entity + " " + id + " exists; PUT changes it");
    return write(collection, id, patch, is_raw);
}

Response Vendor::upsert(const std::string& entity, const std::string& id, const Json& patch, bool is_raw) {
    const std::scoped_lock lock(mutex_);
    return write(collection_or_404(entity), id, patch, is_raw);
}

Response Vendor::write(Collection& collection, const std::string& id, const Json& patch, bool is_raw) {
    const Entity& entity = collection.entity();
    if (!patch.is(Json::Kind::object)) refuse(422, "validation_failed", "the body must be an object");
    if (entity.has_number_ids && !collection.number_of(id)) {
        refuse(422, "validation_failed", "ids of " + entity.name + " are numbers",
               {{"/" + entity.id_field, id}});
    }
    const Json* named = patch.find(entity.id_field);
    if (named && named->text() != id) {
        refuse(422, "validation_failed", "the id in the body is another one", {{"/" + entity.id_field, id}});
    }
    const Record* existing = collection.find(id);
    const std::int64_t number = collection.number_of(id).value_or(collection.next_number());
    const std::string before =
        existing ? existing->json
                 : generate(collection, number, collection.seed(), collection.next_stamp()).json;
    std::string error;
    Json record = Json::parse(before, error).value_or(Json::object());
    record.merge_patch(patch);
    if (!is_raw) {
        complete(collection, record, patch);
        if (!entity.is_checked_by_vendor) check_record(collection, record);
    }
    return json_response(existing ? 200 : 201, collection.put(id, std::move(record)).json);
}

Response Vendor::remove(const std::string& entity, const std::string& id) {
    const std::scoped_lock lock(mutex_);
    Collection& collection = collection_or_404(entity);
    if (!collection.erase(id)) refuse(404, "not_found", "no " + entity + " " + id);
    removed(collection, id);
    Response response;
    response.status = 204;
    return response;
}

Response Vendor::switches() {
    const std::scoped_lock lock(mutex_);
    return shown_switches();
}

Response Vendor::shown_switches() const {
    Json shown = switches_.to_json(credentials_);
    Json modes = Json::object();
    for (const auto& [name, value] : modes_) modes.set(name, Json::string(value));
    if (!modes_.empty()) shown.set("modes", std::move(modes));
    show_own(shown);
    return json_response(200, shown.serialize());
}

// Null puts all of them back.
void Vendor::set_modes(const Json& patch) {
    Modes changed = patch.is(Json::Kind::null) ? default_modes_ : modes_;
    for (const auto& [name, value] : patch.members()) {
        if (!changed.contains(name) || !value.is(Json::Kind::string))
            refuse(422, "bad_switch", "the switches are refused",
                   {{"/modes/" + name, "must be a known string"}});
        changed[name] = value.text();
    }
    modes_ = std::move(changed);
}

Response Vendor::set_switches(const Json& patch) {
    const std::scoped_lock lock(mutex_);
    if (const Json* modes = patch.find("modes")) set_modes(*modes);
    Json common = Json::object();
    for (const auto& [name, value] : patch.members()) {
        if (name != "modes" && !set_own(name, value)) common.set(name, value);
    }
    switches_.merge(patch.is(Json::Kind::object) ? common : patch, credentials_, default_credentials_);
    if (patch.find("rate_limit") && switches_.rate_limit) {
        tokens_ = switches_.rate_limit->burst;
        tokens_at_ = std::chrono::steady_clock::now();
    }
    return shown_switches();
}

Stats Vendor::stats() {
    const std::scoped_lock lock(mutex_);
    return stats_;
}

void Vendor::reset_stats() {
    const std::scoped_lock lock(mutex_);
    stats_.clear();
}

void Vendor::reset() {
    const std::scoped_lock lock(mutex_);
    for (auto& collection : collections_) collection->clear();
    credentials_ = default_credentials_;
    modes_ = default_modes_;
    switches_ = Switches{};
    stats_.clear();
    forget();
}

Collection& Vendor::add_entity(Entity entity) {
    return *collections_.emplace_back(std::make_unique<Collection>(std::move(entity)));
}

std::vector<const Record*> Vendor::search(const Collection& collection, const std::string& value) const {
    std::vector<const Record*> found = collection.find_by_lookup(value);
    const std::int64_t indexed_until = now_ms() - switches_.index_lag_ms;
    std::erase_if(found, [&](const Record* record) { return record->born_ms > indexed_until; });
    return found;
}

const Record& Vendor::record_or_404(const Collection& collection, const std::string& id) const {
    const Record* record = collection.find(id);
    if (!record) refuse(404, "not_found", "no " + collection.entity().name + " " + id);
    return *record;
}

Collection& Vendor::collection_or_404(const std::string& entity) {
    for (auto& collection : collections_) {
        if (collection->entity().name == entity) return *collection;
    }
    refuse(404, "not_found", name_ + " has no " + entity);
}

}  // namespace liaison_sim
