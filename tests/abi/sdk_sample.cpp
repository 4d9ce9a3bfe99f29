// A plugin on the C++ SDK that uses every effect: what the runtimes, the script runner and the sanitizers are
// tried on.
#include <liaison/sdk.hpp>

#include "liaison_manifest.hpp"

namespace {

using namespace std::chrono_literals;

const std::string origin = "https://sample.example";

class Sample : public liaison::Connector {
  public:
    explicit Sample(std::string_view config) {
        if (config.find("refuse") != std::string_view::npos) {
            throw liaison::Failure(liaison::ErrorKind::config, "the sample does not like its settings");
        }
    }

    liaison::Task<std::string> test(liaison::Context& context) override {
        const liaison::Response answer = co_await context.send(get("/account"));
        if (answer.status == 401) throw liaison::Failure(liaison::ErrorKind::auth, "the token is refused");
        co_return answer.body;
    }

    // Pages of one record per line of the answer; the next page is read while the host commits.
    liaison::Task<void> pull(liaison::Context& context, const liaison::Start& start) override {
        std::string path = "/" + start.entity + "?after=" + (start.full ? std::string() : start.cursor);
        liaison::Response page = co_await context.send(get(path));
        while (page.status == 429) {
            co_await context.sleep(2s);
            page = co_await context.send(get(path));
        }
        while (!page.body.empty()) {
            std::vector<liaison::Record> records = read(page.body);
            const std::string cursor = records.back().key;
            liaison::Emitted emitted = co_await context.emit_pipelined(std::move(records), cursor);
            for (const liaison::Rejection& rejection : emitted.rejections) {
                context.log(LIAISON_LOG_WARNING, "rejected: " + rejection.text);
            }
            page = co_await context.send(get("/" + start.entity + "?after=" + cursor));
        }
    }

    liaison::Task<void> push(liaison::Context& context, const liaison::Start& start) override {
        for (std::size_t i = 0; i < start.records.size(); ++i) {
            const liaison::Record& record = start.records[i];
            liaison::Request request = liaison::Request("PUT", origin + "/" + start.entity + "/" + record.key)
                                           .auth("bearer")
                                           .content("application/json", record.payload)
                                           .mutates(static_cast<std::int32_t>(i))
                                           .idempotent_by(record.reference);
            const liaison::Response answer = co_await context.send(std::move(request));
            std::vector<liaison::Result> results;
            results.push_back(judge(static_cast<std::uint32_t>(i), answer));
            co_await context.result(std::move(results));
        }
    }

    liaison::Task<void> find(liaison::Context& context, const liaison::Start& start) override {
        std::vector<liaison::Request> requests;
        if (start.queries.empty()) co_return;
        for (const liaison::Query& query : start.queries) requests.push_back(get("/find/" + query.reference));
        const std::vector<liaison::Response> answers = co_await context.send_all(std::move(requests), 4);
        std::vector<liaison::Result> results;
        for (std::uint32_t i = 0; i < answers.size(); ++i) {
            if (answers[i].ok())
                results.push_back(liaison::Result(i, LIAISON_OUTCOME_FOUND).at(answers[i].body));
            else
                results.emplace_back(i, LIAISON_OUTCOME_NOT_FOUND);
        }
        co_await context.result(std::move(results));
    }

  private:
    static liaison::Request get(const std::string& path) {
        return liaison::Request("GET", origin + path).auth("bearer").header("Accept", "text/plain");
    }
    static std::vector<liaison::Record> read(const std::string& body) {
        std::vector<liaison::Record> records;
        for (std::size_t at = 0; at < body.size();) {
            const std::size_t end = std::min(body.find('\n', at), body.size());
            const std::string key = body.substr(at, end - at);
            records.emplace_back(key,
                                 "{\"number\":\"" + key + "\",\"note\":\"" + std::string(40, '.') + "\"}");
            at = end + 1;
        }
        return records;
    }
    static liaison::Result judge(std::uint32_t index, const liaison::Response& answer) {
        if (answer.ok()) {
            return liaison::Result(index, LIAISON_OUTCOME_CREATED)
                .at(std::string(answer.header("location")), std::string(answer.header("etag")));
        }
        return liaison::Result(index, LIAISON_OUTCOME_REJECTED)
            .because(liaison::ErrorKind::invalid_record, answer.body);
    }
};

std::unique_ptr<liaison::Connector> make(std::string_view config) { return std::make_unique<Sample>(config); }

}  // namespace

LIAISON_PLUGIN(make)
