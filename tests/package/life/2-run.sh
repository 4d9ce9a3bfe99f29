# An integration is configured, reloaded and run; a mistake changes nothing.
step "an integration"
must mkdir -p /srv/products
must chown liaison: /srv/products
put etc/liaison/conf.d/grossiste.yaml <<'YAML'
tenants:
  grossiste: { name: Le Grossiste, kind: wholesaler, timezone: Europe/Paris, currency: EUR }
integrations:
  grossiste-products:
    tenant: grossiste
    connector: csv
    direction: import
    entities: [product]
    schedule: manual
    settings: { entities: { product: { folder: /srv/products, key: [code], fields: { /sku: code, /name: name } } } }
YAML
must mkdir -p /etc/systemd/system/liaisond.service.d
sed 's|/srv/products /srv/bookings|/srv/products|' systemd/examples/folders.conf | put etc/systemd/system/liaisond.service.d/folders.conf
must liaisonctl config check
must systemctl daemon-reload
must systemctl restart liaisond
import first 1,Soap 2,Towel 3,Slippers
is "three products in the hub" "$(records)" 3

worker=$(in_tree liaisonctl --json status | jq '.workers[0].pid')
is "the worker is locked in, too" "$(in_tree sed -n 's/^Seccomp:[[:space:]]*//p' "/proc/$worker/status")" 2

step "reload"
before=$(pid)
put etc/liaison/conf.d/second.yaml <<'YAML'
integrations:
  grossiste-second:
    tenant: grossiste
    connector: csv
    direction: import
    entities: [product]
    schedule: manual
    settings: { entities: { product: { folder: /srv/products/second, key: [code], fields: { /sku: code, /name: name } } } }
YAML
must systemctl reload liaisond
until_true "the journal tells of the reload" journal_says "configuration reloaded; added: grossiste-second"
is "the daemon is the same" "$(pid)" "$before"
is "two integrations" "$(in_tree liaisonctl --json integrations | jq '.items | length')" 2

step "a mistake is not reloaded"
echo "integrations: { grossiste-second: { tenant: nobody } }" | put etc/liaison/conf.d/third.yaml
must_not systemctl reload liaisond
journal_says "/etc/liaison/conf.d/third.yaml:1:" || fail "the journal does not say what is wrong"
must systemctl kill -s HUP --kill-whom=main liaisond
until_true "the journal tells that the old configuration stays" journal_says "was not reloaded; the old one stays in force"
must journalctl --no-pager -x LIAISON_EVENT=reload_refused
says "A restart would fail"
must systemctl status --no-pager liaisond.service
says "the configuration is wrong and was not reloaded"
is "the daemon is the same" "$(pid)" "$before"
must liaisonctl run grossiste-products --wait
must rm /etc/liaison/conf.d/third.yaml
must systemctl reload liaisond
must journalctl --no-pager -o verbose -n 40 -u liaisond.service
says "LIAISON_INTEGRATION=grossiste-products"
says "LIAISON_TENANT=grossiste"
