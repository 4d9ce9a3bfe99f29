# Whatever ends the daemon, systemd starts it again, and nothing is lost.
step "killed"
restarts=$(property liaisond.service NRestarts)
must systemctl kill -s KILL --kill-whom=main liaisond
until_true "the daemon is back" was_restarted
is "nothing is lost" "$(records)" 3
import second 4,Kettle
is "and it goes on" "$(records)" 4

step "hung: the watchdog"
printf '[Service]\nWatchdogSec=10s\n' | put etc/systemd/system/liaisond.service.d/watchdog.conf
must systemctl daemon-reload
must systemctl restart liaisond
restarts=$(property liaisond.service NRestarts) fed=$(property liaisond.service WatchdogTimestampMonotonic)
watchdog_was_fed() { [ "$(property liaisond.service WatchdogTimestampMonotonic)" -gt "$((fed + 12000000))" ]; }
until_true "the watchdog was fed for longer than its limit" watchdog_was_fed
is "it lives as long as it is fed" "$(property liaisond.service NRestarts)" "$restarts"
must systemctl kill -s STOP --kill-whom=main liaisond
until_true "the hung daemon was replaced" was_restarted
journal_says "Watchdog timeout" || fail "the journal does not tell why"
is "nothing is lost" "$(records)" 4
must rm /etc/systemd/system/liaisond.service.d/watchdog.conf
must systemctl daemon-reload

step "the vault's key as a credential"
must systemctl stop liaisond.socket liaisond.service
must install -D -m 0400 /var/lib/liaison/vault.key /etc/credstore/liaison-vault-key
must rm /var/lib/liaison/vault.key
must systemctl start liaisond.service
must liaisonctl audit
must_not test -e /var/lib/liaison/vault.key
must systemctl stop liaisond.socket liaisond.service
must install -m 0600 -o liaison -g liaison /etc/credstore/liaison-vault-key /var/lib/liaison/vault.key
must rm /etc/credstore/liaison-vault-key
must systemctl start liaisond.service
must liaisonctl status
