// ImportJob: by which values records of other systems are recognised, and since when all of them are.
#include <boost/json/parse.hpp>

#include "sync/import_job.hpp"
#include "sync/recognition.hpp"

namespace liaisond::sync {
namespace {

constexpr std::uint32_t records_indexed_at_once = 1000;
constexpr const char* recognition_state = "recognition";

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
    return text;
}

}  // namespace

// Records that came before recognition was configured, or under other values, are read once.
Task<Status> ImportJob::prepare_recognition() {
    const auto names = control_.link->recognition.find(entity_.name);
    if (names == control_.link->recognition.end()) co_return Status();
    const Schema* schema = schemas_.find(entity_.name);
    const std::string unknown =
        schema != nullptr ? unknown_match_name(*schema, names->second) : names->second[0];
    if (!unknown.empty()) {
        co_return fail(ErrorKind::config,
                       "match: " + entity_.name + " has no '" + unknown +
                           "' by which records are recognised (see x-match in its schema)");
    }
    Result<std::string> ready = co_await recognition_ready();
    if (!ready) co_return fail(ready.error());
    if (*ready == joined(names->second)) co_return Status();
    std::int64_t after = 0;
    do {
        Result<std::int64_t> last = co_await index_matches(after);
        if (!last) co_return fail(last.error());
        after = *last;
    } while (after != 0);
    Status saved = co_await save_recognition_ready();
    co_return saved;
}

// Exports wait for it (export_job.cpp).
Task<Status> ImportJob::note_read_through() {
    const bool recognises = control_.link->recognition.contains(entity_.name);
    if (!recognises || control_.lane != store::Lane::live) co_return Status();
    Result<std::string> known = co_await load_read_through();
    if (!known) co_return fail(known.error());
    if (!known->empty()) co_return Status();
    Status saved = co_await save_read_through();
    co_return saved;
}

Await<Result<std::string>> ImportJob::load_read_through() {
    return Await<Result<std::string>>([this](Completion<Result<std::string>> done) {
        ports_.store.read([key = read_through_key(control_.link->config.id, entity_.name)](
                              store::Database& database) { return database.state(read_through_state, key); },
                          std::move(done));
    });
}

Await<Status> ImportJob::save_read_through() {
    return Await<Status>([this](Completion<Status> done) {
        ports_.store.write(
            [key = read_through_key(control_.link->config.id, entity_.name)](store::Database& database) {
                return database.save_state(read_through_state, key, "1");
            },
            std::move(done));
    });
}

Await<Result<std::string>> ImportJob::recognition_ready() {
    return Await<Result<std::string>>([this](Completion<Result<std::string>> done) {
        ports_.store.read([key = control_.link->tenant.id + "/" + entity_.name](
                              store::Database& database) { return database.state(recognition_state, key); },
                          std::move(done));
    });
}

Await<Result<std::int64_t>> ImportJob::index_matches(std::int64_t after) {
    return Await<Result<std::int64_t>>([this, after](Completion<Result<std::int64_t>> done) {
        const auto work = [link = control_.link, entity = entity_.name, schema = schemas_.find(entity_.name),
                           after](store::Database& database) {
            const std::vector<std::string>& names = link->recognition.at(entity);
            return database.index_matches(
                link->tenant.id, entity, after, records_indexed_at_once, [&](std::string_view payload) {
                    boost::system::error_code error;
                    const json::value record = json::parse(payload, error);
                    return record.is_object() ? match_values(*schema, names, record.get_object())
                                              : store::MatchValues();
                });
        };
        ports_.store.write(work, std::move(done));
    });
}

Await<Status> ImportJob::save_recognition_ready() {
    return Await<Status>([this](Completion<Status> done) {
        ports_.store.write(
            [key = control_.link->tenant.id + "/" + entity_.name,
             names = joined(control_.link->recognition.at(entity_.name))](store::Database& database) {
                return database.save_state(recognition_state, key, names);
            },
            std::move(done));
    });
}

}  // namespace liaisond::sync
