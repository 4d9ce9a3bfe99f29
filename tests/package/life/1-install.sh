# A fresh machine: authors of connectors need no daemon; the daemon starts with what is shipped.
step "the author's kit alone"
must apt-get install -y "/var/tmp/packages/liaison-tools_$version-1_$architecture.deb" "/var/tmp/packages/liaison-plugin-dev_$version-1_$architecture.deb"
must liaisonctl --version
must_not systemctl cat liaisond.service

step "install"
must apt-get install -y "/var/tmp/packages/liaison_$version-1_$architecture.deb"
until_true "the daemon runs" is_active
is "it starts with the machine" "$(in_tree systemctl is-enabled liaisond.service liaisond.socket | paste -sd' ')" "enabled enabled"
must systemctl status --no-pager liaisond.service
says "0 integrations"
must liaisonctl status
is "no integrations as shipped" "$(in_tree liaisonctl --json integrations | jq '.items | length')" 0
is "no unit failed" "$(in_tree systemctl --failed --no-legend --plain)" ""
must liaisonctl doctor
is "the socket is the administrators'" "$(in_tree stat -c '%U:%G %a' /run/liaison/liaisond.sock)" "liaison:liaison-admin 660"

step "who may use liaisonctl"
must useradd --groups liaison-admin alice
must useradd bob
must runuser -u alice -- liaisonctl status
must_not runuser -u bob -- liaisonctl status
says "you may not talk to liaisond"

step "the daemon is locked in"
say "$(in_tree systemd-analyze security liaisond.service | tail -n 1)"
status=$(in_tree cat "/proc/$(pid)/status")
field() { sed -n "s/^$1:[[:space:]]*//p" <<<"$status"; }
is "system calls are filtered" "$(field Seccomp)" 2
is "no new privileges" "$(field NoNewPrivs)" 1
is "no capabilities" "$(field CapEff) $(field CapBnd)" "0000000000000000 0000000000000000"
is "its user" "$(in_tree stat -c %U "/proc/$(pid)")" liaison
# Files as the daemon sees them, but for root: what is refused here is refused by its mounts.
view=/proc/$(pid)/root
for place in /usr/bin /etc/liaison /srv /var/lib; do
    must_not touch "$view$place/x"
    says "Read-only file system"
done
for place in /var/lib/liaison /etc/liaison/conf.d/managed /var/backups/liaison /run/liaison /tmp /var/tmp /dev/shm; do
    must cp /usr/bin/true "$view$place/x"
    must_not "$view$place/x"
    says "Permission denied"
    must rm "$view$place/x"
done
say "ok: it writes where it must, and executes nothing there"
