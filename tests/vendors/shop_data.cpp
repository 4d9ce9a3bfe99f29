#include "shop_data.hpp"

#include <array>

#include "instant.hpp"
#include "json.hpp"

namespace liaison_sim::shop_data {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

struct Category {
    const char* name;
    const char* unit;
    int vat_tenths;
    std::int64_t least_cents;
    std::int64_t most_cents;
    std::array<const char*, 5> goods;
};

constexpr std::array<Category, 6> categories{{
    {"Épicerie",
     "KG",
     55,
     180,
     1900,
     {"Farine de blé T55", "Riz basmati", "Sucre roux", "Lentilles vertes", "Sel de Guérande"}},
    {"Huiles et vinaigres",
     "L",
     55,
     350,
     4200,
     {"Huile d'olive vierge extra", "Huile de tournesol", "Vinaigre de Xérès", "Vinaigre balsamique",
      "Huile de noix"}},
    {"Boissons",
     "BTL",
     200,
     290,
     6500,
     {"Chablis 2022", "Crémant d'Alsace", "Jus de pomme fermier", "Eau minérale 75 cl", "Bière blonde"}},
    {"Crèmerie",
     "PCE",
     55,
     120,
     3100,
     {"Comté 18 mois", "Beurre doux AOP", "Crème liquide 35 %", "Œufs plein air x30", "Roquefort"}},
    {"Hygiène",
     "CRT",
     200,
     450,
     8900,
     {"Détergent vaisselle", "Papier essuie-mains", "Gants nitrile", "Sacs 130 L", "Désinfectant surfaces"}},
    {"Art de la table",
     "PCE",
     200,
     90,
     12500,
     {"Verre à vin 35 cl", "Assiette plate 27 cm", "Couteau de table", "Nappe blanche", "Carafe 1 L"}},
}};

constexpr std::array<const char*, 6> sentences{
    "Sélectionné pour la restauration et l'hôtellerie, livré en conditionnement professionnel.",
    "Convient aux cuisines de collectivité comme aux tables gastronomiques.",
    "À conserver dans un endroit frais et sec, à l'abri de la lumière.",
    "Origine France, traçabilité complète du producteur au quai de livraison.",
    "Remise possible par palette complète ; nous consulter pour les volumes.",
    "Fiche technique et allergènes disponibles sur simple demande.",
};

constexpr std::array<const char*, 8> houses{
    "Hôtel du Lac",     "Brasserie des Halles", "Auberge Saint-Michel", "Le Petit Bistrot",
    "Château Bellevue", "Café de la Gare",      "Les Trois Épis",       "Résidence Mozart"};
constexpr std::array<const char*, 8> first_names{"Claire", "Jean", "Amélie", "Karim",
                                                 "Sofia",  "Hugo", "Inès",   "Paul"};
constexpr std::array<const char*, 8> last_names{"Durand", "Lefèvre", "Moreau", "Benali",
                                                "Rossi",  "Girard",  "Petit",  "O'Connor"};
constexpr std::array<const char*, 6> cities{"Lyon",   "Bordeaux",      "Strasbourg",
                                            "Nantes", "Saint-Étienne", "Nice"};
constexpr std::array<const char*, 6> zips{"69002", "33000", "67000", "44000", "42000", "06000"};

template <class T, std::size_t N>
const T& pick(Random& random, const std::array<T, N>& from) {
    return from[static_cast<std::size_t>(random.below(N))];
}

std::string ean13(std::int64_t number) {
    std::string digits = "376" + padded(number % 1'000'000'000, 9);
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) sum += (digits[i] - '0') * (i % 2 == 0 ? 1 : 3);
    return digits + static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::string description(Random& random) {
    std::string text;
    const auto first = static_cast<std::size_t>(random.below(sentences.size()));
    for (std::size_t i = 0; i < 4; ++i) {
        if (i) text += ' ';
        text += sentences[(first + i) % sentences.size()];
    }
    return text;
}

// Half up, on cents times tenths of a percent.
std::int64_t tax_cents(std::int64_t net_cents, int vat_tenths) {
    return (net_cents * vat_tenths + 500) / 1000;
}

}  // namespace

Random::Random(std::uint64_t seed, std::int64_t number)
    : state_(seed * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(number) * 0xd1342543de82ef95U) {}

std::uint64_t Random::next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

std::int64_t Random::below(std::int64_t bound) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound));
}

std::string padded(std::int64_t number, int width) {
    std::string digits = std::to_string(number);
    const auto wanted = static_cast<std::size_t>(width);
    if (digits.size() < wanted) digits.insert(0, wanted - digits.size(), '0');
    return digits;
}

std::string cents(std::int64_t amount) {
    return std::to_string(amount / 100) + "." + padded(amount % 100, 2);
}

Product product(std::int64_t number, std::uint64_t seed) {
    Random random(seed, number);
    Product made;
    made.category = static_cast<std::size_t>(random.below(categories.size()));
    const Category& category = categories[made.category];
    made.sku = "PRD-" + padded(number, 6);
    made.name = std::string(pick(random, category.goods)) + " n° " + std::to_string(number);
    made.unit = category.unit;
    made.price_cents = category.least_cents + random.below(category.most_cents - category.least_cents);
    made.cost_cents = made.price_cents * (55 + random.below(30)) / 100;
    made.vat_tenths = category.vat_tenths;
    return made;
}

std::string product_json(std::int64_t number, std::uint64_t seed, std::int64_t stamp_ms) {
    const Product made = product(number, seed);
    Random random(seed + 1, number);
    ObjectWriter json;
    json.integer("id", number).string("sku", made.sku).string("name", made.name);
    json.string("description", description(random)).string("ean", ean13(number));
    json.string("category", categories[made.category].name);
    json.raw("price", cents(made.price_cents)).raw("cost", cents(made.cost_cents)).string("currency", "EUR");
    json.string("unit", made.unit).raw("vat_rate", made.vat_tenths == 55 ? "5.5" : "20");
    json.integer("stock", random.below(500)).boolean("active", random.below(50) != 0);
    return json.string("updated_at", format_instant(stamp_ms)).take();
}

std::string customer_json(std::int64_t number, std::uint64_t seed, std::int64_t stamp_ms) {
    Random random(seed + 2, number);
    const std::string first = pick(random, first_names), last = pick(random, last_names);
    const auto city = static_cast<std::size_t>(random.below(cities.size()));
    const std::string digits = padded(number, 9);
    ObjectWriter contact;
    contact.string("first_name", first).string("last_name", last);
    contact.string("email", "contact" + std::to_string(number) + "@client.example");
    contact.string("phone", "+33" + padded(100'000'000 + random.below(899'999'999), 9));
    ObjectWriter address;
    address.string("street", std::to_string(1 + random.below(120)) + " rue de la République");
    address.string("zip", zips[city]).string("city", cities[city]).string("country", "FR");
    constexpr std::array<int, 4> terms{0, 15, 30, 60};
    ObjectWriter json;
    json.integer("id", number)
        .string("company", std::string(pick(random, houses)) + " " + std::to_string(number));
    json.raw("contact", contact.take()).string("vat_number", "FR" + padded(random.below(100), 2) + digits);
    json.raw("address", address.take()).integer("payment_days", pick(random, terms));
    return json.string("updated_at", format_instant(stamp_ms)).take();
}

std::string order_json(std::int64_t number, const OrderSeed& order, std::int64_t stamp_ms) {
    Random random(order.seed + 3, number);
    constexpr std::array<const char*, 4> statuses{"new", "paid", "shipped", "cancelled"};
    std::int64_t net = 0, tax = 0;
    std::string lines = "[";
    const std::int64_t count = 1 + random.below(5);
    for (std::int64_t line = 1; line <= count; ++line) {
        const std::int64_t id = 1 + random.below(order.products > 0 ? order.products : 1000);
        const Product made = product(id, order.product_seed);
        const std::int64_t quantity = 1 + random.below(24);
        net += quantity * made.price_cents;
        tax += tax_cents(quantity * made.price_cents, made.vat_tenths);
        ObjectWriter json;
        json.integer("line", line)
            .integer("product_id", id)
            .string("sku", made.sku)
            .string("text", made.name);
        json.integer("quantity", quantity).raw("unit_price", cents(made.price_cents));
        json.raw("total", cents(quantity * made.price_cents));
        lines.append(line > 1 ? "," : "").append(json.take());
    }
    const std::int64_t placed = stamp_ms - random.below(3'600'000);
    ObjectWriter json;
    json.integer("id", number).string("number", "SO-2026-" + padded(number, 6));
    json.integer("customer_id", 1 + random.below(order.customers > 0 ? order.customers : 100));
    json.string("status", pick(random, statuses)).string("placed_at", format_instant(placed));
    json.string("requested_date", format_date(placed / day_ms + 1 + random.below(7)))
        .string("currency", "EUR");
    json.raw("lines", lines + "]").raw("total_net", cents(net)).raw("total_tax", cents(tax));
    json.raw("total", cents(net + tax));
    json.string("note", random.below(4) == 0 ? "Livraison avant 10 h, quai n° 2" : "");
    return json.string("updated_at", format_instant(stamp_ms)).take();
}

}  // namespace liaison_sim::shop_data
