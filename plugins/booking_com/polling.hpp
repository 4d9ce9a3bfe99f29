// Where a pull stands: when the queues were asked, which reservations were missed, how acknowledgements are
// judged. Kept in the cursor, so that the pace holds from one run to the next.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <liaison/sdk/types.hpp>

#include "wire.hpp"

namespace booking_com {

struct Acknowledged {
    bool is_taken = false;
    std::chrono::milliseconds again{0};  // worth repeating after this; 0: not
    std::string note;                    // for the log
    std::optional<Failure> failure;      // ends the run; what is not acknowledged comes again
};

class Poll {
  public:
    Poll(const Settings& settings, const liaison::Start& start, std::int64_t now_ms) : settings_(settings) {
        // The usual polls may have just been there.
        if (start.has_range()) fresh_ms_ = changed_ms_ = now_ms;
        if (start.has_range() || start.cursor.empty()) return;
        Json from;
        try {
            from = Json::parse(start.cursor);
        } catch (const liaison::JsonError&) { return; }
        using settings_parts::number;
        succeeded_ms = number(from, "ok", 0);
        posted_ms = number(from, "post", 0);
        fresh_ms_ = number(from, "new", 0);
        changed_ms_ = number(from, "modify", 0);
        const Json* list = from.find("missed");
        if (list == nullptr || !list->is_array()) return;
        for (const Json& one : list->items()) missed.emplace_back(one.scalar_text());
    }
    std::string dump() const {
        Json out = Json::object();
        out.set("ok", succeeded_ms);
        out.set("new", fresh_ms_);
        out.set("modify", changed_ms_);
        out.set("post", posted_ms);
        if (!missed.empty()) {
            Json list = Json::array();
            for (const std::string& one : missed) list.push_back(one);
            out.set("missed", std::move(list));
        }
        return out.dump();
    }

    // How long until the queue may be asked. A clock that was set back makes nobody wait longer than the gap.
    std::chrono::milliseconds wait(Queue queue, std::int64_t now_ms) const {
        const auto left = [&](std::int64_t since, std::int64_t gap) {
            return since == 0 ? 0 : std::clamp<std::int64_t>(since + gap - now_ms, 0, gap);
        };
        const std::int64_t after_poll =
            left(queue == Queue::fresh ? fresh_ms_ : changed_ms_, settings_.poll_gap_ms);
        const std::int64_t wanted = std::max(after_poll, left(posted_ms, settings_.after_post_ms));
        return std::chrono::milliseconds(std::min<std::int64_t>(wanted, 60'000));  // the host's longest sleep
    }
    void asked(Queue queue, std::int64_t now_ms) {
        (queue == Queue::fresh ? fresh_ms_ : changed_ms_) = now_ms;
    }

    // ---- acknowledgements ----

    Acknowledged judge(const Response& answer, const std::vector<std::string>& ids, const std::string& url,
                       std::int64_t now_ms) {
        Acknowledged verdict;
        if (answer.error == LIAISON_ERROR_UNKNOWN_OUTCOME) {
            verdict.is_taken = true;  // or it comes again, and is acknowledged again
            verdict.note = "no answer to an acknowledgement: " + answer.error_text;
            return verdict;
        }
        if (answer.error != LIAISON_ERROR_NONE) {
            verdict.failure.emplace(static_cast<ErrorKind>(answer.error), answer.error_text);
            return verdict;
        }
        std::optional<Failure> why;
        if (!answer.ok()) why.emplace(refusal(answer, url, now_ms));
        if (answer.ok()) why = fault_in(answer, url);
        if (!why) {
            verdict.is_taken = true;
            return verdict;
        }
        if (is_passing(*why, answer)) {
            verdict.again = pause(*why);
            verdict.failure = std::move(why);
            return verdict;
        }
        const bool is_about_these =
            answer.ok() ? why->kind != ErrorKind::auth
                        : answer.status == 400 || answer.status == 403 || answer.status == 404;
        if (!is_about_these) {
            verdict.failure = std::move(why);
            return verdict;
        }
        if (ids.size() > 1) return verdict;
        verdict.note = "acknowledgement of reservation " + ids.front() + ": " + meaning(answer.status) +
                       " (" + why->detail + ")";
        if (answer.status != 400 && answer.status != 404) denied = std::move(why);
        return verdict;
    }
    std::optional<Failure> denied;  // an acknowledgement that no later poll will mend

    // ---- recovery ----

    bool needs_recovery(std::int64_t now_ms) const {
        return settings_.recover_after_ms > 0 && succeeded_ms != 0 &&
               now_ms - succeeded_ms > settings_.recover_after_ms;
    }
    std::string missed_url(std::int64_t now_ms, const std::string& cursor) const {
        const auto time = [&](std::int64_t ms) {
            const std::string text = kit::rfc3339(ms / 1000 * 1000);
            return kit::percent_encoded(settings_.recovers_by_date ? text.substr(0, 10) : text);
        };
        constexpr std::int64_t before = 30 * 60'000;  // what was waiting then may have run out since
        std::string url = settings_.supply_url + "/reservations-flow-control/missed-reservations?from=" +
                          time(succeeded_ms - before) + "&until=" + time(now_ms) + "&page_size=50";
        if (!cursor.empty())
            url += "&" + settings_.recovery_cursor_parameter + "=" + kit::percent_encoded(cursor);
        return url;
    }
    // Returns the cursor of the next page; empty: this was the last.
    std::string take_missed(const Json& page, const std::string& url) {
        const Json* errors = page.find("errors");
        if (errors != nullptr && errors->is_array() && !errors->items().empty())
            throw Failure(ErrorKind::permanent, "missed reservations were refused (" + url + ")",
                          kit::excerpt(errors->dump(), kit::max_vendor_text));
        const Json* data = page.find("data");
        if (data == nullptr || !data->is_array() || data->items().empty()) return {};
        for (const Json& one : data->items()) {
            const Json* id = one.find("reservation_id");
            if (id == nullptr || id->scalar_text().empty()) continue;
            const std::string text(id->scalar_text());
            if (std::find(missed.begin(), missed.end(), text) == missed.end()) missed.push_back(text);
        }
        const Json* next = page.at(settings_.recovery_cursor_field);
        return next != nullptr ? std::string(next->scalar_text()) : std::string();
    }
    void found(const std::string& id) { std::erase(missed, id); }

    // "2026-05-01 00:00:00"
    std::string history_begin(const liaison::Start& start, std::int64_t now_ms) const {
        const std::int64_t from =
            start.from_ms != 0 ? start.from_ms : now_ms - settings_.full_days * kit::ms_per_day;
        return kit::format_time("%Y-%m-%d %H:%M:%S", kit::DateTime::from_unix_ms(from / 1000 * 1000));
    }

    std::int64_t succeeded_ms = 0;  // when both queues were last asked and emptied; 0: never
    std::int64_t posted_ms = 0;
    std::vector<std::string> missed;  // still to be fetched

  private:
    static bool is_passing(const Failure& why, const Response& answer) {
        return answer.ok() ? why.kind == ErrorKind::transient : answer.status == 429 || answer.status >= 500;
    }
    std::chrono::milliseconds pause(const Failure& why) const {
        const std::int64_t wanted = why.retry_after_ms > 0 ? why.retry_after_ms : settings_.poll_gap_ms;
        return std::chrono::milliseconds(std::clamp<std::int64_t>(wanted, 1, 60'000));
    }
    static std::optional<Failure> fault_in(const Response& answer, const std::string& url) {
        pugi::xml_document document;
        try {
            load(document, answer, url);
        } catch (const Failure& why) { return why; }
        for (const Fault& fault : faults_of(document)) {
            if (!fault.is_warning) return fault_failure(fault, url);
        }
        return std::nullopt;
    }
    static std::string meaning(std::uint32_t status) {
        if (status == 400) return "a newer message exists, which the next poll brings";
        if (status == 404) return "Booking.com does not know it";
        if (status == 403) return "the property is not this account's";
        return "refused";
    }

    const Settings& settings_;
    std::int64_t fresh_ms_ = 0, changed_ms_ = 0;
};

}  // namespace booking_com
