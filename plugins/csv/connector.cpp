// csv: drop folders. Files are read in name order and moved away when every row is committed; each push
// writes one new file.
#include <algorithm>
#include <map>
#include <memory>

#include <liaison/sdk.hpp>
#include <liaison_manifest.hpp>

#include "file_reading.hpp"
#include "settings.hpp"

namespace csv {
namespace {

using liaison::Context;
using liaison::Result;
using liaison::Start;
using liaison::Task;

constexpr std::size_t default_page_size = 500;

std::vector<Listed> parse_listing(const Response& response, const std::string& folder) {
    if (response.status == 404) throw Failure(ErrorKind::config, "the folder " + folder + " does not exist");
    if (response.status == 403) throw Failure(ErrorKind::config, "the folder " + folder + " may not be read");
    if (!response.ok())
        throw Failure(ErrorKind::transient,
                      "listing " + folder + ": status " + std::to_string(response.status));
    std::vector<Listed> files;
    try {
        const Json listing = Json::parse(response.body);
        for (const Json& entry : listing.items()) {
            Listed& listed = files.emplace_back();
            listed.name = text_or(entry, "name", "");
            if (const Json* size = entry.find("size"))
                listed.size = static_cast<std::uint64_t>(size->to_int().value_or(0));
            if (const Json* when = entry.find("modified_ms")) listed.modified_ms = when->to_int().value_or(0);
        }
    } catch (const std::exception& error) {
        throw Failure(ErrorKind::internal, "the listing of " + folder + " cannot be read", error.what());
    }
    return files;
}

// "in.csv" to "in-1767225600000.csv", for a name that is taken.
std::string unique_name(const std::string& name, std::int64_t now_ms) {
    const std::size_t dot = name.rfind('.');
    const std::string stem = name.substr(0, dot);
    return stem + "-" + std::to_string(now_ms) + (dot == std::string::npos ? "" : name.substr(dot));
}

// The file that one push makes, and what to report for each record once it is there.
struct Outgoing {
    std::string text, digest;
    std::vector<std::size_t> written;  // indices of records
    std::vector<std::string> keys;     // one for each of `written`
    std::vector<Result> refused;
};

Outgoing compose(const Export& out, const std::vector<Record>& records) {
    Outgoing file;
    kit::Hash128 digest;
    std::vector<std::string> cells;
    const std::vector<std::string>& names = out.mapping.sources().names;
    for (const std::size_t slot : out.columns) cells.push_back(names[slot]);
    if (out.has_header) kit::append_csv_row(file.text, cells, out.format);
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto index = static_cast<std::uint32_t>(i);
        if (records[i].deleted) {
            file.refused.push_back(
                Result(index, LIAISON_OUTCOME_REJECTED)
                    .because(ErrorKind::invalid_record, "a file of rows cannot say that a record is gone"));
            continue;
        }
        try {
            const std::vector<std::string> row = out.mapping.write_row(Json::parse(records[i].payload));
            cells.clear();
            for (const std::size_t slot : out.columns) cells.push_back(row[slot]);
            kit::append_csv_row(file.text, cells, out.format);
            std::string key;
            for (const std::size_t slot : out.key) key += (key.empty() ? "" : "|") + row[slot];
            if (key.empty()) key = records[i].key.empty() ? records[i].reference : records[i].key;
            file.keys.push_back(std::move(key));
            file.written.push_back(i);
            digest.add_field(records[i].reference);
        } catch (const std::runtime_error& error) {
            file.refused.push_back(
                Result(index, LIAISON_OUTCOME_REJECTED).because(ErrorKind::invalid_record, error.what()));
        }
    }
    file.digest = digest.hex(16);
    return file;
}

// "products-{timestamp}.csv" to "products-20260101T000000Z-<digest>.csv": the digest is always part of the
// name.
std::string name_of(const Export& out, const std::string& digest, std::int64_t now_ms) {
    std::string name = out.file_name;
    if (name.find("{digest}") == std::string::npos) {
        const std::size_t dot = name.rfind('.');
        name.insert(dot == std::string::npos ? name.size() : dot, "-{digest}");
    }
    const auto replace = [&](std::string_view what, const std::string& with) {
        const std::size_t at = name.find(what);
        if (at != std::string::npos) name.replace(at, what.size(), with);
    };
    replace("{timestamp}", kit::format_time("%Y%m%dT%H%M%SZ", kit::DateTime::from_unix_ms(now_ms)));
    replace("{digest}", digest);
    return name;
}

std::vector<Result> results_of(const Outgoing& file, const std::vector<Record>& records,
                               const Response& answer) {
    std::vector<Result> results = file.refused;
    for (std::size_t i = 0; i < file.written.size(); ++i) {
        const Record& record = records[file.written[i]];
        std::uint32_t outcome = record.key.empty() ? LIAISON_OUTCOME_CREATED : LIAISON_OUTCOME_UPDATED;
        if (answer.error == LIAISON_ERROR_UNKNOWN_OUTCOME)
            outcome = LIAISON_OUTCOME_UNKNOWN;
        else if (answer.error != LIAISON_ERROR_NONE)
            outcome = LIAISON_OUTCOME_RETRY;
        else if (answer.status == 412)
            outcome = LIAISON_OUTCOME_DUPLICATE;
        else if (!answer.ok())
            outcome = LIAISON_OUTCOME_RETRY;
        Result result(static_cast<std::uint32_t>(file.written[i]), outcome);
        if (outcome == LIAISON_OUTCOME_UNKNOWN || outcome == LIAISON_OUTCOME_RETRY) {
            result.category =
                outcome == LIAISON_OUTCOME_UNKNOWN ? LIAISON_ERROR_UNKNOWN_OUTCOME : LIAISON_ERROR_TRANSIENT;
            result.text = answer.error != 0 ? answer.error_text
                                            : "writing the file: status " + std::to_string(answer.status);
        } else {
            result.external_id = file.keys[i];
        }
        results.push_back(std::move(result));
    }
    std::sort(results.begin(), results.end(),
              [](const Result& a, const Result& b) { return a.index < b.index; });
    return results;
}

class CsvConnector : public liaison::Connector {
  public:
    explicit CsvConnector(std::string_view config) : entities_(read_settings(config)) {}

    Task<std::string> test(Context& context) override {
        Json folders = Json::object();
        for (const auto& [name, entity] : entities_) {
            std::vector<std::string> paths;
            if (entity.in) paths = {entity.in->folder, entity.in->processed, entity.in->failed};
            if (entity.out) paths.push_back(entity.out->folder);
            for (const std::string& path : paths) {
                if (path.empty() || folders.find(path) != nullptr) continue;
                Request request("GET", file_url(path));
                Response response = co_await context.send(std::move(request));
                const std::vector<Listed> files = parse_listing(response, path);
                folders.set(path, files.size());
            }
        }
        Json account = Json::object();
        account.set("folders", std::move(folders));
        co_return account.dump();
    }

    Task<void> pull(Context& context, const Start& start) override {
        const Import& in = import_of(start.entity);
        Cursor cursor(start.full ? std::string() : start.cursor);
        Request request("GET", file_url(in.folder));
        Response response = co_await context.send(std::move(request));
        const std::vector<Listed> files =
            waiting(in, parse_listing(response, in.folder), cursor, context.now_ms());
        const std::size_t page_size = start.page_size != 0 ? start.page_size : default_page_size;
        for (const Listed& listed : files) {
            bool is_read = false;
            std::string fault;
            try {
                is_read = co_await read_file(context, in, listed, cursor, page_size);
            } catch (const Failure& failure) {
                if (failure.kind != ErrorKind::config || in.failed.empty()) throw;
                fault = failure.what();
            }
            if (!fault.empty()) {
                context.log(LIAISON_LOG_WARNING, "moved to the failed folder: " + fault);
                co_await move_file(context, in.folder, listed.name, in.failed);
            } else if (is_read && !in.processed.empty()) {
                co_await move_file(context, in.folder, listed.name, in.processed);
            }
        }
    }

    Task<void> push(Context& context, const Start& start) override {
        const Export& out = export_of(start.entity);
        const Outgoing file = compose(out, start.records);
        Response answer;
        answer.status = 412;  // nothing to write, or written before
        bool is_there = file.written.empty();
        if (!is_there && out.file_name.find("{timestamp}") != std::string::npos) {
            Request request("GET", file_url(out.folder));
            Response response = co_await context.send(std::move(request));
            for (const Listed& listed : parse_listing(response, out.folder)) {
                is_there = is_there || listed.name.find(file.digest) != std::string::npos;
            }
        }
        if (!is_there) {
            std::vector<Request> requests;
            requests.push_back(
                Request("PUT", file_url(out.folder, name_of(out, file.digest, context.now_ms())))
                    .header("If-None-Match", "*")
                    .content("text/csv", file.text)
                    .mutates());
            std::vector<Response> answers = co_await context.send_all(std::move(requests), 1);
            answer = std::move(answers.at(0));
        }
        std::vector<Result> results = results_of(file, start.records, answer);
        co_await context.result(std::move(results));
    }

  private:
    const Entity& entity_of(const std::string& name) const {
        const auto found = entities_.find(name);
        if (found == entities_.end())
            throw Failure(ErrorKind::config, "entities: '" + name + "' is not configured");
        return found->second;
    }
    const Import& import_of(const std::string& name) const {
        const Entity& entity = entity_of(name);
        if (!entity.in)
            throw Failure(ErrorKind::config, "entities/" + name + ": 'folder' is missing, nothing to read");
        return *entity.in;
    }
    const Export& export_of(const std::string& name) const {
        const Entity& entity = entity_of(name);
        if (!entity.out) throw Failure(ErrorKind::config, "entities/" + name + ": 'export' is missing");
        return *entity.out;
    }

    // Matching, settled, not yet seen, in name order. Also forgets seen files that have left the folder.
    static std::vector<Listed> waiting(const Import& in, std::vector<Listed> all, Cursor& cursor,
                                       std::int64_t now_ms) {
        Json still_there;
        std::vector<Listed> files;
        for (Listed& listed : all) {
            if (!matches(in.pattern, listed.name)) continue;
            if (in.processed.empty() && cursor.has_seen(listed))
                still_there.set(listed.name, listed.marker());
            else if (listed.modified_ms + in.settle_ms <= now_ms)
                files.push_back(std::move(listed));
        }
        cursor.seen = std::move(still_there);
        if (in.processed.empty() && all.size() > Cursor::max_seen) {
            throw Failure(ErrorKind::config, "more than 1000 files in " + in.folder + ": set 'processed'");
        }
        std::sort(files.begin(), files.end(),
                  [](const Listed& a, const Listed& b) { return a.name < b.name; });
        return files;
    }

    // False when the file has gone. Leaves in `cursor` what the next file continues from.
    static Task<bool> read_file(Context& context, const Import& in, const Listed& listed, Cursor& cursor,
                                std::size_t page_size) {
        FileReading reading(in, listed, cursor);
        Response first = co_await context.send(reading.next_request());
        if (!reading.take(first)) co_return false;
        while (!reading.is_done()) {
            reading.fill(page_size);
            if (reading.needs_bytes()) {
                Response next = co_await context.send(reading.next_request());
                if (!reading.take(next)) co_return false;
                continue;
            }
            if (!reading.has_records() && !(reading.is_done() && in.processed.empty())) continue;
            cursor = reading.position();
            co_await context.emit_pipelined(reading.take_batch(), cursor.text());
        }
        co_return true;
    }

    // A file that is no longer there was moved by a run that ended right afterwards.
    static Task<void> move_file(Context& context, const std::string& folder, const std::string& name,
                                const std::string& target) {
        std::string target_name = name;
        for (int attempt = 0; attempt < 2; ++attempt) {
            Request request("MOVE", file_url(folder, name));
            request.headers.emplace_back("Destination", file_url(target, target_name));
            request.headers.emplace_back("Overwrite", "F");
            request.flags |= LIAISON_REQUEST_MUTATES;
            Response response = co_await context.send(std::move(request));
            if (response.ok() || response.status == 404) co_return;
            if (response.status != 412 || attempt > 0) {
                throw Failure(ErrorKind::transient, "moving " + name + " to " + target + ": status " +
                                                        std::to_string(response.status));
            }
            target_name = unique_name(name, context.now_ms());
        }
    }

    const std::map<std::string, Entity> entities_;
};

std::unique_ptr<liaison::Connector> make(std::string_view config) {
    return std::make_unique<CsvConnector>(config);
}

}  // namespace
}  // namespace csv

LIAISON_PLUGIN(csv::make)
