# systemd keeps the sockets while the daemon restarts; without them the daemon listens by itself.
clients_begin() {  # one client after another, until told to stop; who is refused is written down
    rm -f "$tree/var/tmp/refused" "$tree/var/tmp/answered"
    touch "$tree/var/tmp/ask"
    in_tree sh -c 'while [ -e /var/tmp/ask ]; do
        if said=$(liaisonctl --json integrations 2>&1); then echo x >>/var/tmp/answered; else echo "$said" >>/var/tmp/refused; fi
    done' &
    clients=$!
    until_true "a client was answered" test -s "$tree/var/tmp/answered"
}
clients_end() {
    rm -f "$tree/var/tmp/ask"
    wait "$clients"
    ! grep -m 1 -F "is not running" "$tree/var/tmp/refused" 2>/dev/null || fail "a client was refused"
    say "ok: $(wc -l <"$tree/var/tmp/answered") clients asked one after another, none was refused"
}

step "a restart while clients come and wait"
before=$(pid)
clients_begin
must systemctl restart liaisond
restarts=$(property liaisond.service NRestarts)
must systemctl kill -s KILL --kill-whom=main liaisond
until_true "the daemon is back" was_restarted
must liaisonctl status
clients_end
[ "$(pid)" != "$before" ] || fail "the daemon was not restarted"

step "the API on the network, kept by systemd"
sed -i 's|^  # listen: .*|  listen: 127.0.0.1:8480|' "$tree/etc/liaison/liaison.yaml"
must systemctl stop liaisond.service
must systemctl enable --now liaisond-api.socket
must systemctl start liaisond.service
is "the daemon answers there" "$(nsenter -t "$leader" -n curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8480/api/v1/status)" 401
must systemctl stop liaisond.service
# Nobody is at home: the connection starts the daemon.
is "who comes starts it" "$(nsenter -t "$leader" -n curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8480/api/v1/status)" 401
sed -i 's|^  listen: 127.0.0.1:8480|  listen: 127.0.0.1:8482|' "$tree/etc/liaison/liaison.yaml"
must_not systemctl restart liaisond.service
journal_says "the one that was handed over listens on 127.0.0.1:8480" || fail "the journal does not say what differs"
must systemctl disable --now liaisond-api.socket
must systemctl restart liaisond.service
is "it opens another one by itself" "$(nsenter -t "$leader" -n curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8482/api/v1/status)" 401

step "without the socket unit"
must systemctl stop liaisond.service liaisond.socket
must systemctl mask liaisond.socket
must systemctl start liaisond.service
must liaisonctl status
is "the socket is the administrators', too" "$(in_tree stat -c '%U:%G %a' /run/liaison/liaisond.sock)" "liaison:liaison-admin 660"
must systemctl unmask liaisond.socket
must systemctl stop liaisond.service
must systemctl start liaisond.service
must systemctl is-active liaisond.socket

step "a configuration that is wrong is not started over and over"
must systemctl stop liaisond.service
echo "nonsense: true" | put etc/liaison/conf.d/third.yaml
must_not systemctl start liaisond.service
is "it said so" "$(property liaisond.service ExecMainStatus)" 78
must_not liaisonctl status
must rm /etc/liaison/conf.d/third.yaml
must systemctl start liaisond.service
must liaisonctl status
must systemctl is-active liaisond.socket
