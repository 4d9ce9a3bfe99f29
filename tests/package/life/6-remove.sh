# Removed it leaves state and configuration; purged, nothing.
step "remove"
must apt-get remove -y liaison
is "the daemon is gone" "$(in_tree pgrep -c liaisond || true)" 0
must test -e /var/lib/liaison/liaison.db
must tail -n 1 /etc/liaison/liaison.yaml
says "# changed by hand"

step "and back again"
must apt-get install -y "/var/tmp/packages/liaison_$newer-1_$architecture.deb"
until_true "the daemon runs" is_active
is "the records are there" "$(records)" 5

step "purge"
must apt-get purge -y liaison liaison-tools liaison-plugin-dev
for left in /var/lib/liaison /etc/liaison /run/liaison /usr/lib/liaison /usr/libexec/liaison /usr/share/doc/liaison \
    /usr/bin/liaisond /usr/bin/liaisonctl /etc/systemd/system/multi-user.target.wants/liaisond.service; do
    must_not test -e "$left"
done
must systemctl daemon-reload
is "nothing runs" "$(in_tree pgrep -c 'liaison' || true)" 0
is "no unit failed" "$(in_tree systemctl --failed --no-legend --plain)" ""
