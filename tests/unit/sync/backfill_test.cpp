// Back-fills: a range of dates beside the live stream, through crashes, failures and two imports that meet.
#include "sync/backfill.hpp"

#include <gtest/gtest.h>

#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

// Lists products page by page with a cursor, of all days or of a range of them.
struct Archive {
    struct Row {
        std::string name, day;
    };
    std::map<int, Row> rows;
    std::vector<std::string> asked;  // the query of each request
    std::function<void(const http::Request&)> at_request = [](const http::Request&) {};

    http::Response operator()(const http::Request& request) {
        if (request.method == "POST") {
            const int id = static_cast<int>(rows.size()) + 1;
            rows[id] = {std::string(json::parse(request.body).at("name").as_string()), "2026-01-01"};
            at_request(request);  // it is there, and its answer is on its way
            return answer_json(201, json::object{{"id", id}});
        }
        asked.push_back(request.url.substr(request.url.find('?') + 1));
        const std::string from = query_of(request, "from"), to = query_of(request, "to");
        const int after = std::atoi(query_of(request, "after").c_str());
        const std::size_t size = std::max(1, std::atoi(query_of(request, "limit").c_str()));
        json::array items;
        int last = 0;
        bool more = false;
        for (const auto& [id, row] : rows) {
            if (id <= after || (!from.empty() && row.day < from) || (!to.empty() && row.day >= to)) continue;
            more = items.size() == size;
            if (more) break;
            items.push_back({{"id", id}, {"name", row.name}, {"sku", "S" + std::to_string(id)}});
            last = id;
        }
        json::object page{{"items", items}};
        if (more) page["next"] = std::to_string(last);
        http::Response answer = answer_json(200, page);
        at_request(request);  // what it does, this answer does not show yet
        return answer;
    }
    std::size_t asked_for_ranges() const {
        return static_cast<std::size_t>(
            std::count_if(asked.begin(), asked.end(),
                          [](const std::string& query) { return query.find("from=") != query.npos; }));
    }
};

std::shared_ptr<sync::Link> archive_link() {
    auto link = make_link(
        "archive",
        R"({"base_url":"http://archive.example","auth":{"scheme":"none"},"entities":{"product":{"key":"/id",
        "list":{"path":"/products","items":"/items","paging":{"style":"cursor","next":"/next","cursor_param":"after",
        "size_param":"limit","size":10},"range":{"from":"from","to":"to","format":"date"}},
        "fields":{"/name":"/name","/sku":"/sku"}}}})",
        true, "http://archive.example");
    link->date_ranges = {"product"};
    return link;
}

sync::RunRequest backfill(const char* from, const char* to) {
    sync::RunRequest request;
    request.range = sync::parse_range(from, to).value();
    return request;
}

class Backfills : public testing::Test {
  protected:
    World world{1};
    std::shared_ptr<Archive> archive = std::make_shared<Archive>();
    SimNetwork network{world, {{"http://archive.example:80", [archive = archive](const http::Request& r) {
                                    return (*archive)(r);
                                }}}};
    TempDir directory;
    std::unique_ptr<SimHouse> house = std::make_unique<SimHouse>(world, network, directory.path());

    // Ten products a day of January, by number.
    void fill(int count) {
        for (int id = 1; id <= count; ++id) {
            const int day = 1 + (id - 1) / 10;
            archive->rows[id] = {"Product " + std::to_string(id),
                                 std::string("2026-01-") + (day < 10 ? "0" : "") + std::to_string(day)};
        }
    }
    void start(const std::shared_ptr<sync::Link>& link = archive_link()) {
        house->start({link});
        world.run_until([] { return false; }, Milliseconds(20));  // what it finds in the store is taken up
    }
    // The daemon dies and another one takes over.
    void restart() {
        house.reset();
        house = std::make_unique<SimHouse>(world, network, directory.path());
        start();
    }
    std::string refusal(const sync::RunRequest& request) {
        std::string text;
        house->engine->trigger("archive", request, [&](Result<std::int64_t> run) {
            text = run ? "accepted" : run.error().message;
        });
        world.run_until([&] { return !text.empty(); }, Milliseconds(100));
        return text;
    }
    std::int64_t begin(const sync::RunRequest& request) {
        std::int64_t id = 0;
        house->engine->trigger("archive", request, [&](Result<std::int64_t> run) { id = run.value_or(-1); });
        world.run_until([&] { return id != 0; }, std::chrono::hours(1));
        return id;
    }
    store::Run finish(std::int64_t run) {
        EXPECT_TRUE(world.run_until([&] { return !house->engine->live_run(run); }, std::chrono::hours(1)));
        return stored(run);
    }
    store::Run stored(std::int64_t run) const {
        store::Filter filter;
        filter.run = run;
        const auto rows = house->store.database().runs(filter).value();
        return rows.empty() ? store::Run() : rows.front();
    }
    std::map<std::string, std::string> names() const {
        std::map<std::string, std::string> found;
        store::Filter filter;
        filter.limit = 1000;
        const auto rows = house->store.database().records(filter).value();
        for (const store::RecordRow& row : rows) {
            const json::object payload = json::parse(row.payload).as_object();
            found[std::string(payload.at("sku").as_string())] = std::string(payload.at("name").as_string());
        }
        return found;
    }
    std::vector<sync::BackfillStatus> shown() const { return house->engine->status().at(0).backfills; }
    std::string cursor(store::Lane lane) const {
        return house->store.database().cursor("archive", "product", lane).value();
    }
};

TEST_F(Backfills, ReadTheirRangeBesideALiveRunAndLeaveItsCursorAlone) {
    fill(100);
    start();
    const std::int64_t live = begin({});
    const std::int64_t run = begin(backfill("2026-01-03", "2026-01-05"));
    ASSERT_GT(run, 0);
    EXPECT_TRUE(house->engine->live_run(live)) << "they are in flight together";
    EXPECT_EQ(house->engine->running(), 2u);
    ASSERT_EQ(shown().size(), 1u);
    EXPECT_EQ(shown()[0].state, "running");
    EXPECT_EQ(shown()[0].run, run);
    const store::Run filled = finish(run);
    EXPECT_EQ(filled.status, store::RunStatus::success) << filled.error;
    EXPECT_EQ(filled.trigger, "backfill");
    ASSERT_EQ(filled.entities.size(), 1u) << "it exports nothing";
    EXPECT_EQ(filled.entities[0].counters.fetched, 20);
    const store::Run whole = finish(live);
    EXPECT_EQ(whole.status, store::RunStatus::success) << whole.error;
    EXPECT_EQ(whole.entities.at(0).counters.fetched, 100);
    EXPECT_EQ(names().size(), 100u);
    EXPECT_EQ(filled.entities[0].counters.created + whole.entities[0].counters.created, 100);
    EXPECT_EQ(cursor(store::Lane::live), "{}");
    EXPECT_EQ(cursor(store::Lane::backfill), "") << "it went with the back-fill";
    EXPECT_TRUE(shown().empty());
    const auto status = house->engine->status().at(0);
    EXPECT_EQ(status.last_run->id, live) << "the last run is that of the live stream";
}

TEST_F(Backfills, GoOnByThemselvesAfterACrashWhereTheyStood) {
    fill(100);
    start();
    const std::int64_t first = begin(backfill("2026-01-01", "2026-02-01"));
    world.run_until([&] { return cursor(store::Lane::backfill) == R"({"next":"40"})"; },
                    std::chrono::hours(1));
    archive->asked.clear();
    restart();
    world.run_until([] { return false; }, Milliseconds(50));
    ASSERT_EQ(shown().size(), 1u);
    EXPECT_EQ(shown()[0].state, "waiting");
    EXPECT_EQ(stored(first).status, store::RunStatus::interrupted);
    EXPECT_TRUE(
        world.run_until([&] { return names().size() == 100 && shown().empty(); }, std::chrono::minutes(1)));
    EXPECT_EQ(archive->asked.size(), 6u) << "pages that were stored are not asked for again";
    EXPECT_EQ(archive->asked.front(), "limit=10&from=2026-01-01&to=2026-02-01&after=40");
    const store::Run second = finish(first + 1);
    EXPECT_EQ(second.trigger, "backfill");
    EXPECT_EQ(second.entities.at(0).counters.fetched, 60);
    world.run_until([] { return false; }, std::chrono::hours(24));
    EXPECT_EQ(stored(first + 2).id, 0) << "it is over";
    EXPECT_EQ(cursor(store::Lane::backfill), "");
}

TEST_F(Backfills, ACancelledOneIsOverForGood) {
    fill(100);
    start();
    const std::int64_t run = begin(backfill("2026-01-01", "2026-02-01"));
    world.run_until([&] { return archive->asked.size() == 3; }, std::chrono::hours(1));
    EXPECT_TRUE(house->engine->cancel(run));
    world.run_until([] { return false; }, Milliseconds(10));  // the crash comes before the run has ended
    restart();
    world.run_until([] { return false; }, std::chrono::hours(24));
    EXPECT_TRUE(shown().empty());
    EXPECT_LT(names().size(), 100u);
    // The same range, asked for again, begins at its beginning.
    archive->asked.clear();
    EXPECT_EQ(finish(begin(backfill("2026-01-01", "2026-02-01"))).entities.at(0).counters.fetched, 100);
}

TEST_F(Backfills, FailuresThatPassArePassed) {
    fill(30);
    auto link = archive_link();
    start(link);
    network.down = true;
    const std::int64_t run = begin(backfill("2026-01-01", "2026-02-01"));
    EXPECT_EQ(finish(run).status, store::RunStatus::failed);
    ASSERT_EQ(shown().size(), 1u);
    EXPECT_EQ(shown()[0].state, "waiting");
    EXPECT_NE(shown()[0].error.find("no connection"), std::string::npos) << shown()[0].error;
    EXPECT_EQ(house->engine->status().at(0).failures, 0u) << "the live stream did not fail";
    network.down = false;
    EXPECT_TRUE(world.run_until([&] { return shown().empty(); }, std::chrono::hours(2)));
    EXPECT_EQ(names().size(), 30u);
}

TEST_F(Backfills, OneThatWaitsIsCancelledByItsLatestRun) {
    fill(30);
    start();
    network.down = true;
    const std::int64_t run = begin(backfill("2026-01-01", "2026-02-01"));
    finish(run);
    ASSERT_EQ(shown().size(), 1u);
    EXPECT_FALSE(house->engine->cancel(run + 1));
    EXPECT_TRUE(house->engine->cancel(run));
    network.down = false;
    world.run_until([] { return false; }, std::chrono::hours(24));
    EXPECT_TRUE(shown().empty());
    EXPECT_TRUE(names().empty());
}

TEST_F(Backfills, WhatNoRepetitionHelpsEndsThem) {
    fill(30);
    auto link = archive_link();
    auto egress = std::make_shared<http::Egress>();
    link->egress = egress;
    link->instance.config.replace(link->instance.config.find(R"("range")"), 7, R"("other")");
    start(link);
    const store::Run run = finish(begin(backfill("2026-01-01", "2026-02-01")));
    EXPECT_EQ(run.status, store::RunStatus::failed);
    EXPECT_NE(run.error.find("'list.range' is missing"), std::string::npos) << run.error;
    EXPECT_TRUE(shown().empty());
}

TEST_F(Backfills, SeveralWaitForEachOtherAndSurviveTogether) {
    fill(60);
    start();
    begin(backfill("2026-01-01", "2026-01-03"));
    house->engine->trigger("archive", backfill("2026-01-05", "2026-01-07"), [](Result<std::int64_t>) {});
    house->engine->trigger("archive", backfill("2026-01-05", "2026-01-06"), [](Result<std::int64_t>) {});
    world.run_until([] { return false; }, Milliseconds(10));
    ASSERT_EQ(shown().size(), 2u) << "the third one is part of the second";
    EXPECT_EQ(shown()[1].state, "queued");
    restart();
    EXPECT_TRUE(
        world.run_until([&] { return names().size() == 40 && shown().empty(); }, std::chrono::hours(1)));
}

TEST_F(Backfills, AReloadLetsThemGoOnWithTheNewConfiguration) {
    fill(100);
    auto link = archive_link();
    start(link);
    const std::int64_t first = begin(backfill("2026-01-01", "2026-02-01"));
    world.run_until([&] { return archive->asked.size() == 3; }, std::chrono::hours(1));
    auto changed = archive_link();
    changed->config.fingerprint += " ";
    changed->config.page_size = 7;
    house->engine->configure({changed});
    EXPECT_EQ(finish(first).status, store::RunStatus::interrupted);
    EXPECT_TRUE(
        world.run_until([&] { return names().size() == 100 && shown().empty(); }, std::chrono::hours(1)));
    EXPECT_EQ(archive->asked.size(), 11u) << "the page that was on its way is asked for again, no other";
}

TEST_F(Backfills, AreRefusedWithTheReason) {
    fill(1);
    auto link = archive_link();
    config::Entity& customer = link->config.entities.emplace_back();
    customer.name = "customer";
    customer.imports = true;
    config::Entity& order = link->config.entities.emplace_back();
    order.name = "sales_order";
    order.exports = true;
    start(link);
    sync::RunRequest request = backfill("2026-01-01", "2026-02-01");
    request.entity = "customer";
    EXPECT_EQ(refusal(request),
              "the connector 'custom_api' cannot ask for a range of dates of customer; see `range` in its "
              "settings, where it has one, or read everything with: liaisonctl run archive --full");
    request.entity = "sales_order";
    EXPECT_EQ(refusal(request), "'archive' does not import sales_order: there is nothing to fill");
    request.entity = "unicorn";
    EXPECT_EQ(refusal(request), "the integration 'archive' has no entity 'unicorn'");
    request = backfill("2026-01-01", "2026-02-01");
    request.full = true;
    EXPECT_NE(refusal(request).find("without full"), std::string::npos);
    EXPECT_EQ(sync::parse_range("2026-02-01", "2026-02-01").error().message,
              "the range from 2026-02-01 to 2026-02-01 is empty: `to` is the first day that is no longer "
              "part of it");
    EXPECT_NE(sync::parse_range("2026-01-01", "").error().message.find("needs both ends"), std::string::npos);
    for (const char* text :
         {"2026-02-30", "2026-2-1", "01.02.2026", "1979-12-31", "2200-01-01", "2026-01-0x"})
        EXPECT_FALSE(sync::parse_day(text)) << text;
}

TEST_F(Backfills, DatesAreThoseOfTheTenant) {
    fill(1);
    auto link = archive_link();
    link->tenant.timezone = "Europe/Paris";
    link->instance.config.replace(link->instance.config.find(R"("format":"date")"), 15, R"("format":"unix")");
    start(link);
    finish(begin(backfill("2026-03-29", "2026-03-30")));  // the day with 23 hours
    EXPECT_EQ(archive->asked.front(), "limit=10&from=1774738800&to=1774821600");
}

TEST_F(Backfills, AnOldPageDoesNotUndoWhatTheLiveRunHasBroughtSince) {
    fill(10);
    start();
    finish(begin({}));
    archive->rows[5].name = "Before";
    // The answer to the back-fill is on its way when the record changes, and a live run brings the change.
    archive->at_request = [this, is_first = true](const http::Request& request) mutable {
        if (query_of(request, "from").empty() || !std::exchange(is_first, false)) return;
        archive->rows[5].name = "After";
        std::int64_t live = 0;
        house->engine->trigger("archive", {}, [&](Result<std::int64_t> run) { live = run.value_or(-1); });
        world.run_until([&] { return live != 0 && !house->engine->live_run(live); }, std::chrono::minutes(1));
        EXPECT_EQ(names().at("S5"), "After");
    };
    const store::Run run = finish(begin(backfill("2026-01-01", "2026-02-01")));
    EXPECT_EQ(run.status, store::RunStatus::success) << run.error;
    EXPECT_EQ(names().at("S5"), "After");
}

// What an export has just created and not yet heard of is in the page that a back-fill reads meanwhile.
TEST_F(Backfills, AnExportBesideThemMakesNoTwin) {
    auto link = archive_link();
    link->config.entities[0].exports = true;
    link->effects["product"] = sync::EffectClass::blind;
    std::string& config = link->instance.config;
    const std::size_t fields = config.find(R"("fields")");
    config.insert(fields, R"("create":{"path":"/products","id":"/id"},)");
    start(link);
    store::ImportPage page;
    page.tenant = "house";
    page.integration = "elsewhere";
    page.entity = "product";
    store::ImportWrite& write = page.writes.emplace_back();
    write.record = "01953e2a-0000-7000-8000-000000000001";
    write.external_id = "E1";
    write.new_version = write.synced_version = 1;
    write.payload = R"({"name":"From elsewhere","sku":"E1"})";
    write.change = store::Action::created;
    ASSERT_TRUE(house->store.database().commit_page(page));
    std::int64_t run = 0;
    archive->at_request = [&](const http::Request& request) {
        if (request.method != "POST") return;
        house->engine->trigger("archive", backfill("2026-01-01", "2026-02-01"),
                               [&](Result<std::int64_t> id) { run = id.value_or(-1); });
        world.run_until([] { return false; }, Milliseconds(200));
        EXPECT_EQ(archive->asked_for_ranges(), 1u) << "the back-fill has its page";
        EXPECT_EQ(names().size(), 1u);
    };
    EXPECT_EQ(finish(begin({})).entities.at(1).counters.exported, 1);
    const store::Run filled = finish(run);
    EXPECT_EQ(filled.status, store::RunStatus::success) << filled.error;
    EXPECT_EQ(filled.entities.at(0).counters.created, 0);
    EXPECT_EQ(house->store.database().records({}).value().size(), 1u);
    EXPECT_EQ(archive->rows.size(), 1u);
}

// Somebody else's change comes between the decision on a page and its commit.
class MeetingImports : public Backfills, public testing::WithParamInterface<int> {
  protected:
    // Before the n-th commit of the page's kind, the record S5 gets another content in the hub.
    void change_before_page(int pages) {
        house->store.dies_at = [this, pages, seen = 0](std::string_view point) mutable {
            if (point == "before work" && !names().empty() && ++seen == pages) {
                store::Database& database = house->store.database();
                const auto found =
                    database.look_up("archive", "product", {{"5", "x", "", false, ""}}).value();
                store::ImportPage page;
                page.tenant = "house";
                page.integration = "archive";
                page.entity = "product";
                page.run = 1;
                store::ImportWrite& write = page.writes.emplace_back();
                write.rid = found[0].rid;
                write.external_id = "5";
                write.expected_version = found[0].version;
                write.new_version = write.synced_version = found[0].version + 1;
                write.hash = "other";
                write.payload = R"({"name":"From elsewhere","sku":"S5"})";
                write.change = store::Action::updated;
                EXPECT_TRUE(database.commit_page(page));
            }
            return false;
        };
    }
};

// The emits of custom_api are pipelined: the page lags while the next one is fetched.
TEST_P(MeetingImports, APageThatLagsIsDecidedAnew) {
    fill(30);
    start();
    finish(begin({}));
    for (int id = 1; id <= 30; ++id) archive->rows[id].name = "Second " + std::to_string(id);
    change_before_page(GetParam());
    sync::RunRequest full;
    full.full = true;
    const store::Run run = finish(begin(full));
    EXPECT_EQ(run.status, store::RunStatus::success) << run.error;
    EXPECT_EQ(run.entities.at(0).counters.fetched, 30);
    EXPECT_EQ(run.entities.at(0).counters.updated, 30);
    for (const auto& [sku, name] : names()) EXPECT_EQ(name, "Second " + sku.substr(1));
}

INSTANTIATE_TEST_SUITE_P(Commits, MeetingImports, testing::Range(1, 3));

}  // namespace
}  // namespace liaisond::sync_test
