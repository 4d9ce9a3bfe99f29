#include "plugin/frames.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include <xxhash.h>

#include "plugin/limits.hpp"

namespace liaisond::plugin {

namespace {

template <class T, class... Choices>
concept one_of = (std::same_as<std::remove_const_t<T>, Choices> || ...);

// The format: fields in order, said once for measuring, writing and reading.
template <class A, one_of<Header> T>
void fields(A& a, T& v) {
    a(v.name, v.value);
}
template <class A, one_of<Record> T>
void fields(A& a, T& v) {
    a(v.deleted, v.key, v.version, v.payload, v.reference, v.changed_ms, v.entity);
}
template <class A, one_of<Query> T>
void fields(A& a, T& v) {
    a(v.reference, v.key, v.payload);
}
template <class A, one_of<WebhookEvent> T>
void fields(A& a, T& v) {
    a(v.id, v.type, v.headers, v.body, v.received_ms);
}
template <class A, one_of<Request> T>
void fields(A& a, T& v) {
    a(v.flags, v.timeout_ms, v.method, v.url, v.auth, v.body, v.idempotency_key, v.headers, v.max_body,
      v.record_index);
}
template <class A, one_of<Response> T>
void fields(A& a, T& v) {
    a(v.error, v.status, v.headers, v.body, v.error_text);
}
template <class A, one_of<Rejection> T>
void fields(A& a, T& v) {
    a(v.index, v.text, v.lost);
}
template <class A, one_of<PushResult> T>
void fields(A& a, T& v) {
    a(v.index, v.outcome, v.category, v.external_id, v.version, v.text, v.retry_after_ms);
}
template <class A, one_of<StartEvent> T>
void fields(A& a, T& v) {
    a(v.entity, v.cursor, v.full, v.page_size, v.deadline_ms, v.seed, v.records, v.queries, v.from_ms,
      v.to_ms, v.events);
}
template <class A, one_of<HttpEvent> T>
void fields(A& a, T& v) {
    a(v.responses);
}
template <class A, one_of<EmittedEvent> T>
void fields(A& a, T& v) {
    a(v.rejections);
}
template <class A, one_of<RecordedEvent, TimerEvent, CancelEvent> T>
void fields(A&, T&) {}
template <class A, one_of<Event> T>
void fields(A& a, T& v) {
    a(v.now_ms, v.body);
}
template <class A, one_of<HttpEffect> T>
void fields(A& a, T& v) {
    a(v.requests, v.max_parallel);
}
template <class A, one_of<EmitEffect> T>
void fields(A& a, T& v) {
    a(v.records, v.cursor, v.pipelined);
}
template <class A, one_of<ResultEffect> T>
void fields(A& a, T& v) {
    a(v.results);
}
template <class A, one_of<SleepEffect> T>
void fields(A& a, T& v) {
    a(v.duration_ms);
}
template <class A, one_of<DoneEffect> T>
void fields(A& a, T& v) {
    a(v.output);
}
template <class A, one_of<FailEffect> T>
void fields(A& a, T& v) {
    a(v.category, v.retry_after_ms, v.code, v.text, v.detail);
}
template <class A, one_of<Hello> T>
void fields(A& a, T& v) {
    a(v.library, v.digest);
}
template <class A, one_of<Open> T>
void fields(A& a, T& v) {
    a(v.instance, v.config);
}
template <class A, one_of<Step> T>
void fields(A& a, T& v) {
    a(v.job, v.instance, v.kind, v.event);
}
template <class A, one_of<Destroy> T>
void fields(A& a, T& v) {
    a(v.job);
}
template <class A, one_of<Close> T>
void fields(A& a, T& v) {
    a(v.instance);
}
template <class A, one_of<Ready> T>
void fields(A& a, T& v) {
    a(v.id, v.version, v.vendor, v.abi_major, v.abi_minor, v.capabilities, v.manifest);
}
template <class A, one_of<Refused> T>
void fields(A& a, T& v) {
    a(v.text);
}
template <class A, one_of<Stepped> T>
void fields(A& a, T& v) {
    a(v.job, v.error, v.effect);
}
template <class A, one_of<Log> T>
void fields(A& a, T& v) {
    a(v.level, v.text);
}

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_variant : std::false_type {};
template <class... T>
struct is_variant<std::variant<T...>> : std::true_type {};

using Seed = std::array<std::uint8_t, 32>;

// Sends each field to its shape: number, string, list, choice or struct.
template <class Self>
class Archive {
  public:
    template <class... T>
    void operator()(T&... values) {
        (one(values), ...);
    }

  private:
    template <class T>
    void one(T& value) {
        using Plain = std::remove_const_t<T>;
        Self& self = static_cast<Self&>(*this);
        if constexpr (std::is_enum_v<Plain> || std::is_integral_v<Plain>)
            self.number(value);
        else if constexpr (std::same_as<Plain, std::string>)
            self.text(value);
        else if constexpr (std::same_as<Plain, Seed>)
            self.seed(value);
        else if constexpr (is_vector<Plain>::value)
            self.list(value);
        else if constexpr (is_variant<Plain>::value)
            self.choice(value);
        else
            fields(self, value);
    }
};

class Measure : public Archive<Measure> {
  public:
    template <class T>
    void number(const T&) {
        size += sizeof(T);
    }
    void text(const std::string& value) { size += sizeof(std::uint32_t) + value.size(); }
    void seed(const Seed& value) { size += value.size(); }
    template <class T>
    void list(const std::vector<T>& values) {
        size += sizeof(std::uint32_t);
        for (const T& value : values) (*this)(value);
    }
    template <class T>
    void choice(const T& value) {
        size += 1;
        std::visit([this](const auto& chosen) { (*this)(chosen); }, value);
    }
    std::size_t size = 0;
};

template <class T>
T little_endian(T value) {
    if constexpr (std::endian::native == std::endian::big) {
        auto* bytes = reinterpret_cast<unsigned char*>(&value);
        std::reverse(bytes, bytes + sizeof value);
    }
    return value;
}

// Writes into memory that Measure has found large enough.
class Write : public Archive<Write> {
  public:
    explicit Write(char* to) : to_(to) {}
    template <class T>
    void number(const T& value) {
        const T wire = little_endian(value);
        std::memcpy(to_, &wire, sizeof wire);
        to_ += sizeof wire;
    }
    void text(const std::string& value) {
        number(static_cast<std::uint32_t>(value.size()));
        std::memcpy(to_, value.data(), value.size());
        to_ += value.size();
    }
    void seed(const Seed& value) {
        std::memcpy(to_, value.data(), value.size());
        to_ += value.size();
    }
    template <class T>
    void list(const std::vector<T>& values) {
        number(static_cast<std::uint32_t>(values.size()));
        for (const T& value : values) (*this)(value);
    }
    template <class T>
    void choice(const T& value) {
        number(static_cast<std::uint8_t>(value.index()));
        std::visit([this](const auto& chosen) { (*this)(chosen); }, value);
    }

  private:
    char* to_;
};

// Reads bytes of unknown origin. After the first problem nothing more is read or allocated.
class Read : public Archive<Read> {
  public:
    Read(std::string_view bytes, bool from_worker) : rest_(bytes), from_worker_(from_worker) {}

    bool complete() const { return good_ && rest_.empty(); }

    template <class T>
    void number(T& value) {
        if constexpr (std::same_as<T, bool>) {
            std::uint8_t byte = 0;
            number(byte);
            if (byte > 1) good_ = false;
            value = byte == 1;
        } else if constexpr (std::same_as<T, JobKind>) {
            std::uint32_t kind = 0;
            number(kind);
            if (kind < LIAISON_JOB_TEST || kind > LIAISON_JOB_WEBHOOK)
                good_ = false;
            else
                value = static_cast<JobKind>(kind);
        } else {
            if (!take(sizeof value)) return;
            std::memcpy(&value, taken_, sizeof value);
            value = little_endian(value);
        }
    }
    void text(std::string& value) {
        std::uint32_t length = 0;
        number(length);
        if (from_worker_ && length > max_string_bytes) good_ = false;
        if (take(length)) value.assign(taken_, length);
    }
    void seed(Seed& value) {
        if (take(value.size())) std::memcpy(value.data(), taken_, value.size());
    }
    template <class T>
    void list(std::vector<T>& values) {
        static const std::size_t least = smallest<T>();
        std::uint32_t count = 0;
        number(count);
        if (count > rest_.size() / least || (from_worker_ && count > limit<T>())) good_ = false;
        if (!good_) return;
        values.reserve(count);
        for (std::uint32_t i = 0; i < count && good_; ++i) (*this)(values.emplace_back());
    }
    template <class T>
    void choice(T& value) {
        std::uint8_t index = 0;
        number(index);
        if (good_ && !choose(value, index, std::make_index_sequence<std::variant_size_v<T>>())) good_ = false;
    }

  private:
    bool take(std::size_t bytes) {
        if (bytes > rest_.size()) good_ = false;
        if (!good_) return false;
        taken_ = rest_.data();
        rest_.remove_prefix(bytes);
        return true;
    }
    template <class T>
    static std::size_t smallest() {
        Measure measure;
        const T empty{};
        measure(empty);
        return measure.size;
    }
    template <class T>
    static constexpr std::size_t limit() {
        if constexpr (std::same_as<T, Header>) return max_headers_per_request;
        if constexpr (std::same_as<T, Request>) return max_requests_per_effect;
        return max_records_per_effect;
    }
    template <class T, std::size_t... I>
    bool choose(T& value, std::size_t index, std::index_sequence<I...>) {
        return ((I == index ? ((*this)(value.template emplace<I>()), true) : false) || ...);
    }

    std::string_view rest_;
    const char* taken_ = nullptr;
    bool good_ = true;
    bool from_worker_;
};

// Wire numbers in the order of Message; what a worker sends is above 15.
constexpr std::array<std::uint16_t, std::variant_size_v<Message>> wire_types = {1,  2,  3,  4, 5,
                                                                                16, 17, 18, 19};
constexpr std::uint16_t first_worker_type = 16;

template <class T, std::size_t I = 0>
constexpr std::uint16_t wire_type() {
    if constexpr (std::same_as<T, std::variant_alternative_t<I, Message>>)
        return wire_types[I];
    else
        return wire_type<T, I + 1>();
}

std::uint32_t checksum(std::string_view body) {
    return static_cast<std::uint32_t>(XXH3_64bits(body.data(), body.size()));
}

// `put` is called twice, with a Measure and with a Write.
template <class Put>
bool append(std::string& out, std::uint16_t type, std::uint64_t id, const Put& put) {
    Measure measure;
    put(measure);
    if (measure.size > max_frame_bytes) return false;
    const std::size_t start = out.size();
    out.resize(start + frame_header_bytes + measure.size);
    char* const header = out.data() + start;
    char* const body = header + frame_header_bytes;
    Write write_body(body);
    put(write_body);
    const auto length = static_cast<std::uint32_t>(measure.size);
    const std::uint32_t sum = checksum({body, measure.size});
    Write write_header(header);
    write_header(frame_magic, frame_version, type, id, length, sum);
    return true;
}

template <std::size_t... I>
bool decode_as(Message& message, std::uint16_t type, Read& read, std::index_sequence<I...>) {
    return ((wire_types[I] == type ? (read(message.emplace<I>()), true) : false) || ...);
}

}  // namespace

bool append_frame(std::string& out, std::uint64_t id, const Message& message) {
    return std::visit(
        [&](const auto& body) {
            const std::uint16_t type = wire_type<std::remove_cvref_t<decltype(body)>>();
            return append(out, type, id, [&](auto& archive) { archive(body); });
        },
        message);
}

bool append_step(std::string& out, std::uint64_t id, const Step& where, const Event& event) {
    return append(out, wire_type<Step>(), id,
                  [&](auto& archive) { archive(where.job, where.instance, where.kind, event); });
}

bool append_stepped(std::string& out, std::uint64_t id, std::uint64_t job, const Effect& effect) {
    const std::string no_error;
    return append(out, wire_type<Stepped>(), id, [&](auto& archive) { archive(job, no_error, effect); });
}

Result<FrameHeader> decode_header(std::string_view bytes) {
    FrameHeader header;
    std::uint32_t magic = 0;
    std::uint16_t version = 0;
    Read read(bytes.substr(0, frame_header_bytes), true);
    read(magic, version, header.type, header.id, header.length, header.checksum);
    if (!read.complete()) return fail(ErrorKind::internal, "a header that is too short");
    if (magic != frame_magic) return fail(ErrorKind::internal, "a bad magic number");
    if (version != frame_version) {
        return fail(ErrorKind::internal, "frame version " + std::to_string(version));
    }
    if (std::find(wire_types.begin(), wire_types.end(), header.type) == wire_types.end()) {
        return fail(ErrorKind::internal, "a message of unknown type " + std::to_string(header.type));
    }
    if (header.length > max_frame_bytes) {
        return fail(ErrorKind::internal, "a message of " + std::to_string(header.length) + " bytes");
    }
    return header;
}

Result<Message> decode_body(const FrameHeader& header, std::string_view body) {
    if (body.size() != header.length) return fail(ErrorKind::internal, "a message of the wrong length");
    if (checksum(body) != header.checksum) return fail(ErrorKind::internal, "a bad checksum");
    Read read(body, header.type >= first_worker_type);
    Message message;
    const bool known = decode_as(message, header.type, read, std::make_index_sequence<wire_types.size()>());
    if (!known || !read.complete()) {
        return fail(ErrorKind::internal, "a malformed message of type " + std::to_string(header.type));
    }
    return message;
}

}  // namespace liaisond::plugin
