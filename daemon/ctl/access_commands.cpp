// Commands about secrets in the vault, and `connect`: letting liaison in at a vendor that asks a person.
#include <termios.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <boost/url/parse.hpp>
#include <iostream>

#include "base/secret.hpp"
#include "ctl/commands.hpp"
#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/status_view.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

int tell(Session& session, const Result<json::value>& answer) {
    return session.show(answer, [](const json::value& told) { return text_at(told, "detail") + "\n"; });
}

// A line typed without being shown, or read from a pipe.
Secret read_secret(const std::string& prompt) {
    termios usual{};
    const bool terminal = ::tcgetattr(STDIN_FILENO, &usual) == 0;
    if (terminal) {
        std::cerr << prompt << std::flush;
        termios silent = usual;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    std::string line;
    if (terminal)
        std::getline(std::cin, line);
    else
        line.assign(std::istreambuf_iterator<char>(std::cin), {});  // keys have several lines
    if (terminal) {
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
        std::cerr << std::endl;
    }
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    return Secret(std::move(line));
}

// The vendor sends the browser of this machine back to us (RFC 8252, section 7.3).
class Loopback {
  public:
    explicit Loopback(std::uint16_t port) : acceptor_(io_, {asio::ip::address_v4::loopback(), port}) {}
    std::string address() const {
        return "http://localhost:" + std::to_string(acceptor_.local_endpoint().port()) + "/callback";
    }

    // The address that was asked for, with what the vendor said.
    std::string wait() {
        while (true) {
            tcp::socket socket = acceptor_.accept();
            boost::system::error_code error;
            asio::streambuf buffer(16u << 10);
            asio::read_until(socket, buffer, "\r\n\r\n", error);
            std::istream stream(&buffer);
            std::string method, target;
            stream >> method >> target;
            const bool mine = method == "GET" && target.starts_with("/callback?");
            const std::string text =
                mine ? "Thank you. You can close this window; liaisonctl says how it went."
                     : "There is nothing here.";
            const std::string answer = std::string("HTTP/1.1 ") + (mine ? "200 OK" : "404 Not Found") +
                                       "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
                                       std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n" + text;
            asio::write(socket, asio::buffer(answer), error);
            if (mine) return "http://localhost" + target;
        }
    }

  private:
    asio::io_context io_;
    tcp::acceptor acceptor_;
};

int finish(Session& session, const std::string& id, const std::string& callback) {
    const auto answer = session.client().post(api_target({"integrations", id, "connect", "finish"}),
                                              json::object{{"callback", callback}});
    return session.show(answer, [&](const json::value& told) {
        std::string text = "Connected " + id + ".\n";
        const json::value* account = member(told, "account");
        if (account == nullptr || !account->is_object()) return text;
        for (const auto& [name, value] : account->get_object())
            text += one_line(std::string(name)) + ": " +
                    one_line(std::string(value.is_string() ? value.get_string() : "")) + "\n";
        return text;
    });
}

}  // namespace

int set_secret(Session& session, const std::string& name) {
    const Secret value = read_secret("Value of " + name + " (is not shown): ");
    if (value.empty()) {
        session.console().complain("the secret has no value; type it, or pipe it in: liaisonctl secret set " +
                                   name + " < file");
        return misused;
    }
    return tell(session, session.client().send("PUT", api_target({"secrets", name}),
                                               json::object{{"value", value.reveal()}}));
}

int list_secrets(Session& session) {
    return session.show(session.client().get(api_target({"secrets"})), [&](const json::value& page) {
        Table table({{"NAME", Align::left, true}, {"SET"}});
        for (const json::value& one : array_at(page, "items"))
            table.add({text_at(one, "name"), format_local(instant_at(one, "updated_at"))});
        return table.empty()
                   ? std::string("The vault has no secrets. Set one with: liaisonctl secret set NAME\n")
                   : table.text(session.look());
    });
}

int remove_secret(Session& session, const std::string& name) {
    return tell(session, session.client().send("DELETE", api_target({"secrets", name})));
}

int rotate_secrets(Session& session) {
    return tell(session, session.client().post(api_target({"secrets", "rotate"})));
}

int connect(Session& session, const ConnectArguments& arguments) {
    const bool elsewhere = !arguments.redirect_uri.empty();
    std::unique_ptr<Loopback> loopback;
    try {
        if (!elsewhere) loopback = std::make_unique<Loopback>(static_cast<std::uint16_t>(arguments.port));
    } catch (const boost::system::system_error& error) {
        session.console().complain("cannot listen on port " + std::to_string(arguments.port) +
                                   " of this machine: " + error.code().message() + "; try another --port");
        return failed;
    }
    const std::string redirect = elsewhere ? arguments.redirect_uri : loopback->address();
    const auto answer = session.client().post(api_target({"integrations", arguments.integration, "connect"}),
                                              json::object{{"redirect_uri", redirect}});
    if (!answer) return session.report(answer.error());
    session.console().note(
        "Open this address in a browser, sign in at the vendor, and let liaison in:\n\n  " +
        text_at(*answer, "url") + "\n");
    if (!elsewhere) {
        session.console().note("Waiting for the browser to come back to " + redirect +
                               " (it must be on this machine; otherwise use --redirect-uri)");
        return finish(session, arguments.integration, loopback->wait());
    }
    session.console().note("Then paste the whole address to which the browser was sent:");
    std::string pasted;
    std::getline(std::cin, pasted);
    return finish(session, arguments.integration, pasted);
}

}  // namespace liaisond::ctl
