// The log of single records: what became of each, with filters, and as a file.
#include <boost/json/serialize.hpp>

#include "api/backend.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::uint32_t exported_at_once = 500;

json::object to_json(const store::LogEntry& e) {
    return {{"id", e.id},
            {"run", e.run},
            {"at", format_instant(e.at)},
            {"integration", e.integration},
            {"entity", e.entity},
            {"direction", store::to_string(e.direction)},
            {"action", e.action},
            {"status", e.status},
            {"external_id", e.external_id},
            {"record", e.record},
            {"message", e.message}};
}

// RFC 4180; a cell that a spreadsheet would take for a formula is told to be text.
std::string cell(std::string text) {
    if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos)
        text.insert(0, "'");
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

constexpr const char* csv_head =
    "at,integration,entity,direction,action,status,external_id,record,run,message\r\n";

std::string csv_line(const store::LogEntry& e) {
    return format_instant(e.at) + "," + cell(e.integration) + "," + cell(e.entity) + "," +
           std::string(store::to_string(e.direction)) + "," + cell(e.action) + "," + cell(e.status) + "," +
           cell(e.external_id) + "," + e.record + "," + std::to_string(e.run) + "," + cell(e.message) +
           "\r\n";
}

std::string next_of(const store::LogPage& page) {
    return page.is_last ? std::string()
                        : std::to_string(page.before_log) + "-" + std::to_string(page.before_change);
}

// "17-230", as `next` says; false where it is something else.
bool read_position(const std::string& text, store::Filter& filter) {
    if (text.empty()) return true;
    char rest = 0;
    long long log = 0, change = 0;
    if (std::sscanf(text.c_str(), "%lld-%lld%c", &log, &change, &rest) != 2) return false;
    filter.before = log;
    filter.before_change = change;
    return log > 0 && change > 0;
}

void list_log(const Backend& backend, const Call& call, const store::Filter& filter) {
    backend.store.read([filter](store::Database& database) { return database.logs(filter); },
                       [answer = call.answer](Result<store::LogPage> page) {
                           if (!page) return answer(problem(page.error()));
                           json::array items;
                           for (const store::LogEntry& row : page->rows) items.push_back(to_json(row));
                           answer(ok({{"items", std::move(items)}, {"next", text_or_null(next_of(*page))}}));
                       });
}

// All of it, page by page, as fast as the other side takes it.
class Export : public std::enable_shared_from_this<Export> {
  public:
    Export(const Backend& backend, store::Filter filter, bool csv, std::shared_ptr<web::Stream> stream)
        : backend_(backend), filter_(std::move(filter)), csv_(csv), stream_(std::move(stream)) {}

    // [core thread]
    void begin() {
        stream_->on_drained([self = shared_from_this()](bool open) {
            if (!open) {
                // Nobody listens: what refers to this goes with the stream.
                return;
            }
            self->backend_.timers.post([self] { self->send_more(); });
        });
        if (csv_) stream_->send(csv_head);
        send_more();
    }

  private:
    void send_more() {
        if (reading_ || ended_) return;
        reading_ = true;
        backend_.store.read([filter = filter_](store::Database& database) { return database.logs(filter); },
                            [self = shared_from_this()](Result<store::LogPage> page) {
                                self->reading_ = false;
                                self->send(page);
                            });
    }
    void send(const Result<store::LogPage>& page) {
        std::string piece;
        for (const store::LogEntry& row : page ? page->rows : std::vector<store::LogEntry>())
            piece += csv_ ? csv_line(row) : json::serialize(to_json(row)) + "\n";
        ended_ = !page || page->is_last;
        if (page) filter_.before = page->before_log, filter_.before_change = page->before_change;
        if (!piece.empty()) stream_->send(std::move(piece));
        if (ended_) stream_->end();
    }

    const Backend& backend_;
    store::Filter filter_;
    const bool csv_;
    std::shared_ptr<web::Stream> stream_;
    bool reading_ = false, ended_ = false;
};

void export_log(const Backend& backend, const Call& call, store::Filter filter, bool csv) {
    web::Answer answer{200, csv ? "text/csv; charset=utf-8" : "application/x-ndjson", ""};
    answer.headers.emplace_back("Content-Disposition", std::string("attachment; filename=\"liaison-log.") +
                                                           (csv ? "csv\"" : "ndjson\""));
    filter.limit = exported_at_once;
    answer.stream = [&backend, filter, csv](std::shared_ptr<web::Stream> stream) {
        backend.timers.post([&backend, filter, csv, stream = std::move(stream)] {
            std::make_shared<Export>(backend, filter, csv, stream)->begin();
        });
    };
    call.answer(std::move(answer));
}

void show_log(const Backend& backend, const Call& call) {
    store::Filter filter = call.filter();
    filter.before = 0;
    if (!read_position(call.text("before"), filter))
        return call.answer(problem(400, "before must be the `next` of a page before"));
    const std::string format = call.text("format");
    if (format == "csv" || format == "ndjson") return export_log(backend, call, filter, format == "csv");
    list_log(backend, call, filter);
}

}  // namespace

void add_log_routes(Router& router, const Backend& backend) {
    router.add(
        {.method = "GET",
         .pattern = "/logs",
         .summary = "What became of single records, newest first",
         .query =
             {text_parameter("integration", "Only of this integration"),
              text_parameter("tenant", "Only of this tenant"),
              text_parameter("entity", "Only of this entity"),
              text_parameter("record", "Only of this record of the hub"),
              text_parameter("status", "Only with this outcome, such as success or rejected"),
              {Parameter::Kind::word, "direction", "Only into the hub, or out of it", {"import", "export"}},
              {Parameter::Kind::number, "run", "Only of this run"},
              {Parameter::Kind::instant, "since", "From here on"},
              {Parameter::Kind::instant, "until", "Before this"},
              {Parameter::Kind::word,
               "format",
               "json: a page; ndjson and csv: all of it, as a file",
               {"json", "ndjson", "csv"}},
              limit_parameter(),
              text_parameter("before", "The `next` of the page before")},
         .answers = "[LogEntry]",
         .handle = [&backend](Call& call) { show_log(backend, call); }});
}

}  // namespace liaisond::api
