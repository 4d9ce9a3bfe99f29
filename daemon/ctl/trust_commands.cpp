// Commands about whom a plugin comes from: keys, signatures, and files that changed.
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/connectors.hpp"
#include "ctl/commands.hpp"
#include "ctl/config_view.hpp"
#include "ctl/json_view.hpp"
#include "ctl/prompt.hpp"
#include "plugin/file_digest.hpp"
#include "plugin/minisign.hpp"
#include "plugin/trust.hpp"
#include "plugin/unique_fd.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace fs = std::filesystem;
namespace {

// Never over a file that is there: it may be the only copy of a key.
Status write_new(const std::string& path, std::string_view text, mode_t mode) {
    const plugin::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (file.get() < 0) return fail(ErrorKind::config, "cannot make " + path + ": " + std::strerror(errno));
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.get()) != 0) {
        const int problem = errno;
        ::unlink(path.c_str());
        return fail(ErrorKind::config, "cannot write " + path + ": " + std::strerror(problem));
    }
    return {};
}

Result<plugin::SigningKey> read_key(const std::string& path) {
    auto text = read_input(path);
    if (!text) return fail(text.error());
    Secret password;
    if (plugin::SigningKey::is_encrypted(*text)) password = read_secret("Password of " + path + ": ");
    auto key = plugin::SigningKey::parse(*text, password);
    if (!key) return fail(ErrorKind::config, path + " " + key.error().message);
    return key;
}

Result<std::string> digest_of(const std::string& path) {
    const plugin::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return fail(ErrorKind::config, "cannot open " + path + ": " + std::strerror(errno));
    auto digest = plugin::file_digest(file.get());
    if (!digest) return fail(ErrorKind::config, path + " " + digest.error().message);
    return digest;
}

}  // namespace

int make_plugin_key(Session& session, const TrustArguments& arguments) {
    const std::string secret = arguments.key.empty() ? "minisign.key" : arguments.key;
    const std::string open = fs::path(secret).replace_extension(".pub").string();
    if (fs::exists(secret) || fs::exists(open))
        return session.report({ErrorKind::config, (fs::exists(secret) ? secret : open) +
                                                      " exists; it is not written over: name another file "
                                                      "with --key"});
    Secret password;
    if (!arguments.without_password) {
        password = read_secret("Password for the new key (empty: it is not encrypted): ");
        if (!password.empty() && read_secret("Once more: ").reveal() != password.reveal())
            return session.report({ErrorKind::config, "the two passwords differ; no key was made"});
    }
    const plugin::SigningKey key = plugin::SigningKey::generate();
    const std::string text = key.file(password);
    if (text.empty())
        return session.report({ErrorKind::config, "not enough memory to encrypt the key; none was made"});
    if (const Status written = write_new(secret, text, 0600); !written)
        return session.report(written.error());
    const plugin::PublicKey shown = key.public_key();
    const Status written = write_new(
        open, "untrusted comment: minisign public key " + shown.id_text() + "\n" + shown.text() + "\n", 0644);
    if (!written) return session.report(written.error());
    if (session.json()) {
        session.print_json(json::object{{"secret_key", secret}, {"public_key", open}, {"key", shown.text()}});
    } else {
        session.console().out << "Keep " << secret << " secret and safe; give " << open
                              << " to whoever runs your plugins:\n\n"
                                 "  daemon:\n    plugin_trust:\n      keys: { me: "
                              << shown.text() << " }\n"
                              << std::flush;
    }
    return fine;
}

int sign_plugins(Session& session, const TrustArguments& arguments) {
    const auto key = read_key(arguments.key.empty() ? "minisign.key" : arguments.key);
    if (!key) return session.report(key.error());
    json::array signed_files;
    for (const std::string& file : arguments.files) {
        const auto hash = plugin::file_hash(file);
        const auto digest = digest_of(file);
        if (!hash || !digest) return session.report(hash ? digest.error() : hash.error());
        const std::string comment = "timestamp:" + std::to_string(to_unix_ms(Session::now()) / 1000) +
                                    "\tfile:" + fs::path(file).filename().string() + "\tsha256:" + *digest;
        const std::string into = plugin::signature_file(file);
        std::error_code ignored;
        fs::remove(into, ignored);  // of an earlier build
        if (const Status written = write_new(into, key->sign(*hash, comment), 0644); !written)
            return session.report(written.error());
        signed_files.emplace_back(into);
        if (!session.json())
            session.console().out << into << " is the signature, by key " << key->public_key().id_text()
                                  << std::endl;
    }
    if (session.json()) session.print_json(json::object{{"items", std::move(signed_files)}});
    return fine;
}

int verify_plugins(Session& session, const TrustArguments& arguments) {
    plugin::TrustPolicy policy = connectors::catalog_options(daemon_section(session)).trust;
    if (!arguments.key.empty()) {
        // A key in so many letters, or a file with one.
        auto key = plugin::PublicKey::parse(arguments.key);
        if (!key) {
            const auto text = read_input(arguments.key);
            if (!text) return session.report(text.error());
            key = plugin::PublicKey::parse(*text);
        }
        if (!key) return session.report({ErrorKind::config, arguments.key + " " + key.error().message});
        policy.keys = {{arguments.key, *key}};
    }
    policy.require_signatures = true;
    int status = fine;
    json::array items;
    for (const std::string& file : arguments.files) {
        plugin::Examined found;
        const Status checked = plugin::check_signature(file, policy, found);
        if (!checked) status = failed;
        items.push_back(
            checked ? json::object{{"file", file}, {"ok", true}, {"signed_by", found.signed_by}}
                    : json::object{{"file", file}, {"ok", false}, {"problem", checked.error().message}});
        if (session.json()) continue;
        if (checked)
            session.console().out << file << " is signed by " << found.signed_by << std::endl;
        else
            session.console().complain(checked.error().message);
    }
    if (session.json()) session.print_json(json::object{{"ok", status == fine}, {"items", std::move(items)}});
    return status;
}

int accept_plugin(Session& session, const std::string& plugin) {
    return session.show(session.client().post(api_target({"plugins", plugin, "accept"})),
                        [](const json::value& told) { return text_at(told, "detail") + "\n"; });
}

}  // namespace liaisond::ctl
