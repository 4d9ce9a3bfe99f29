// Figures f and g of `run`: the real daemon, a worker and the simulator, beside the least a program can do.
//
//   export_bench f RECORDS LATENCY_MS CONCURRENCY     products to a vendor that takes that long for each
//   write export_bench g CHANGES                            from the commit of a change to its write at
//   another vendor
//
// Prints lines for `run`: figure, what, whose, number, unit. The baseline of f keeps so many writes under way
// on one libcurl multi handle; it stores nothing. The baseline of g commits one durable row and sends one
// write.
#include <curl/curl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace {

namespace json = boost::json;
using namespace liaison_system;
using Clock = std::chrono::steady_clock;

constexpr std::size_t batch = 100;  // push_batch, by default

double since(Clock::time_point began) {
    return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

void note(const char* figure, const std::string& what, const char* whose, double value, const char* unit) {
    std::printf("%s\t%s\t%s\t%.3f\t%s\n", figure, what.c_str(), whose, value, unit);
    std::fflush(stdout);
}

// Writes of products, so many under way at once, over connections that are kept.
class BareWrites {
  public:
    explicit BareWrites(std::string url) : url_(std::move(url)), multi_(curl_multi_init()) {
        for (const char* header : {"X-Api-Key: bo-key", "Content-Type: application/json", "Expect:"})
            headers_ = curl_slist_append(headers_, header);
    }
    BareWrites(const BareWrites&) = delete;
    BareWrites& operator=(const BareWrites&) = delete;
    ~BareWrites() {
        curl_multi_cleanup(multi_);
        curl_slist_free_all(headers_);
    }

    double write(int first, int count, int concurrency) {
        next_ = first;
        end_ = first + count;
        const auto began = Clock::now();
        for (int i = 0; i < std::min(count, concurrency); ++i) start(curl_easy_init());
        for (int running = 1; running > 0;) {
            curl_multi_perform(multi_, &running);
            int left = 0;
            while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
                if (finish(message->easy_handle)) running = 1;
            }
            if (running > 0) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
        }
        return since(began);
    }

  private:
    void start(CURL* easy) {
        const std::string url = url_ + "/backoffice/v1/products/BARE-" + std::to_string(next_++);
        curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                         R"({"label":"Huile d'olive vierge extra 5 L","price":"32.9000","currency":"EUR",)"
                         R"("unit":"carton","active":true})");
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &BareWrites::swallow);
        curl_multi_add_handle(multi_, easy);
    }
    // True when the handle goes on with the next record.
    bool finish(CURL* easy) {
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        if (status != 200 && status != 201) throw std::runtime_error("a bare write was refused");
        curl_multi_remove_handle(multi_, easy);
        if (next_ < end_) return start(easy), true;
        curl_easy_cleanup(easy);
        return false;
    }
    static std::size_t swallow(char*, std::size_t, std::size_t bytes, void*) { return bytes; }

    std::string url_;
    CURLM* multi_;
    curl_slist* headers_ = nullptr;
    int next_ = 0, end_ = 0;
};

std::int64_t commits(const House& house) {
    const json::value status = house.get("/api/v1/status");
    return status.is_object() ? number_of(status.get_object(), "commits") : 0;
}

void bench_export(int records, int latency_ms, int concurrency) {
    House house;
    house.seed("shop/products", records);
    house.configure(shop({"[product]"}) + office({"[product]"}, concurrency));
    house.start();
    if (total_of(house.run("shop"), "created") != records) throw std::runtime_error("the import failed");
    house.set("backoffice", "{\"latency_ms\":" + std::to_string(latency_ms) + "}");
    const std::string what = std::to_string(records) + " writes of " + std::to_string(latency_ms) + " ms, " +
                             std::to_string(concurrency) + " at once";
    const double bound = static_cast<double>(records) / concurrency * latency_ms;
    const double bare = BareWrites(house.sim_url()).write(0, records, concurrency);
    const std::int64_t before = commits(house);
    const auto began = Clock::now();
    const std::int64_t run = house.trigger("office");
    json::object seen;
    until(
        [&] {
            seen = house.look_at_run(run);
            return text_of(seen, "status") != "running";
        },
        std::chrono::minutes(10));
    const double took = since(began);
    if (total_of(seen, "exported") != records)
        throw std::runtime_error("the export failed: " + json::serialize(seen));
    note("f", what, "baseline", bare, "ms");
    note("f", what, "ours", took, "ms");
    note("f", "share of the bound " + std::to_string(static_cast<int>(bound)) + " ms", "baseline",
         100 * bound / bare, "%");
    note("f", "share of the bound " + std::to_string(static_cast<int>(bound)) + " ms", "ours",
         100 * bound / took, "%");
    const double batches = std::ceil(static_cast<double>(records) / static_cast<double>(batch));
    note("f", "durable commits per batch of 100", "ours-only",
         static_cast<double>(commits(house) - before) / batches, "");
    house.stop();
}

double at_share(std::vector<double> all, double share) {
    std::sort(all.begin(), all.end());
    return all.at(static_cast<std::size_t>(share * static_cast<double>(all.size() - 1)));
}

// One durable row, one write over a kept connection.
std::vector<double> bare_changes(const House& house, int changes) {
    sqlite3* database = nullptr;
    const std::string path = (house.root() / "bare.db").string();
    if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) throw std::runtime_error("cannot open " + path);
    const auto execute = [&](const char* sql) { sqlite3_exec(database, sql, nullptr, nullptr, nullptr); };
    execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA synchronous = FULL");
    execute("CREATE TABLE change(id INTEGER PRIMARY KEY, payload TEXT)");
    BareWrites writes(house.sim_url());
    std::vector<double> took;
    for (int i = 0; i < changes; ++i) {
        const auto began = Clock::now();
        execute("INSERT INTO change(payload) VALUES(hex(randomblob(300)))");
        writes.write(i, 1, 1);
        took.push_back(since(began));
    }
    sqlite3_close(database);
    return took;
}

// In milliseconds since 1970.
double changed_at(const json::object& product) {
    std::tm at{};
    int milliseconds = 0;
    std::sscanf(text_of(product, "changed_at").c_str(), "%d-%d-%dT%d:%d:%d.%dZ", &at.tm_year, &at.tm_mon,
                &at.tm_mday, &at.tm_hour, &at.tm_min, &at.tm_sec, &milliseconds);
    at.tm_year -= 1900;
    at.tm_mon -= 1;
    return static_cast<double>(::timegm(&at)) * 1000 + milliseconds;
}

// The vendor's change times are unique: many writes at once push them ahead of the clock.
void wait_for_the_clock(const House& house) {
    double newest = 0;
    for (const json::value& record : vendor_records(house, "backoffice/products"))
        newest = std::max(newest, changed_at(record.as_object()));
    until([&] {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration<double, std::milli>(now).count() > newest;
    });
}

// Both ends carry times of the same clock: the change feed's row, written with the import's page, and the
// vendor's change time of the record.
std::vector<double> latencies(const House& house) {
    std::map<std::string, double> committed;
    for (const auto& [sku, at] : Hub(house).pairs("SELECT json_extract(r.payload, '$.sku'), max(c.at) FROM "
                                                  "changes c JOIN records r ON r.rid = c.rid "
                                                  "GROUP BY c.rid HAVING count(*) > 1"))
        committed[sku] = std::strtod(at.c_str(), nullptr);
    std::vector<double> took;
    for (const json::value& record : vendor_records(house, "backoffice/products")) {
        const json::object& product = record.as_object();
        const auto found = committed.find(text_of(product, "code"));
        if (found == committed.end()) continue;
        took.push_back(changed_at(product) - found->second);
    }
    return took;
}

void bench_changes(int changes) {
    House house;
    house.seed("shop/products", changes);
    house.configure(shop({"[product]"}) + office({"{ product: { on_change: true, debounce: 1ms } }"}));
    house.start();
    house.run("shop");
    if (!house.wait_until_at_vendor("backoffice/products", changes))
        throw std::runtime_error("the first export failed");
    const std::vector<double> bare = bare_changes(house, changes);
    wait_for_the_clock(house);
    for (int i = 1; i <= changes; ++i) {
        const std::int64_t written = house.stat("backoffice", "writes_committed");
        house.sim("PUT", "shop/products/" + std::to_string(i),
                  R"({"name":"Riz )" + std::to_string(i) + "\"}");
        house.run("shop");
        until([&] { return house.stat("backoffice", "writes_committed") > written; }, patience,
              std::chrono::milliseconds(1));
    }
    const std::vector<double> ours = latencies(house);
    if (static_cast<int>(ours.size()) != changes)
        throw std::runtime_error("only " + std::to_string(ours.size()) + " changes arrived");
    note("g", "a change committed to its write, median", "baseline", at_share(bare, 0.5), "ms");
    note("g", "a change committed to its write, median", "ours", at_share(ours, 0.5), "ms");
    note("g", "a change committed to its write, p99", "baseline", at_share(bare, 0.99), "ms");
    note("g", "a change committed to its write, p99", "ours", at_share(ours, 0.99), "ms");
    house.stop();
}

int number(const char* text) { return std::max(1, std::atoi(text)); }

}  // namespace

int main(int argc, char** argv) {
    int none = 0;
    testing::InitGoogleTest(&none, static_cast<char**>(nullptr));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const std::string_view figure = argc > 1 ? argv[1] : "";
    try {
        if (figure == "f" && argc == 5)
            bench_export(number(argv[2]), number(argv[3]), number(argv[4]));
        else if (figure == "g" && argc == 3)
            bench_changes(number(argv[2]));
        else
            return std::fprintf(stderr, "usage: export_bench f RECORDS LATENCY_MS CONCURRENCY | g CHANGES\n"),
                   2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "export_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
