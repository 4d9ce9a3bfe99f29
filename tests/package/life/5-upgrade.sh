# A newer version: what people changed stays, and so does the state.
step "upgrade"
echo "# changed by hand" >>"$tree/etc/liaison/liaison.yaml"
before=$(pid)
clients_begin
must apt-get install -y "/var/tmp/packages/liaison_$newer-1_$architecture.deb" "/var/tmp/packages/liaison-tools_$newer-1_$architecture.deb" \
    "/var/tmp/packages/liaison-plugin-dev_$newer-1_$architecture.deb"
until_true "the daemon runs" is_active
clients_end
is "the newer version is there" "$(in_tree dpkg-query -W -f '${Version}' liaison)" "$newer-1"
[ "$(pid)" != "$before" ] || fail "the daemon was not restarted"
must tail -n 1 /etc/liaison/liaison.yaml
says "# changed by hand"
is "the records are there" "$(records)" 4
import third 5,Lamp
is "and it goes on" "$(records)" 5

step "disabled it stays disabled"
must systemctl disable --now liaisond.service liaisond.socket
must apt-get install -y --reinstall "/var/tmp/packages/liaison_$newer-1_$architecture.deb"
is "it stays so" "$(in_tree systemctl is-enabled liaisond.service liaisond.socket | paste -sd' ')" "disabled disabled"
must systemctl enable --now liaisond.socket liaisond.service

step "downgrade"
must_not apt-get install -y "/var/tmp/packages/liaison_$version-1_$architecture.deb" "/var/tmp/packages/liaison-tools_$version-1_$architecture.deb" \
    "/var/tmp/packages/liaison-plugin-dev_$version-1_$architecture.deb"
says "downgrade"
is "the newer version stays" "$(in_tree dpkg-query -W -f '${Version}' liaison)" "$newer-1"
